#include "act/teardown.hpp"

#include <fmt/format.h>

namespace catflap::act {

namespace {

bool goes_on(const Rollout& rollout) {
  return !rollout.complete && !rollout.on_delete;
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
  for (const auto& rollout : rollouts) {
    if (!goes_on(rollout)) continue;
    commands.push_back(fmt::format(
        "kubectl -n {} patch daemonset {} --type merge -p "
        "'{{\"spec\":{{\"updateStrategy\":{{\"type\":\"OnDelete\",\"rollingUpdate\":null}}}}}}'",
        rollout.daemon_set.namespace_, rollout.daemon_set.name));
  }
  return commands;
}

}  // namespace catflap::act
