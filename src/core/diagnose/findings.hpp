// Findings of a diagnosis: what a person should know beside the verdicts. Codes are rows of
// core/catalogue.hpp.
#pragma once

#include <vector>

#include "core/model/verdict.hpp"

namespace catflap {

/// CF0036: no DaemonSet that may be changed runs Felix.
[[nodiscard]] Message none_found(const ClusterFacts& facts);

/// Adds findings to each node of `cluster` and to the cluster itself. `looks` are those that
/// `cluster` was proven from. A finding that is the same on every node (owner, masked layer,
/// annotation) stands once, with the cluster.
void add_findings(ClusterVerdict& cluster, const ClusterFacts& facts,
                  const std::vector<Look>& looks);

}  // namespace catflap
