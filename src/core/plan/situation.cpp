#include "core/plan/situation.hpp"

#include <algorithm>
#include <set>

#include "base/json_read.hpp"
#include "core/plan/tigera_operator.hpp"

namespace catflap {
namespace {

/// Windows has a Felix of its own, with its own environment and start scripts.
bool is_windows(const DaemonSetFacts& daemon_set) {
  return text_at(daemon_set.object,
                 {"spec", "template", "spec", "nodeSelector", "kubernetes.io/os"}) == "windows";
}

std::optional<EnvEdit> edit_of(const DaemonSetFacts& daemon_set) {
  const json::object* container =
      named(array_at(daemon_set.object, {"spec", "template", "spec", "containers"}),
            daemon_set.felix_container);
  if (container == nullptr) return std::nullopt;
  return switch_off_in_env(container->if_contains("env"),
                           daemon_set.template_declared.enabled_from_outside);
}

EnvSays env_of_template(const DaemonSetFacts& daemon_set) {
  const auto& enabled = daemon_set.template_declared.enabled;
  if (enabled.layer != Layer::env) return EnvSays::nothing;
  switch (enabled_switch(daemon_set.template_declared)) {
    case Switch::off:
      return EnvSays::off;
    case Switch::on:
      return EnvSays::on;
    case Switch::undecided:
      return EnvSays::undecided;
  }
  return EnvSays::undecided;
}

/// Felix's own answer, or a verdict that only a listening Felix gets.
bool felix_listens(const NodeVerdict& node) {
  switch (node.verdict) {
    case Verdict::exposed:
    case Verdict::protected_:
    case Verdict::local_only:
    case Verdict::filtered:
      return true;
    default:
      break;
  }
  return std::ranges::any_of(node.reachable, [&](const Reach& reach) {
    return reach.identity == Identity::felix && reach.felix_host == node.name;
  });
}

/// Nothing in the environment and nothing else that is on: then the build itself opened the
/// endpoint. An environment that says off cannot be overruled by the build; what answers there is
/// another Felix, which no write of ours reaches.
std::string built_in(const std::vector<const PodFacts*>& pods, const ClusterVerdict& now) {
  for (const NodeVerdict& node : now.nodes) {
    const bool by_look = node.declared && node.declared->enabled.layer == Layer::build;
    if (!by_look && !felix_listens(node)) continue;
    const bool ours = std::ranges::any_of(pods, [&](const PodFacts* pod) {
      return pod->node == node.name && enabled_switch(pod->declared) == Switch::off &&
             pod->declared.enabled.layer != Layer::env;
    });
    if (ours) return node.name;
  }
  return "";
}

/// Nothing that holds for every node decides: which FelixConfiguration applies depends on the node,
/// which a template does not have. The pods, each on its node, say more, where there are any.
bool template_is_undecided(const DaemonSetFacts& daemon_set,
                           const std::vector<const PodFacts*>& pods) {
  const bool by_node = is_felixconfiguration(daemon_set.template_declared.enabled.layer);
  return enabled_switch(daemon_set.template_declared) == Switch::undecided &&
         (pods.empty() || !by_node);
}

/// A pod of the newest template that is not off after all: one of several spellings may be empty,
/// and then its node's own FelixConfiguration decides there.
bool disagrees(const std::vector<const PodFacts*>& pods) {
  return std::ranges::any_of(pods, [](const PodFacts* pod) {
    return !pod->stale && enabled_switch(pod->declared) != Switch::off;
  });
}

/// An edit that the controller has not seen yet, unless a revision has the very template that the
/// DaemonSet has now: then the edit was of something else, and the pods' hashes tell the rest.
bool may_have_changed(const DaemonSetFacts& daemon_set) {
  return daemon_set.observed_generation < daemon_set.generation && daemon_set.current_hash.empty();
}

Situation situation(const DaemonSetFacts& daemon_set, const ClusterFacts& facts,
                    const ClusterVerdict& now) {
  Situation s{.daemon_set = &daemon_set, .env = env_of_template(daemon_set)};
  for (const PodFacts& pod : facts.pods) {
    if (pod.namespace_ == daemon_set.namespace_ && pod.daemon_set == daemon_set.name) {
      s.pods.push_back(&pod);
    }
  }
  s.operated = is_operated(daemon_set);
  // What the operator reads holds for its Windows DaemonSet too.
  s.windows = is_windows(daemon_set) && !s.operated;
  s.stale = static_cast<int>(
      std::ranges::count_if(s.pods, [](const PodFacts* pod) { return pod->stale; }));
  s.pending = s.stale > 0 || may_have_changed(daemon_set);
  if (s.env == EnvSays::off && disagrees(s.pods)) s.env = EnvSays::undecided;
  if (s.windows || s.env == EnvSays::off) return s;
  s.build_node = built_in(s.pods, now);
  s.needs_env =
      s.env != EnvSays::nothing || !s.build_node.empty() ||
      template_is_undecided(daemon_set, s.pods) ||
      (s.operated && facts.tigera_operator && !effective_port(*facts.tigera_operator).is_null()) ||
      std::ranges::any_of(s.pods, [](const PodFacts* pod) { return stays_open(*pod); });
  if (s.needs_env && !s.operated) s.edit = edit_of(daemon_set);
  return s;
}

}  // namespace

bool is_felixconfiguration(Layer layer) {
  return layer == Layer::fc_node || layer == Layer::fc_selector || layer == Layer::fc_default;
}

bool stays_open(const PodFacts& pod) {
  if (enabled_switch(pod.declared) == Switch::off) return false;
  return !(pod.stale && pod.declared.enabled.layer == Layer::env);
}

std::vector<Situation> situations(const ClusterFacts& facts, const ClusterVerdict& now) {
  std::vector<Situation> all;
  for (const auto& daemon_set : facts.daemon_sets) {
    if (daemon_set.in_scope) all.push_back(situation(daemon_set, facts, now));
  }
  return all;
}

std::string name_of(const DaemonSetFacts& daemon_set) {
  return daemon_set.namespace_ + "/" + daemon_set.name;
}

std::vector<std::string> nodes_of(const std::vector<const PodFacts*>& pods) {
  std::set<std::string> nodes;
  for (const PodFacts* pod : pods) {
    if (!pod->node.empty()) nodes.insert(pod->node);
  }
  return {nodes.begin(), nodes.end()};
}

}  // namespace catflap
