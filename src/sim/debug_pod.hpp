// What the script of a look from a pod would print in a pod of the embedded cluster, by the table
// of who listens where. Packet filters of a scenario are not in its way.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "look/pod_script.hpp"
#include "sim/sockets.hpp"

namespace catflap::sim {

/// `tools`: what the image has, "curl" or "none". Nothing: the command is another one.
[[nodiscard]] std::optional<std::string> debug_pod_output(const std::vector<std::string>& command,
                                                          const std::string& tools,
                                                          const Sockets& sockets,
                                                          const std::vector<std::string>& nodes);

/// The same of asks that stand in no script; the pod has curl.
[[nodiscard]] std::string asked_output(const std::string& nonce,
                                       const std::vector<look::PodAsk>& asks,
                                       const Sockets& sockets,
                                       const std::vector<std::string>& nodes);

}  // namespace catflap::sim
