// make_plan in four parts: which DaemonSets need the environment, which FelixConfigurations say
// true, in which order they are written, and what stands against it. The order keeps each Felix to
// one start: a layer is changed while a higher one hides it wherever that is possible.
#include "core/plan/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/diagnose/consumers.hpp"
#include "core/diagnose/findings.hpp"
#include "core/plan/by_hand.hpp"
#include "core/plan/effects.hpp"
#include "core/plan/env_edit.hpp"
#include "core/plan/felixconfiguration_changes.hpp"
#include "core/plan/migration.hpp"
#include "core/plan/operated_plan.hpp"
#include "core/plan/ownership.hpp"
#include "core/plan/situation.hpp"
#include "core/plan/tigera_operator.hpp"

namespace catflap {
namespace {

/// When a DaemonSet's environment is written: before the FelixConfigurations if they would restart
/// its Felixes in place, after them if its own environment hides them.
enum class EnvTurn { before_felixconfigurations, after_felixconfigurations };

EnvTurn turn_of(const Situation& s) {
  const bool hidden = s.env == EnvSays::on && std::ranges::all_of(s.pods, [](const PodFacts* pod) {
                        return pod->declared.enabled.layer == Layer::env;
                      });
  return hidden ? EnvTurn::after_felixconfigurations : EnvTurn::before_felixconfigurations;
}

class Planner {
 public:
  Planner(const ClusterFacts& facts, const ClusterVerdict& now, const PlanOptions& options)
      : facts_(facts), options_(options), situations_(situations(facts, now)) {}

  Plan run() {
    if (situations_.empty()) {
      plan_.findings.push_back(none_found(facts_));
      return finish();
    }
    for (const Situation& s : situations_) judge(s);
    if (options_.in_place) {
      write_felixconfigurations();
    } else {
      OperatedPart operated = plan_operated(plan_, situations_, facts_, options_);
      owner_refuses_ = owner_refuses_ || operated.refused;
      write_env(EnvTurn::before_felixconfigurations);
      write_felixconfigurations();
      write_env(EnvTurn::after_felixconfigurations);
      std::ranges::move(operated.steps, std::back_inserter(plan_.steps));
    }
    say_what_is_left();
    return finish();
  }

 private:
  [[nodiscard]] bool writes_env_of(const Situation& s) const {
    return s.changes_env() && !options_.in_place;
  }

  void refuse(Message message, std::vector<std::string> remedy) {
    plan_.refusals.push_back({std::move(message), std::move(remedy)});
  }

  void judge(const Situation& s) {
    if (!s.needs_env) return;
    if (options_.in_place) return judge_in_place(s);
    if (s.operated) return;  // plan_operated does
    if (!s.edit) {
      refuse(
          {"plan-cannot-tell",
           {{"what", name_of(*s.daemon_set)},
            {"why", "its container " + s.daemon_set->felix_container + " is not in the template"}}},
          {});
    }
    if (s.changes_env()) {
      judge_owners(s);
      judge_pending(s);
    }
    if (s.env == EnvSays::undecided) {
      plan_.warnings.push_back({"plan-cannot-tell",
                                {{"what", name_of(*s.daemon_set)},
                                 {"why", s.daemon_set->template_declared.enabled.why}}});
    }
    if (!s.build_node.empty()) plan_.findings.push_back({"CF0041", {{"node", s.build_node}}});
  }

  /// Only a FelixConfiguration may stand behind an open endpoint, or changing them closes nothing.
  void judge_in_place(const Situation& s) {
    std::string other;
    if (s.env != EnvSays::nothing) other = "the environment";
    for (const PodFacts* pod : s.pods) {
      const auto& enabled = pod->declared.enabled;
      if (!stays_open(*pod) || is_felixconfiguration(enabled.layer)) continue;
      other = enabled.layer == Layer::file ? "felix.cfg" : "the environment";
    }
    if (!facts_.felix_configurations_state.readable) {
      other = "a FelixConfiguration that cannot be read";
    }
    if (!s.build_node.empty()) other = "the build";
    if (s.operated && facts_.tigera_operator && !effective_port(*facts_.tigera_operator).is_null())
      other = "an Installation";
    if (other.empty()) return;
    refuse({"plan-in-place-impossible", {{"daemonset", name_of(*s.daemon_set)}, {"layer", other}}},
           {"catflap close"});
  }

