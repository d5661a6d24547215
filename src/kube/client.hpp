// connect: the real Api, over HTTPS. Everything behind this header (loop, transport, watches, exec)
// is private to src/kube.
#pragma once

#include <memory>
#include <stop_token>

#include "base/clock.hpp"
#include "kube/api.hpp"
#include "kube/client_config.hpp"

namespace catflap::kube {

/// No traffic yet: the first call connects. `clock` must outlive the Api; it dates credentials and
/// bounds run_until, while network time-outs are real time. A stop request ends a blocked call with
/// `interrupted` within 100 ms, from any thread. Its watches must be destroyed before it. A watch's
/// callback runs inside the loop and must not call the Api; list's may.
[[nodiscard]] std::unique_ptr<Api> connect(const ClientConfig& config,
                                           const Environment& environment, const Clock& clock,
                                           std::stop_token stop);

}  // namespace catflap::kube
