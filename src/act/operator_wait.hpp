// Waiting for the tigera operator. It renders its DaemonSets anew some seconds after a change of
// what it reads; only then is there a rollout to wait for.
#pragma once

#include <vector>

#include "act/wait.hpp"

namespace catflap::act {

struct OperatedSet {
  DaemonSetRef ref;
  std::string container;  // Felix's
};

/// The DaemonSets of the facts that the operator renders and that are in scope.
[[nodiscard]] std::vector<OperatedSet> operated_sets(const ClusterFacts& facts);

/// The rollouts of the other DaemonSets: a strategy that is changed by hand to stop one stays.
[[nodiscard]] std::vector<Rollout> not_operated(std::vector<Rollout> rollouts,
                                                const std::vector<OperatedSet>& sets);

enum class RenderGoal {
  off,           // no environment that switches the endpoint on
  as_installed,  // what the Installations say by now
};

struct RenderWait {
  RenderGoal goal = RenderGoal::off;
  SteadyPoint deadline{};  // it waits a minute at most anyway
  KeepAlive keep_alive;
  OnRollouts progress;  // once, and when the reason changes
};

/// Empty: all are rendered. Else one rollout for each that is not, ended as time_up and without
/// nodes; waiting_for says why, one reason each. Errors: interrupted, a DaemonSet that does not
/// exist, an error of keep_alive.
[[nodiscard]] Result<std::vector<Rollout>> wait_rendered(const Context& context,
                                                         const std::vector<OperatedSet>& sets,
                                                         const RenderWait& wait);

}  // namespace catflap::act
