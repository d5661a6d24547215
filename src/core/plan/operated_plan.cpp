#include "core/plan/operated_plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/plan/by_hand.hpp"
#include "core/plan/effects.hpp"
#include "core/plan/owner.hpp"
#include "core/plan/ownership.hpp"
#include "core/plan/tigera_operator.hpp"
#include "core/resolve/values.hpp"

namespace catflap {
namespace {

class OperatedPlanner {
 public:
  OperatedPlanner(Plan& plan, const std::vector<Situation>& situations, const ClusterFacts& facts,
                  const PlanOptions& options)
      : plan_(plan), facts_(facts), options_(options) {
    for (const Situation& s : situations)
      if (s.operated && s.needs_env) operated_.push_back(&s);
  }

  OperatedPart run() {
    if (operated_.empty()) return {};
    judge_all();
    if (refused_) return {.refused = true};
    return {.steps = steps()};
  }

 private:
  void judge_all() {
    if (!facts_.tigera_operator || !facts_.tigera_operator->installations_state.readable) {
      Message message{"CF0061", {}};
      if (facts_.tigera_operator)
        message.params["why"] = facts_.tigera_operator->installations_state.why;
      return refuse(std::move(message));
    }
    if (!facts_.felix_configurations_state.readable)
      refuse({"CF0037", {{"why", facts_.felix_configurations_state.why}}});
    changes_ = changes_to_absent(*facts_.tigera_operator);
    for (const Situation* s : operated_) judge(*s);
    for (const auto& change : changes_) judge_owners(change);
  }

  void refuse(Message message, std::vector<std::string> remedy = {}) {
    plan_.refusals.push_back({std::move(message), std::move(remedy)});
    refused_ = true;
  }

  void judge(const Situation& s) {
    const std::string name = name_of(*s.daemon_set);
    for (const Owner& owner : owners_of(s.daemon_set->object))
      if (owner.name == kTigeraOperator)
        plan_.findings.push_back(owner_finding(owner, "DaemonSet " + name));
    if (const auto layer = out_of_reach(s); !layer.empty()) {
      return refuse({"CF0066", {{"daemonset", name}, {"layer", layer}}});
    }
    const bool port_set = !changes_.empty();
    if (s.env == EnvSays::undecided && !port_set) {
      return refuse({"plan-cannot-tell",
                     {{"what", name}, {"why", s.daemon_set->template_declared.enabled.why}}});
    }
    auto trouble = operator_trouble(*facts_.tigera_operator, s.daemon_set->object);
    if (trouble.empty() && s.env == EnvSays::on && !port_set)
      trouble = "its Installations do not set nodeMetricsPort any more, and it still renders it";
    const bool waits = port_set || s.env == EnvSays::on;
    if (waits && !trouble.empty())
      plan_.warnings.push_back({"CF0063", {{"daemonset", name}, {"why", trouble}}});
    if (s.env == EnvSays::nothing && port_set)
      plan_.findings.push_back(
          {"CF0065",
           {{"daemonset", name}, {"port", port_words(effective_port(*facts_.tigera_operator))}}});
    if (rolls(s)) judge_pending(s);
  }

  /// What neither an Installation nor a FelixConfiguration outranks.
  [[nodiscard]] static std::string out_of_reach(const Situation& s) {
    if (!s.build_node.empty()) return "the build";
    const bool file = std::ranges::any_of(s.pods, [](const PodFacts* pod) {
      const auto& enabled = pod->declared.enabled;
      if (stays_open(*pod) && enabled.layer == Layer::file) return true;
      return std::ranges::any_of(enabled.masked, [](const Masked& masked) {
        return masked.layer == Layer::file && parse_felix_bool(masked.raw).value_or(false);
      });
    });
    return file ? "felix.cfg" : "";
  }

  [[nodiscard]] bool rolls(const Situation& s) const {
    return !changes_.empty() && s.env != EnvSays::nothing;
  }

  /// The operator rolls out by itself; what our change would be rolled out with is still named.
  void judge_pending(const Situation& s) {
    const auto& own = options_.own_pending;
    if (!s.pending || std::ranges::find(own, s.daemon_set->uid) != own.end()) return;
    const int older = s.stale > 0 ? s.stale : static_cast<int>(s.pods.size());
    Message message{"CF0028",
                    {{"daemonset", name_of(*s.daemon_set)}, {"count", std::to_string(older)}}};
    if (options_.include_pending) {
      plan_.warnings.push_back(std::move(message));
      return;
    }
    plan_.refusals.push_back({std::move(message),
                              {"catflap wait " + shell_word(name_of(*s.daemon_set)),
                               "catflap close --include-pending"}});
  }

  void judge_owners(const InstallationChange& change) {
    const Ownership owners =
        ownership_of(*change.object, "Installation " + change.change.target.name,
                     facts_.surroundings, options_.override_owner);
    std::ranges::copy(owners.findings, std::back_inserter(plan_.findings));
    std::ranges::copy(owners.warnings, std::back_inserter(plan_.warnings));
    for (const Message& message : owners.refusals) refuse(message, remedy_lines_of(message));
  }

  [[nodiscard]] std::vector<Step> steps() {
    std::vector<std::string> nodes;
    for (const Situation* s : operated_) {
      if (!rolls(*s)) continue;
      std::ranges::copy(nodes_of(s->pods), std::back_inserter(nodes));
      warn_of_rollout(plan_, *s, facts_);
    }
    std::ranges::sort(nodes);
    nodes.erase(std::ranges::unique(nodes).begin(), nodes.end());
    std::vector<Step> made;
    for (const auto& [object, change] : changes_) {
      Step step;
      step.id = "disable-installation-" + change.target.name;
      step.change = change;
      step.title = {"plan-disable-installation", {{"name", change.target.name}}};
      step.by_hand = by_hand_installation(change.target);
      const bool counts = &change == &changes_.back().change;
      if (counts && !nodes.empty()) {
        step.restart = Restart::rolling;
        step.nodes = nodes;
      }
      made.push_back(std::move(step));
    }
    return made;
  }

  Plan& plan_;
  const ClusterFacts& facts_;
  const PlanOptions& options_;
  std::vector<const Situation*> operated_;
  std::vector<InstallationChange> changes_;
  bool refused_ = false;
};

}  // namespace

OperatedPart plan_operated(Plan& plan, const std::vector<Situation>& situations,
                           const ClusterFacts& facts, const PlanOptions& options) {
  return OperatedPlanner{plan, situations, facts, options}.run();
}

}  // namespace catflap
