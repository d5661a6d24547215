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
};

/// `now` is the verdict of a look made just before: it decides whether `build` enables the
/// endpoint.
[[nodiscard]] Plan make_plan(const ClusterFacts& facts, const ClusterVerdict& now,
                             const PlanOptions& options);

/// One line per step for tests and `plan -o name`.
[[nodiscard]] std::string dump(const Plan& plan);

}  // namespace catflap
