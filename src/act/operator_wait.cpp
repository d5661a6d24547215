#include "act/operator_wait.hpp"

#include <algorithm>
#include <optional>

#include "act/pause.hpp"
#include "core/plan/tigera_operator.hpp"
#include "look/tigera_operator.hpp"

namespace catflap::act {

namespace {

// The operator notices within seconds (a watch), and renders all of Calico in a few more.
constexpr Duration kPatience{std::chrono::seconds{60}};
constexpr Duration kPoll{std::chrono::seconds{1}};
constexpr Duration kAskWhy{std::chrono::seconds{10}};

class OperatorWait {
 public:
  OperatorWait(const Context& context, const std::vector<OperatedSet>& sets, const RenderWait& wait)
      : context_(context),
        sets_(sets),
        wait_(wait),
        begun_(context.clock.steady()),
        deadline_(std::min(begun_ + kPatience, wait.deadline)),
        ask_why_(begun_ + kPoll * 2) {}

  Result<std::vector<Rollout>> run() {
    while (true) {
      TRY(look());
      if (waiting_.empty()) return waiting_;
      const auto now = context_.clock.steady();
      const bool time_is_up = now >= deadline_;
      if (time_is_up || now >= ask_why_) {
        ask_why_ = now + kAskWhy;
        say_why();
      }
      if (time_is_up) return end();
      report();
      TRY(pause_for(context_, wait_.keep_alive, std::min(kPoll, deadline_ - now)));
    }
  }

 private:
  /// Which of them are not rendered yet.
  Result<void> look() {
    waiting_.clear();
    const auto installed = read_installed();
    for (const OperatedSet& set : sets_) {
      auto object = context_.api.get({kube::kDaemonSets, set.ref.namespace_, set.ref.name});
      if (!object && object.error().kind == ErrorKind::not_found) return std::move(object).error();
      if (!object && object.error().kind == ErrorKind::interrupted)
        return std::move(object).error();
      if (object && installed && is_rendered(*object, set.container, *installed)) continue;
      Rollout rollout{.daemon_set = set.ref};
      if (object) {
        const auto state = read_daemon_set(*object);
        rollout.desired = state.desired;
        rollout.generation = state.generation;
        rollout.observed_generation = state.observed_generation;
        objects_[set.ref] = *std::move(object);
      }
      rollout.waiting_for = why_[set.ref];
      waiting_.push_back(std::move(rollout));
    }
    return {};
  }

  /// What shall be in the environment; none: it cannot be read now.
  std::optional<json::value> read_installed() {
    if (wait_.goal == RenderGoal::off) return json::value{};
    const auto known = look::read_operator(context_.api);
    if (!known || !known->installations_state.readable) return std::nullopt;
    return effective_port(*known);
  }

  void say_why() {
    const auto known = look::read_operator(context_.api);
    for (Rollout& rollout : waiting_) {
      auto& why = why_[rollout.daemon_set];
      why = known ? reason(*known, objects_[rollout.daemon_set]) : to_string(known.error());
      rollout.waiting_for = why;
    }
  }

  [[nodiscard]] std::string reason(const OperatorFacts& known, const json::object& object) const {
    if (!known.installations_state.readable)
      return "its Installations cannot be read: " + known.installations_state.why;
    const auto set = changes_to_absent(known);
    if (wait_.goal == RenderGoal::off && !set.empty())
      return "Installation " + set.back().change.target.name + " sets nodeMetricsPort";
    if (auto trouble = operator_trouble(known, object); !trouble.empty()) return trouble;
    if (!known.deployment_state.readable)
      return "why is not known, for its Deployment cannot be read: " + known.deployment_state.why;
    return "its Deployment runs, and why it does not act is not known; its log may say";
  }

  void report() {
    if (!wait_.progress) return;
    for (Rollout& rollout : waiting_) {
      rollout.elapsed = context_.clock.steady() - begun_;
      if (rollout.waiting_for.empty()) rollout.waiting_for = "the operator has yet to render it";
    }
    wait_.progress(waiting_);
  }

  std::vector<Rollout> end() {
    for (Rollout& rollout : waiting_) {
      rollout.end = Rollout::End::time_up;
      rollout.elapsed = context_.clock.steady() - begun_;
    }
    return waiting_;
  }

  const Context& context_;
  const std::vector<OperatedSet>& sets_;
  const RenderWait& wait_;
  SteadyPoint begun_;
  SteadyPoint deadline_;
  SteadyPoint ask_why_;
  std::vector<Rollout> waiting_;
  std::map<DaemonSetRef, std::string> why_;
  std::map<DaemonSetRef, json::object> objects_;
};

}  // namespace

std::vector<OperatedSet> operated_sets(const ClusterFacts& facts) {
  std::vector<OperatedSet> sets;
  for (const auto& set : facts.daemon_sets)
    if (set.in_scope && is_operated(set))
      sets.push_back({{set.namespace_, set.name}, set.felix_container});
  return sets;
}

std::vector<Rollout> not_operated(std::vector<Rollout> rollouts,
                                  const std::vector<OperatedSet>& sets) {
  std::erase_if(rollouts, [&](const Rollout& rollout) {
    return std::ranges::find(sets, rollout.daemon_set, &OperatedSet::ref) != sets.end();
  });
  return rollouts;
}

Result<std::vector<Rollout>> wait_rendered(const Context& context,
                                           const std::vector<OperatedSet>& sets,
                                           const RenderWait& wait) {
  return OperatorWait(context, sets, wait).run();
}

}  // namespace catflap::act
