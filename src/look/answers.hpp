// What a port answered by way of somebody else (API server, forwarded port, a pod's curl), put into
// the record that a direct look makes. Private to src/look.
#pragma once

#include <string>
#include <string_view>

#include "core/model/observation.hpp"

namespace catflap::look {

constexpr Port kKubeletPort = 10250;          // every control
constexpr std::size_t kMaxAnswer = 1u << 20;  // as net/probe

/// An HTTP answer of which only the status and (part of) the body are known. `whole`: nothing of
/// the body is missing and it is not compressed.
struct HttpParts {
  int status = 0;
  std::string_view body;
  bool whole = true;
};
/// Identity, felix_host, status and excerpt; the port was open.
void add_http(Reach& reach, const HttpParts& parts);

/// The raw bytes of an HTTP answer. `ended`: the other end closed in order behind them.
void add_bytes(Reach& reach, std::string_view bytes, bool ended);

/// Plain text is tried first; who hangs up on it, answers no HTTP or answers 400 may want TLS.
[[nodiscard]] bool may_want_tls(const Reach& reach);

/// Of a control on the kubelet's port: who answers like it will do, without credentials too.
[[nodiscard]] bool answers_like_kubelet(int status);

}  // namespace catflap::look
