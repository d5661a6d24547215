// make_plan: which writes close the endpoint, in the order of fewest restarts, or why catflap
// declines.
#pragma once

#include <string>
#include <vector>

#include "core/model/plan.hpp"
#include "core/model/verdict.hpp"

namespace catflap {

struct PlanOptions {
  bool in_place = false;         // FelixConfiguration only; every Felix restarts at once
  bool include_pending = false;  // roll out somebody else's waiting change with ours
  bool override_owner = false;   // write although the owner would write back
  /// UIDs of DaemonSets whose waiting change an unfinished run of catflap made: theirs is ours to
  /// go on with.
  std::vector<std::string> own_pending;
};

/// `now` is the verdict of a look made just before: it decides whether `build` enables the
/// endpoint. The steps are to be done in order, and after a rolling one the next waits until its
/// rollout is done: a lower layer changed under a pod that is still to be replaced would start its
/// Felix twice. A plan with refusals must not be carried out; its steps, if any, show what would be
/// done otherwise. No steps and no refusals: nothing to write, which is not a proof (core/prove).
[[nodiscard]] Plan make_plan(const ClusterFacts& facts, const ClusterVerdict& now,
                             const PlanOptions& options);

/// One line per step for tests and `plan -o name`.
[[nodiscard]] std::string dump(const Plan& plan);

}  // namespace catflap