  void judge_owners(const Situation& s) {
    const Ownership owners =
        ask_owners(s.daemon_set->object, "DaemonSet " + name_of(*s.daemon_set));
    owner_refuses_ = owner_refuses_ || !owners.refusals.empty();
    for (const Message& message : owners.refusals) refuse(message, remedy_lines_of(message));
  }

  /// What does not stand against writing the object is said.
  Ownership ask_owners(const json::object& object, const std::string& name) {
    Ownership owners = ownership_of(object, name, facts_.surroundings, options_.override_owner);
    std::ranges::copy(owners.findings, std::back_inserter(plan_.findings));
    std::ranges::copy(owners.warnings, std::back_inserter(plan_.warnings));
    return owners;
  }

  void judge_pending(const Situation& s) {
    const auto& own = options_.own_pending;
    if (!s.pending || std::ranges::find(own, s.daemon_set->uid) != own.end()) return;
    const std::string name = name_of(*s.daemon_set);
    const int older = s.stale > 0 ? s.stale : static_cast<int>(s.pods.size());
    Message message{"CF0028", {{"daemonset", name}, {"count", std::to_string(older)}}};
    if (options_.include_pending) {
      plan_.warnings.push_back(std::move(message));
      return;
    }
    const std::string kubectl = "kubectl -n " + shell_word(s.daemon_set->namespace_) + " rollout ";
    const std::string target = shell_word("ds/" + s.daemon_set->name);
    refuse(std::move(message), {kubectl + "history " + target, kubectl + "undo " + target,
                                "catflap close --include-pending"});
  }

  void write_env(EnvTurn turn) {
    for (const Situation& s : situations_) {
      if (s.changes_env() && turn_of(s) == turn) add_env_step(s);
    }
  }

  void add_env_step(const Situation& s) {
    const auto& daemon_set = *s.daemon_set;
    const EnvEdit& edit = *s.edit;
    Step step;
    // One DaemonSet is the rule, and its step keeps the short name.
    step.id = situations_.size() == 1
                  ? "disable-env"
                  : fmt::format("disable-env-{}-{}", daemon_set.namespace_, daemon_set.name);
    step.change.target = {.api_version = "apps/v1",
                          .kind = "DaemonSet",
                          .namespace_ = daemon_set.namespace_,
                          .name = daemon_set.name,
                          .uid = daemon_set.uid,
                          .container = daemon_set.felix_container,
                          .field = "env"};
    step.change.resource_version = daemon_set.resource_version;
    step.by_hand = by_hand_env(step.change.target, edit);
    step.title = {"plan-disable-env",
                  {{"name", fmt::format("{}", fmt::join(edit.set, ", "))},
                   {"container", daemon_set.felix_container},
                   {"daemonset", name_of(daemon_set)}}};
    step.change.before = edit.before;
    step.change.after = edit.after;
    step.restart = Restart::rolling;
    step.nodes = nodes_of(s.pods);
    if (edit.set.size() > 1) {
      plan_.warnings.push_back({"plan-envfrom-variants",
                                {{"object", "envFrom of " + name_of(daemon_set)},
                                 {"names", step.title.params.at("name")}}});
    }
    warn_of_rollout(plan_, s, facts_);
    plan_.steps.push_back(std::move(step));
  }

  /// Written only together with something that needs it: with an environment to be closed, or where
  /// they alone decide.
  [[nodiscard]] bool felixconfigurations_matter(
      const std::vector<FelixConfigurationChange>& changes) const {
    const bool any_open = std::ranges::any_of(
        situations_, [](const Situation& s) { return !s.windows && s.env != EnvSays::off; });
    const bool any_need =
        std::ranges::any_of(situations_, [](const Situation& s) { return s.needs_env; });
    return any_open && (any_need || std::ranges::any_of(changes, [](const auto& change) {
                          return holds_by_name(change.name);
                        }));
  }

