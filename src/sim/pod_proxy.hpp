// pods/proxy: a GET handed on to a port of a pod, over real sockets, and the words of the real API
// server (1.33) where it gets no answer.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <optional>
#include <string>

#include "base/ip.hpp"
#include "sim/api_reply.hpp"

namespace catflap::sim {

struct ProxyRequest {
  HostPort endpoint;
  bool tls = false;
  std::string path;
};

/// Takes what the pod answers, byte for byte; false: the client is gone.
using PodRelay = std::function<boost::asio::awaitable<bool>(std::string bytes)>;

/// Nothing: the pod answered, and the connection is to end with its answer. It connects from
/// 127.0.0.1, so that a filter can tell the API server from everybody else on this machine.
[[nodiscard]] boost::asio::awaitable<std::optional<Reply>> proxy_to_pod(ProxyRequest request,
                                                                        PodRelay relay);

/// "http:NAME:PORT", "https:NAME:PORT", "NAME:PORT": the pod's name and where to ask; the address
/// is the caller's to fill in. Nothing: it is none of them.
struct ProxyName {
  std::string pod;
  Port port = 0;
  bool tls = false;
};
[[nodiscard]] std::optional<ProxyName> parse_proxy_name(std::string_view name);

}  // namespace catflap::sim
