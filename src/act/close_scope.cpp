#include "act/close_scope.hpp"

#include "core/plan/tigera_operator.hpp"

namespace catflap::act {

std::set<DaemonSetRef> CloseScope::rolled_by(const Target& target) const {
  std::set<DaemonSetRef> refs;
  if (target.kind == "DaemonSet") refs.insert({target.namespace_, target.name});
  if (target.kind == "Installation")
    for (const auto& set : operated_) refs.insert(set.ref);
  return refs;
}

std::set<DaemonSetRef> CloseScope::rolling_already() const {
  std::set<DaemonSetRef> refs;
  for (const auto& set : operated_)
    if (!is_rendered(facts_of(set.ref)->object, set.container, nullptr)) refs.insert(set.ref);
  for (const auto& pod : input_.facts.pods) {
    const DaemonSetRef ref{pod.namespace_, pod.daemon_set};
    const auto* set = facts_of(ref);
    const bool in_scope = set == nullptr || set->in_scope;
    // Under OnDelete somebody else's change waits for people; there is nothing to wait for here.
    if (pod.stale && !pod.daemon_set.empty() && in_scope && !is_on_delete(ref)) refs.insert(ref);
  }
  return refs;
}

std::set<std::string> CloseScope::nodes_to_restart(const Target& target,
                                                   const DaemonSetRef& ref) const {
  std::set<std::string> nodes;
  for (const auto& step : input_.plan.steps)
    if (step.change.target == target && step.restart == Restart::rolling)
      nodes.insert(step.nodes.begin(), step.nodes.end());
  for (const auto& pod : input_.facts.pods)
    if (pod.stale && pod.namespace_ == ref.namespace_ && pod.daemon_set == ref.name)
      nodes.insert(pod.node);
  return nodes;
}

bool CloseScope::is_on_delete(const DaemonSetRef& ref) const {
  const auto* set = facts_of(ref);
  return set != nullptr && set->on_delete;
}

const DaemonSetFacts* CloseScope::facts_of(const DaemonSetRef& ref) const {
  for (const auto& set : input_.facts.daemon_sets)
    if (set.namespace_ == ref.namespace_ && set.name == ref.name) return &set;
  return nullptr;
}

}  // namespace catflap::act
