// What close and undo say when they leave a rollout behind: the DaemonSet controller goes on
// without us. Private to src/act.
#pragma once

#include <string>
#include <vector>

#include "act/wait.hpp"

namespace catflap::act {

/// Nodes that will still restart without us. Under OnDelete nothing restarts by itself.
[[nodiscard]] int still_restarting(const std::vector<Rollout>& rollouts);

/// kubectl has no `rollout pause` for DaemonSets; the strategy OnDelete is what stops one where it
/// is.
[[nodiscard]] std::vector<std::string> freeze_commands(const std::vector<Rollout>& rollouts);

/// And lets it go on.
[[nodiscard]] std::vector<std::string> thaw_commands(const std::vector<Rollout>& rollouts);

}  // namespace catflap::act
