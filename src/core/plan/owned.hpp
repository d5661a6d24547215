// Who owns what a plan would touch.
#pragma once

#include <string>
#include <vector>

#include "core/model/cluster.hpp"
#include "core/plan/owner.hpp"

namespace catflap {

struct OwnedObject {
  std::string name;           // DaemonSet kube-system/calico-node, FelixConfiguration default
  std::vector<Owner> owners;  // the strictest first; empty: nobody
};

/// Each DaemonSet that runs Felix, owned or not; then, of the FelixConfigurations that say true and
/// of the Installations that have the port, those that somebody owns.
[[nodiscard]] std::vector<OwnedObject> owned_objects(const ClusterFacts& facts);

}  // namespace catflap
