// The part of a plan that is about the DaemonSets of the tigera operator: never the objects
// themselves, but what it renders them from.
#pragma once

#include <vector>

#include "core/plan/plan.hpp"
#include "core/plan/situation.hpp"

namespace catflap {

struct OperatedPart {
  /// At the Installations. They come last in the plan: until they are rendered the environment
  /// hides the FelixConfigurations.
  std::vector<Step> steps;
  bool refused = false;  // it must not, or cannot, be done: no step of the plan is worth showing
};

/// Adds to `plan` what stands against it and what to know. Nothing if no DaemonSet of the operator
/// needs to be closed.
[[nodiscard]] OperatedPart plan_operated(Plan& plan, const std::vector<Situation>& situations,
                                         const ClusterFacts& facts, const PlanOptions& options);

}  // namespace catflap
