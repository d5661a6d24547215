// What is to be said of those who read Felix's metrics.
#pragma once

#include <vector>

#include "core/model/plan.hpp"
#include "core/model/verdict.hpp"

namespace catflap {

/// CF0070 and CF0071, and CF0073 and CF0076 for what Alauda's platform keeps; none if nobody
/// looked.
[[nodiscard]] std::vector<Message> surroundings_findings(const Surroundings& around);

/// CF0073 for each ResourcePatch.
[[nodiscard]] std::vector<Message> platform_findings(const Platform& platform);

/// Adds to a plan that writes: whose scrapes break, one message each, at most 20, what of that is
/// not known, CF0073 and CF0076.
void describe_surroundings(Plan& plan, const Surroundings& around);

/// "ServiceMonitor monitoring/felix"; "annotations of DaemonSet kube-system/calico-node".
[[nodiscard]] std::string consumer_name(const Consumer& consumer);

}  // namespace catflap
