// connect: kubectl's flags, kubeconfigs and environment to a client of the real API server.
#pragma once

#include <memory>
#include <stop_token>

#include "app/options.hpp"
#include "base/clock.hpp"
#include "kube/api.hpp"

namespace catflap::app {

/// Reads the kubeconfig; nothing is sent yet. `clock` must outlive the client.
[[nodiscard]] Result<std::unique_ptr<kube::Api>> connect(const ConnectFlags& flags,
                                                         const Clock& clock, std::stop_token stop);

}  // namespace catflap::app
