// The Felix pods of a DaemonSet and what is declared for each. Pods come by the thousand and are
// nearly all alike: what they share is kept once (a Shape), and each is resolved from its own spec,
// never from the template.
#pragma once

#include "base/result.hpp"
#include "core/model/cluster.hpp"
#include "kube/api.hpp"
#include "look/references.hpp"

namespace catflap::look {

/// Lists the pods of facts.daemon_sets (by their selectors, in their namespaces), resolves each and
/// each DaemonSet's template, and appends them to facts.pods. Nodes, FelixConfigurations and
/// revisions must be there already. A pod that none of the DaemonSets owns but that runs Felix
/// under the same labels counts too: it was left behind.
[[nodiscard]] Result<void> discover_pods(kube::Api& api, ClusterFacts& facts);

}  // namespace catflap::look
