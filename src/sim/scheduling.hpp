// Which nodes a DaemonSet's pods belong on.
#pragma once

#include <boost/json.hpp>

namespace catflap::sim {

enum class Placement {
  run,   // a pod belongs there
  stay,  // a pod that is there may stay, a new one would not be made (a NoSchedule taint)
  leave  // none belongs there
};

/// By the template's nodeSelector, required node affinity, and tolerations, to which the controller
/// adds those that every DaemonSet has. Source: K: pkg/controller/daemon, NodeShouldRunDaemonPod
/// and AddOrUpdateDaemonPodTolerations.
[[nodiscard]] Placement placement(const boost::json::object& pod_template,
                                  const boost::json::object& node);

/// The tolerations that the controller adds to the pods of a DaemonSet.
[[nodiscard]] boost::json::array added_tolerations(bool host_network);

}  // namespace catflap::sim
