// What the agent does on a node and how its answer is read. There are two: catflap itself, from an
// image of its own (`catflap agent`), and shell scripts in the calico-node image that every node
// has. Both say the same; neither is believed before its answer is bound to the node.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/cluster.hpp"
#include "core/model/observation.hpp"
#include "look/asks.hpp"

namespace catflap::look {

enum class AgentKind { shell, catflap };

/// The words of a container that looks inside its node.
[[nodiscard]] std::vector<std::string> agent_look(AgentKind kind, const std::string& nonce);

/// What it printed, as a look inside that node; vantage, node, pod_uid and at are the caller's. An
/// answer without the machine-id and boot-id that the API server knows of the node is none
/// (agent-other-node). `received`: by the API server's clock.
[[nodiscard]] InsideLook read_agent_look(AgentKind kind, std::string_view log,
                                         const std::string& nonce, const NodeFacts& node,
                                         TimePoint received);

/// The words of a container that asks endpoints.
[[nodiscard]] std::vector<std::string> agent_asks(AgentKind kind, const std::string& nonce,
                                                  std::span<const Ask* const> asks);

/// What it printed into the reaches, one an ask. False: its image cannot ask.
[[nodiscard]] bool read_agent_asks(AgentKind kind, std::string_view log, const std::string& nonce,
                                   std::span<Reach> reaches);

/// Of `catflap agent`: what an endpoint said, as read_agent_asks reads it.
[[nodiscard]] std::string agent_section(const std::string& nonce, std::size_t id,
                                        const Reach& reach);
/// What stands before the first of them.
[[nodiscard]] std::string agent_opening(const std::string& nonce);

}  // namespace catflap::look
