// discover: what the API server knows about Felix in this cluster, with the fewest requests. Never
// lists all pods.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "core/model/cluster.hpp"
#include "core/model/observation.hpp"
#include "kube/api.hpp"

namespace catflap::look {

struct DiscoverOptions {
  std::string namespace_;  // -n: DaemonSets of other namespaces are seen, and out of scope
};

/// A right that is denied becomes a ReadState or a reason in the facts where the decision can live
/// with it; the DaemonSets, their pods and the nodes are needed: without them it is an error.
[[nodiscard]] Result<ClusterFacts> discover(kube::Api& api, const Clock& clock,
                                            const DiscoverOptions& options);

/// felix.cfg and such that only an inside look can read: resolves those pods again with what it
/// brought.
void apply_inside(ClusterFacts& facts, const Look& look);

}  // namespace catflap::look
