// Which fields of which FelixConfigurations say true, and the change that makes each say false.
// Annotations are set to false, not removed: the place goes on deciding what it decided before, one
// write is enough, and undo has one value to put back.
#pragma once

#include <string>
#include <vector>

#include "core/model/cluster.hpp"
#include "core/model/plan.hpp"

namespace catflap {

struct FelixConfigurationChange {
  const json::object* object = nullptr;  // borrowed from the facts
  std::string name;
  std::string annotation;  // the key; "" for the spec's field
  Change change;
  bool last_of_object =
      false;  // the object's value turns with this one: it overrides the ones before
};

/// The changes in the order of fewest starts: the lowest layer first, and within an object what is
/// overridden first, so that a Felix that reads them sees its own value turn once. Objects that no
/// Felix here uses are left out: node.NAME of a node that does not exist, other names before
/// Calico 3.32, objects that Felix's client cannot use.
[[nodiscard]] std::vector<FelixConfigurationChange> changes_to_false(const ClusterFacts& facts);

/// Does it hold for nodes by itself (default, node.NAME), without a selector that may match none?
[[nodiscard]] bool holds_by_name(const std::string& name);

}  // namespace catflap
