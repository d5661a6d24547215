// Looking twice, with the settle time between, and again while what keeps a node unknown may pass.
// Private to src/act.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "act/close.hpp"
#include "act/context.hpp"

namespace catflap::act {

struct VerifyLoop {
  const Context& context;
  const CloseInput& input;
  const CloseSeams& seams;
  const CloseOptions& options;
  std::function<Result<void>()> keep_alive;
  bool changed_something = true;  // false: two looks, nothing is about to pass
  SteadyPoint deadline;           // of looking again; the first two looks are always made
  SteadyPoint
      quick_until;  // until then `exposed` may still be the Felix that is about to restart in place
};

/// Fills the outcome's facts, looks and verdict; what there is of them also after an error.
[[nodiscard]] Result<void> verify_until_settled(const VerifyLoop& loop, CloseOutcome& outcome);

/// May another look change the verdict without anybody doing something? With the reason in words.
/// Nodes in `but` are not waited for.
[[nodiscard]] std::optional<std::string> passing_reason(const ClusterVerdict& verdict,
                                                        const std::set<std::string>& but = {});

}  // namespace catflap::act
