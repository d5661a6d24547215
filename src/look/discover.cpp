// The order of the requests: what the rest is worthless without comes first and ends the run when
// it fails.
#include "look/discover.hpp"

#include <algorithm>
#include <unordered_map>

#include "base/json_read.hpp"
#include "core/plan/tigera_operator.hpp"
#include "look/calico.hpp"
#include "look/discover_pods.hpp"
#include "look/match.hpp"
#include "look/read_daemon_set.hpp"
#include "look/read_node.hpp"
#include "look/tigera_operator.hpp"

namespace catflap::look {
namespace {

Result<void> read_server(kube::Api& api, ClusterFacts& facts) {
  facts.cluster_name = api.info().cluster_name;
  facts.server = api.info().server;
  facts.user = api.info().user_name;
  auto version = api.get_raw("/version");
  if (!version.has_value()) {
    if (ends_the_run(version.error())) return std::move(version).error();
  } else if (const auto* object = version->if_object()) {
    facts.kubernetes_version = text_at(*object, {"gitVersion"});
  }
  const auto kube_system = api.get({.resource = kube::kNamespaces, .name = "kube-system"});
  if (kube_system.has_value()) facts.uid = text_at(*kube_system, {"metadata", "uid"});
  return {};
}

Result<void> list_daemon_sets(kube::Api& api, const std::string& namespace_,
                              std::vector<DaemonSetFacts>& found) {
  std::optional<Error> problem;
  auto listed = api.list(
      {.resource = kube::kDaemonSets, .namespace_ = namespace_},
      [&] {
        found.clear();
        problem.reset();
      },
      [&](json::object&& object) {
        const auto* spec = object_at(object, {"spec", "template", "spec"});
        const auto container = spec != nullptr ? felix_container(*spec) : std::nullopt;
        if (!container) return;
        auto facts = read_daemon_set(std::move(object), *container);
        if (facts.has_value()) {
          found.push_back(std::move(facts).value());
        } else {
          problem = std::move(facts).error();
        }
      });
  if (!listed.has_value()) {
    return std::move(listed).error().with_context("looking for the DaemonSets that run Felix");
  }
  if (problem) return std::move(*problem).with_context("reading a DaemonSet that runs Felix");
  return {};
}

/// Those of the whole cluster: a Felix that nobody asked about may run beside the one that somebody
/// did. Without that right, those of the namespace.
Result<void> read_daemon_sets(kube::Api& api, const std::string& namespace_, ClusterFacts& facts) {
  auto listed = list_daemon_sets(api, "", facts.daemon_sets);
  if (!listed.has_value()) {
    if (namespace_.empty() || listed.error().kind != ErrorKind::not_permitted) return listed;
    facts.daemon_sets_state = {.readable = false, .why = to_string(listed.error())};
    TRY(list_daemon_sets(api, namespace_, facts.daemon_sets));
  }
  facts.scope = namespace_;
  for (auto& daemon_set : facts.daemon_sets) {
    daemon_set.in_scope = namespace_.empty() || daemon_set.namespace_ == namespace_;
    read_revisions(api, daemon_set);
  }
  return {};
}

Result<void> read_nodes(kube::Api& api, std::vector<NodeFacts>& nodes) {
  auto listed = api.list(
      {.resource = kube::kNodes}, [&] { nodes.clear(); },
      [&](json::object&& node) { nodes.push_back(read_node(node)); });
  if (!listed.has_value()) return std::move(listed).error().with_context("reading the nodes");
  return {};
}

/// The pods' own word on their nodes: more addresses, and nodes that joined or left while we read.
void add_what_pods_tell(ClusterFacts& facts) {
  std::unordered_map<std::string, std::size_t> by_name;
  for (std::size_t i = 0; i < facts.nodes.size(); ++i) by_name.emplace(facts.nodes[i].name, i);
  for (const auto& pod : facts.pods) {
    if (pod.node.empty()) continue;
    const auto [node, added] = by_name.emplace(pod.node, facts.nodes.size());
    if (added) {
      facts.nodes.push_back({.name = pod.node, .not_ready_reason = "it was not among the nodes"});
    }
    for (const auto& address : pod.host_ips) {
      add_address(facts.nodes[node->second], address, "HostIP");
    }
  }
}

}  // namespace

Result<ClusterFacts> discover(kube::Api& api, const Clock& clock, const DiscoverOptions& options) {
  ClusterFacts facts;
  facts.read_at = clock.now();
  TRY(read_server(api, facts));
  TRY(read_daemon_sets(api, options.namespace_, facts));
  TRY(read_nodes(api, facts.nodes));
  if (!facts.daemon_sets.empty()) {
    TRY(read_calico(api, facts));
    if (std::ranges::any_of(facts.daemon_sets, is_operated)) {
      TRY_ASSIGN(facts.tigera_operator, read_operator(api));
    }
    TRY(discover_pods(api, facts));
    add_what_pods_tell(facts);
  }
  facts.clock_skew = api.clock_skew();
  return facts;
}

}  // namespace catflap::look
