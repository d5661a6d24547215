// The vantage points, one adapter each behind one signature. Private to src/look.
#pragma once

#include "look/look.hpp"

namespace catflap::look {

/// The node's ports of `options`, or those of ports_of().
[[nodiscard]] std::vector<Port> ports_to_ask(const ClusterFacts& facts, const LookOptions& options,
                                             const std::string& node);

/// Observations only: reached, controls, inside and skipped of the result are used. An adapter that
/// is stopped returns what it has.
using RunVantage = Look (*)(const LookContext& context, const ClusterFacts& facts,
                            const LookOptions& options);

/// From this machine, over the network.
[[nodiscard]] Look look_direct(const LookContext& context, const ClusterFacts& facts,
                               const LookOptions& options);

/// The pods that look_apiserver asks: one a node's address, the one that lives if there are
/// several.
[[nodiscard]] std::vector<const PodFacts*> pods_to_proxy(const ClusterFacts& facts);

/// From the API server, which hands requests on to the pods (pods/proxy). It asks one address of
/// each node, that of its Felix pod, and no loopback address.
[[nodiscard]] Look look_apiserver(const LookContext& context, const ClusterFacts& facts,
                                  const LookOptions& options);

/// The pods whose ports look_portforward has forwarded.
[[nodiscard]] std::vector<const PodFacts*> pods_to_forward(const ClusterFacts& facts);

/// From each node's own loopback, over forwarded ports of its Felix pods (pods/portforward). It
/// passes no control and gives no basis; it finds what outsiders do not see.
[[nodiscard]] Look look_portforward(const LookContext& context, const ClusterFacts& facts,
                                    const LookOptions& options);

/// From inside a pod of the user's; `vantage` is its word in --from, and stays the vantage point's
/// name.
[[nodiscard]] Look look_pod(const LookContext& context, const ClusterFacts& facts,
                            const LookOptions& options, const std::string& vantage);

/// The namespace of the Jobs.
[[nodiscard]] std::string agent_namespace(const ClusterFacts& facts, const AgentVantageName& name);

/// From Jobs of catflap's own, on the nodes' network and in the pods'.
[[nodiscard]] Look look_agent(const LookContext& context, const ClusterFacts& facts,
                              const LookOptions& options, const std::string& vantage);

/// How many of them a look makes.
struct AgentJobCount {
  std::size_t on_nodes = 0;
  std::size_t in_pod_network = 0;
};
[[nodiscard]] AgentJobCount count_agent_jobs(const ClusterFacts& facts);

/// From inside each running Felix container.
[[nodiscard]] Look look_exec(const LookContext& context, const ClusterFacts& facts,
                             const LookOptions& options);

}  // namespace catflap::look
