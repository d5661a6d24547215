// Requests to pods by way of the API server, and what they print. A newcomer's surprise: its own
// refusals and the pod's answers come the same way, with the same headers; what tells them apart is
// a Status object, which the pod could send as well.
#pragma once

#include <optional>
#include <vector>

#include "kube/api.hpp"
#include "kube/loop.hpp"
#include "kube/transport.hpp"

namespace catflap::kube {

/// Asks all, at most `parallel` at once; afterwards every element of `results` is set.
[[nodiscard]] Task<void> proxy_all(Transport& transport, Scope& scope,
                                   const std::vector<ProxyCall>& calls, std::size_t parallel,
                                   std::vector<std::optional<Result<ProxyAnswer>>>& results);

/// The same for logs.
[[nodiscard]] Task<void> logs_all(Transport& transport, Scope& scope,
                                  const std::vector<LogCall>& calls, std::size_t parallel,
                                  std::vector<std::optional<Result<std::string>>>& results);

/// The answer that came for a call: the pod's, or the API server's words about it. Pure. The Status
/// that means "the pod was not reached": kubernetes,
/// staging/src/k8s.io/apimachinery/pkg/util/proxy/transport.go (RoundTrip).
[[nodiscard]] Result<ProxyAnswer> sort_proxy_answer(ProxyAnswer answer, const std::string& subject);

}  // namespace catflap::kube
