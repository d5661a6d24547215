#include "act/teardown.hpp"

#include <fmt/format.h>

namespace catflap::act {

namespace {

bool goes_on(const Rollout& rollout) {
  return !rollout.complete && !rollout.on_delete;
}

/// A merge patch of the type alone: rollingUpdate stays as it is, and with it maxUnavailable (K:
/// ValidateDaemonSetUpdateStrategy does not look at it under OnDelete).
std::string strategy_command(const DaemonSetRef& ref, const char* type) {
  return fmt::format(
      "kubectl -n {} patch daemonset {} --type merge -p "
      "'{{\"spec\":{{\"updateStrategy\":{{\"type\":\"{}\"}}}}}}'",
      ref.namespace_, ref.name, type);
}

}  // namespace

int still_restarting(const std::vector<Rollout>& rollouts) {
  int nodes = 0;
  for (const auto& rollout : rollouts) {
    if (!goes_on(rollout)) continue;
    for (const auto& node : rollout.nodes)
      // A node whose new pod is being made has restarted already.
      if (node.state == NodeState::not_started || node.state == NodeState::terminating ||
          node.state == NodeState::node_not_ready)
        ++nodes;
  }
  return nodes;
}

std::vector<std::string> freeze_commands(const std::vector<Rollout>& rollouts) {
  std::vector<std::string> commands;
  for (const auto& rollout : rollouts)
    if (goes_on(rollout)) commands.push_back(strategy_command(rollout.daemon_set, "OnDelete"));
  return commands;
}

std::vector<std::string> thaw_commands(const std::vector<Rollout>& rollouts) {
  std::vector<std::string> commands;
  for (const auto& rollout : rollouts)
    if (goes_on(rollout)) commands.push_back(strategy_command(rollout.daemon_set, "RollingUpdate"));
  return commands;
}

}  // namespace catflap::act
