// What the owners of an object mean for a plan that would write it.
#pragma once

#include <string>
#include <vector>

#include "core/model/cluster.hpp"
#include "core/model/plan.hpp"

namespace catflap {

struct Ownership {
  std::vector<Message> findings;  // it comes back some day
  std::vector<Message> warnings;  // it comes back now, and somebody insists (--override-owner)
  std::vector<Message> refusals;  // it comes back now
};

/// `object_name`: "DaemonSet kube-system/calico-node".
[[nodiscard]] Ownership ownership_of(const json::object& object, const std::string& object_name,
                                     const Surroundings& surroundings, bool override_owner);

/// What to do about it, ready to paste; empty: nothing is, and the finding says in words what to
/// do.
[[nodiscard]] std::vector<std::string> remedy_lines_of(const Message& owner_finding);

}  // namespace catflap