  void write_felixconfigurations() {
    const auto changes = changes_to_false(facts_);
    if (!felixconfigurations_matter(changes)) return;
    std::set<std::string> kept;
    for (const auto& change : changes) {
      if (!may_write(change, kept)) continue;
      Step step;
      step.id = change.annotation.empty()
                    ? "disable-felixconfiguration-" + change.name
                    : fmt::format("disable-annotation-{}-{}", change.name,
                                  change.annotation.substr(change.annotation.rfind('/') + 1));
      step.title = change.annotation.empty()
                       ? Message{"plan-disable-felixconfiguration", {{"name", change.name}}}
                       : Message{"plan-disable-annotation",
                                 {{"name", change.name}, {"key", change.annotation}}};
      step.change = change.change;
      step.nodes = restarted_by(change);
      step.restart = step.nodes.empty() ? Restart::none : Restart::in_place;
      step.by_hand = by_hand_felixconfiguration(change.change.target, change.change.after);
      if (step.restart == Restart::in_place) restarts_in_place_ = true;
      plan_.steps.push_back(std::move(step));
    }
    if (restarts_in_place_) plan_.warnings.push_back({"plan-in-place-restarts", {}});
  }

  /// The object's owner is asked once; one that would write it back keeps it, unless nothing else
  /// closes the port.
  bool may_write(const FelixConfigurationChange& change, std::set<std::string>& kept) {
    if (kept.contains(change.name)) return false;
    if (!asked_.insert(change.name).second) return true;
    const Ownership owners = ask_owners(*change.object, "FelixConfiguration " + change.name);
    if (owners.refusals.empty()) return true;
    Message finding = owners.refusals.front();
    finding.params["name"] = change.name;
    kept.insert(change.name);
    if (options_.in_place) finding.code = "refuse-in-place-owner";
    if (options_.in_place || nothing_outranks_them()) {
      auto lines = remedy_lines_of(finding);
      refuse(std::move(finding), std::move(lines));
    } else {
      finding.code = "plan-felixconfiguration-kept";
      plan_.warnings.push_back(std::move(finding));
    }
    return false;
  }

  /// The operator renders no environment that says false.
  [[nodiscard]] bool nothing_outranks_them() const {
    return std::ranges::any_of(situations_,
                               [](const Situation& s) { return s.operated && s.needs_env; });
  }

  /// The nodes whose Felix reads another value once this is written. A pod whose environment the
  /// plan writes first, or hides the object, reads the same as before.
  [[nodiscard]] std::vector<std::string> restarted_by(
      const FelixConfigurationChange& change) const {
    if (!change.last_of_object) return {};
    std::vector<const PodFacts*> restarted;
    for (const PodFacts& pod : facts_.pods) {
      const auto& enabled = pod.declared.enabled;
      if (!is_felixconfiguration(enabled.layer) || enabled.source.name != change.name) continue;
      if (enabled_switch(pod.declared) == Switch::off || covered_by_env(pod)) continue;
      restarted.push_back(&pod);
    }
    return nodes_of(restarted);
  }

  [[nodiscard]] bool covered_by_env(const PodFacts& pod) const {
    return std::ranges::any_of(situations_, [&](const Situation& s) {
      return writes_env_of(s) && turn_of(s) == EnvTurn::before_felixconfigurations &&
             s.daemon_set->namespace_ == pod.namespace_ && s.daemon_set->name == pod.daemon_set;
    });
  }

  void say_what_is_left();
  void say_windows(const Situation& s);
  void offer_in_place();
  void judge_migration();
  Plan finish();

