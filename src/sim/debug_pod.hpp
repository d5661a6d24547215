// What the script of a look from a pod would print in a pod of the embedded cluster, by the table
// of who listens where. Packet filters of a scenario are not in its way.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/sockets.hpp"

namespace catflap::sim {

/// `tools`: what the image has, "curl" or "none". Nothing: the command is another one.
[[nodiscard]] std::optional<std::string> debug_pod_output(const std::vector<std::string>& command,
                                                          const std::string& tools,
                                                          const Sockets& sockets,
                                                          const std::vector<std::string>& nodes);

}  // namespace catflap::sim
