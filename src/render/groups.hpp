// Groups: nodes with the same verdict for the same reasons, so that 5,000 nodes fit a screen.
#pragma once

#include <string>
#include <vector>

#include "core/model/verdict.hpp"

namespace catflap::render {

struct Group {
  Verdict verdict = Verdict::unknown;
  Basis basis = Basis::none;
  bool accepted = false;
  std::vector<std::string> names;
  std::vector<const NodeVerdict*> nodes;  // borrowed
};

/// In the verdict table's order with unknown after armed, larger groups first.
[[nodiscard]] std::vector<Group> group_nodes(const ClusterVerdict& verdict);

/// "12 of 5,000 nodes are exposed; 4,980 are closed, 8 are unknown."
[[nodiscard]] std::string headline(const ClusterVerdict& verdict);

/// `env FELIX_PROMETHEUSMETRICSENABLED="true" in DaemonSet kube-system/calico-node`, or why nothing
/// decides.
/// A pod that is not stale has its environment from its DaemonSet, which is what can be changed:
/// that is named.
[[nodiscard]] std::string deciding(const Declared& declared, const ClusterFacts& facts);

/// "DaemonSet kube-system/calico-node", "FelixConfiguration default".
[[nodiscard]] std::string object_name(const std::string& kind, const std::string& namespace_,
                                      const std::string& name);

/// A reason of the group as one sentence; where the nodes' parameters differ, the first node's,
/// named.
[[nodiscard]] std::string reason_text(const Group& group, std::size_t index);

/// One code with where it was found.
struct FindingGroup {
  Message first;
  std::vector<std::string> nodes;  // empty: of the cluster
};
/// The cluster's and the nodes' findings, one per code, the most severe first.
[[nodiscard]] std::vector<FindingGroup> group_findings(const ClusterVerdict& verdict);

}  // namespace catflap::render
