// Endpoint: where a server or a proxy is, and whether a proxy is to be passed by.
// A server's URL may have a path (https://rancher/k8s/clusters/c-1): every request goes below it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ip.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

namespace catflap::kube {

enum class Scheme { http, https };

struct Endpoint {
  Scheme scheme = Scheme::https;
  std::string host;  // a name or an address, without brackets
  Port port = 443;
  std::string base_path;  // "" or "/k8s/clusters/c-1", never with a slash at the end
  std::string user;       // of the URL, decoded; only proxies use it
  Secret password;

  /// "host:port", an IPv6 host in brackets.
  [[nodiscard]] std::string authority() const;
  /// The URL without user and password.
  [[nodiscard]] std::string to_string() const;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

/// An http or https URL. Port if absent: 80 or 443. Errors are of kind usage (unsupported for
/// socks5) and name `subject`, which says where the URL was found.
[[nodiscard]] Result<Endpoint> parse_endpoint(std::string_view url, const std::string& subject);

/// NO_PROXY as Go reads it (golang.org/x/net/http/httpproxy): a list by commas of `*`, CIDRs,
/// addresses, and names, which stand for themselves and all below ('.x' and '*.x': only below),
/// each with an optional port. localhost and loopback addresses are never proxied.
[[nodiscard]] bool passes_by_proxy(std::string_view no_proxy, const std::string& host, Port port);

/// Everything but unreserved characters as %XX: for one path segment or one query value.
[[nodiscard]] std::string percent_encode(std::string_view text);

}  // namespace catflap::kube
