// Would the DaemonSet controller put a pod of this DaemonSet on this node? Decides `no-felix`
// against `pod-missing`. Rules: Kubernetes pkg/controller/daemon/daemon_controller.go
// (NodeShouldRunDaemonPod): node name, node selector, required node affinity, and taints of effect
// NoSchedule or NoExecute that nothing tolerates.
#pragma once

#include "core/model/cluster.hpp"

namespace catflap {

/// `daemon_set` is the whole object. What it says in a form that is not understood counts as "yes",
/// so that a missing pod is reported and not explained away.
[[nodiscard]] bool schedules_on(const json::object& daemon_set, const NodeFacts& node);

}  // namespace catflap
