// What a pod of catflap's agent prints on a node of the embedded cluster.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/inside.hpp"

namespace catflap::sim {

/// The node that the pod runs on, and what there is to see from it.
struct AgentScene {
  InsideState inside;
  const json::object& node;
  const Sockets& sockets;
  std::vector<std::string> nodes;
};

/// The log of that pod; "": its container does nothing that is known here. The node's annotation
/// sim.catflap.dev/agent spoils the answer: "garbage", "cut", "other-node".
[[nodiscard]] std::string agent_log(const json::object& pod, const AgentScene& scene);

}  // namespace catflap::sim
