// Who reads Felix's metrics, as far as objects say so. A stale Service or annotation is here as
// well: none of this is evidence of an open port.
#pragma once

#include <set>
#include <string>

#include "base/result.hpp"
#include "core/model/cluster.hpp"
#include "kube/api.hpp"

namespace catflap::look {

/// Fills consumers and consumers_not_known. `groups`: the API groups that are served. At most 100
/// consumers are kept. Only what ends the run is an error.
[[nodiscard]] Result<void> read_consumers(kube::Api& api, const std::set<std::string>& groups,
                                          const ClusterFacts& facts, Surroundings& around);

/// Does a LabelSelector choose these labels? Absent and empty choose all, as in Kubernetes.
[[nodiscard]] bool selects(const json::object* selector, const json::object* labels);

}  // namespace catflap::look
