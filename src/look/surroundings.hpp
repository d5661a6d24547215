// What else in the cluster has a say in Felix's endpoint. Each part needs a right of its own
// (docs/permissions.md); what may not be read is said in its state and is no error.
#pragma once

#include <set>
#include <string>

#include "base/result.hpp"
#include "core/model/cluster.hpp"
#include "kube/api.hpp"

namespace catflap::look {

/// The API groups that are served, the core group apart.
[[nodiscard]] Result<std::set<std::string>> read_groups(kube::Api& api);

/// For the DaemonSets and FelixConfigurations already in `facts`. Only what ends the run is an
/// error. Requests: one list per Application that a mark names and per kind of consumer that is
/// served, and on Alauda's platform those of its discovery.
[[nodiscard]] Result<Surroundings> read_surroundings(kube::Api& api, const ClusterFacts& facts);

}  // namespace catflap::look
