// look: one pass over the nodes through every vantage point asked for. Adapters live in
// vantage_*.cpp, one each, behind the same signature: facts, a deadline and a concurrency budget
// in, observations out.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "core/model/cluster.hpp"
#include "core/model/observation.hpp"
#include "kube/api.hpp"
#include "net/probe.hpp"

namespace catflap::look {

using ProbeFunction =
    std::function<std::vector<Reach>(std::span<const net::Target>, const net::ProbeOptions&)>;

struct LookContext {
  kube::Api& api;
  const Clock& clock;
  ProbeFunction probe;  // net::probe, or a fake
  std::stop_token stop;
  std::function<void(const std::string& vantage, std::size_t done, std::size_t total)>
      progress;  // may be empty
};

struct LookOptions {
  std::vector<std::string> vantages{"direct", "exec"};
  net::ProbeOptions probe;
  Duration exec_timeout{std::chrono::seconds{15}};
  std::size_t exec_parallel = 16;
  Duration proxy_timeout{std::chrono::seconds{8}};  // of one request through the API server
  std::string agent_image;          // catflap's own; "": the calico-node image on each node
  std::size_t agent_parallel = 64;  // Jobs at once
  /// By node: if there are any, these ports are asked and no others.
  std::map<std::string, std::set<Port>> only;
};

/// The ports asked for at a node: every declared one of its Felix pods (if it is not 0) and 9091.
[[nodiscard]] std::vector<Port> ports_of(const ClusterFacts& facts, const std::string& node);

/// The names that --from takes, beside pod/NAMESPACE/NAME[/CONTAINER] and agent[/NAMESPACE].
[[nodiscard]] std::vector<std::string> vantage_names();

/// The user's own pod, as a vantage point.
struct PodVantageName {
  std::string namespace_;
  std::string name;
  std::string container;  // empty: the pod's default
};
/// Of "pod/NAMESPACE/NAME[/CONTAINER]"; nothing: it is none.
[[nodiscard]] std::optional<PodVantageName> parse_pod_vantage(std::string_view word);

/// Where catflap's own Jobs run.
struct AgentVantageName {
  std::string namespace_;  // empty: where Felix's DaemonSet is
};
/// Of "agent[/NAMESPACE]"; nothing: it is none.
[[nodiscard]] std::optional<AgentVantageName> parse_agent_vantage(std::string_view word);

/// What such a look will do in the cluster and on its nodes, one clause a vantage point: "inside 3
/// Felix containers (exec: one command that only reads)".
[[nodiscard]] std::vector<std::string> footprint(const ClusterFacts& facts,
                                                 const LookOptions& options);

/// Where a look inside finds Felix at a port that no setting tells of (a random one, or of settings
/// that could not be read), that port is asked from outside, too.
[[nodiscard]] Result<Look> look(const LookContext& context, const ClusterFacts& facts,
                                const LookOptions& options);

}  // namespace catflap::look
