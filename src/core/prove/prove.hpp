// prove: from facts and looks to a verdict per node. The only place that says "closed"; the table
// is in docs/verdicts.md.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/model/verdict.hpp"

namespace catflap {

enum class Purpose {
  diagnose,  // one look is enough, and said so
  verify,    // close and verify: two looks at least `settle` apart
};

struct ProveInput {
  const ClusterFacts* facts = nullptr;  // as read with the last look
  std::vector<Look> looks;              // oldest first
  std::vector<Reach> before;            // answers with felix_host recorded before the change
  Policy policy;
  Purpose purpose = Purpose::diagnose;
  Duration settle{std::chrono::seconds{10}};
  TimePoint now{};
  std::string owner_cycle;  // how soon an owner would write back ("5m"), "" if nobody does
  std::optional<Duration>
      owner_cycle_length;  // none: not a matter of time (e.g. at the next kubectl apply)
  std::vector<std::string>
      known_nodes;  // counted when the run started: for joined and left; empty: no comparison
};

[[nodiscard]] ClusterVerdict prove(const ProveInput& input);

/// Did a Felix start, a pod begin to end, or a FelixConfiguration change within the last minute of
/// `now`? Then one look may meet a restart, and proves nothing.
[[nodiscard]] bool changed_lately(const ClusterFacts& facts, TimePoint now);

/// The exit code of diagnose, close and verify (docs/verdicts.md): 0, 1 or 3.
[[nodiscard]] int exit_code(const ClusterVerdict& verdict);

}  // namespace catflap
