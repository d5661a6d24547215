#include "core/plan/owned.hpp"

#include "core/plan/felixconfiguration_changes.hpp"
#include "core/plan/tigera_operator.hpp"

namespace catflap {

std::vector<OwnedObject> owned_objects(const ClusterFacts& facts) {
  std::vector<OwnedObject> all;
  for (const DaemonSetFacts& set : facts.daemon_sets)
    all.push_back({"DaemonSet " + set.namespace_ + "/" + set.name, owners_of(set.object, facts)});
  const auto add_owned = [&](const json::object& object, std::string name) {
    auto owners = owners_of(object, facts);
    if (!owners.empty()) all.push_back({std::move(name), std::move(owners)});
  };
  for (const auto& change : changes_to_false(facts))
    if (change.last_of_object) add_owned(*change.object, "FelixConfiguration " + change.name);
  if (facts.tigera_operator)
    for (const auto& [object, change] : changes_to_absent(*facts.tigera_operator))
      add_owned(*object, "Installation " + change.target.name);
  return all;
}

}  // namespace catflap
