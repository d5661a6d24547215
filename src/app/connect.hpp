// connect: kubectl's flags, kubeconfigs and environment to a client of the real API server.
#pragma once

#include <iosfwd>
#include <memory>
#include <stop_token>

#include "app/options.hpp"
#include "base/clock.hpp"
#include "kube/api.hpp"

namespace catflap::app {

/// Reads the kubeconfig; nothing is sent yet. `clock` and `err` must outlive the client; `err` gets
/// what a credential plugin says while it runs.
[[nodiscard]] Result<std::unique_ptr<kube::Api>> connect(const ConnectFlags& flags,
                                                         const Clock& clock, std::stop_token stop,
                                                         std::ostream& err);

}  // namespace catflap::app