  const ClusterFacts& facts_;
  const PlanOptions& options_;
  std::vector<Situation> situations_;
  Plan plan_;
  std::set<std::string> asked_;  // FelixConfigurations whose owner was looked at
  bool owner_refuses_ = false;
  bool restarts_in_place_ = false;
  bool windows_open_ = false;  // and not ours to close
};

void Planner::say_what_is_left() {
  bool any_need = false;
  for (const Situation& s : situations_) {
    any_need = any_need || s.needs_env;
    if (s.windows) say_windows(s);
    if (s.needs_env || s.windows) continue;
    const std::string name = name_of(*s.daemon_set);
    if (s.stale > 0) {
      plan_.findings.push_back(
          {"CF0029", {{"daemonset", name}, {"count", std::to_string(s.stale)}}});
      if (s.daemon_set->on_delete) plan_.findings.push_back({"CF0027", {{"daemonset", name}}});
    }
    if (s.env != EnvSays::off) continue;
    std::ranges::copy_if(s.daemon_set->template_declared.notes, std::back_inserter(plan_.findings),
                         [](const Message& note) { return note.code == "CF0016"; });
  }
  if (!any_need || nothing_outranks_them()) return;
  if (!facts_.felix_configurations_state.readable) {
    plan_.warnings.push_back({"CF0037", {{"why", facts_.felix_configurations_state.why}}});
  } else if (facts_.calico_api == CalicoApi::none) {
    plan_.warnings.push_back({"CF0052", {}});
  }
  offer_in_place();
}

void Planner::say_windows(const Situation& s) {
  const bool open =
      std::ranges::any_of(s.pods, [](const PodFacts* pod) { return stays_open(*pod); });
  if (!open) return;
  windows_open_ = true;
  plan_.warnings.push_back(
      {"CF0045", {{"nodes", fmt::format("{}", fmt::join(nodes_of(s.pods), ", "))}}});
}

/// Only where fewer Felixes would restart, and only where it closes everything that is open.
void Planner::offer_in_place() {
  if (options_.in_place || !facts_.felix_configurations_state.readable) return;
  int rolling = 0;
  int in_place = 0;
  for (const Situation& s : situations_) {
    if (!s.needs_env) continue;
    if (s.operated) return;
    if (s.env != EnvSays::nothing || !s.build_node.empty()) return;
    rolling += static_cast<int>(s.pods.size());
    for (const PodFacts* pod : s.pods) {
      if (!stays_open(*pod)) continue;
      if (!is_felixconfiguration(pod->declared.enabled.layer)) return;
      ++in_place;
    }
  }
  if (in_place == 0 || in_place >= rolling) return;
  plan_.findings.push_back(
      {"plan-in-place-cheaper",
       {{"inPlace", std::to_string(in_place)}, {"rolling", std::to_string(rolling)}}});
}

/// Calico's own copying of FelixConfigurations would lose what is written meanwhile.
void Planner::judge_migration() {
  auto migration = migration_refusal(facts_);
  if (!migration || plan_.steps.empty()) return;
  if (options_.override_owner) {
    plan_.warnings.push_back(std::move(migration->message));
  } else {
    plan_.refusals.push_back(*std::move(migration));
  }
}

Plan Planner::finish() {
  // What an owner writes back is not even proposed.
  if (owner_refuses_) plan_.steps.clear();
  if (auto shown = namespace_migration(facts_); !plan_.steps.empty() && !shown.empty()) {
    refuse({"CF0064", {{"why", std::move(shown)}}}, {});
    plan_.steps.clear();
  }
  judge_migration();
  describe_effects(plan_, situations_);
  describe_surroundings(plan_, facts_.surroundings);
  const bool rollout_left = std::ranges::any_of(
      plan_.findings, [](const Message& finding) { return finding.code == "CF0029"; });
  const bool needed =
      std::ranges::any_of(situations_, [](const Situation& s) { return s.needs_env; });
  if (plan_.steps.empty() && plan_.refusals.empty() && !needed && !rollout_left && !windows_open_ &&
      !situations_.empty()) {
    plan_.findings.push_back({"plan-nothing-to-do", {}});
  }
  plan_.digest = digest_of(plan_, facts_, options_);
  return std::move(plan_);
}

}  // namespace

Plan make_plan(const ClusterFacts& facts, const ClusterVerdict& now, const PlanOptions& options) {
  return Planner{facts, now, options}.run();
}

}  // namespace catflap
