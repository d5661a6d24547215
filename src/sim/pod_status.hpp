// A pod's status as its kubelet reports it.
#pragma once

#include <vector>

#include "sim/kubelets.hpp"

namespace catflap::sim {

/// hostIP, hostIPs and, for a pod on the node's network, podIP and podIPs.
void add_addresses(json::object& pod, const std::vector<IpAddress>& addresses);

[[nodiscard]] json::object pod_status(const RunningPod& running,
                                      const std::vector<IpAddress>& addresses);

}  // namespace catflap::sim
