#include "act/recover.hpp"

#include <algorithm>
#include <optional>

namespace catflap::act {

namespace {

bool same_change(const JournalStep& step, const Change& change) {
  return step.target == change.target && step.before == change.before && step.after == change.after;
}

/// What the object says about a step: none if it is gone, or another one by now.
Result<std::optional<FieldMatch>> match_of(kube::Api& api, const FieldChange& change) {
  auto now = read_field(api, change);
  if (now) return std::optional{now->match};
  if (now.error().kind == ErrorKind::refused) return std::optional<FieldMatch>{};
  return std::move(now).error();
}

bool is_open(const JournalStep& step) {
  return step.state == StepState::planned || step.state == StepState::applied ||
         step.state == StepState::undoing;
}

Error nobody_can_say(const JournalStep& step, Error error) {
  error.what =
      "an earlier run stopped while it wrote " + step.target.field +
      ", and now it is neither as before nor as that run would have left it: " + error.what;
  error.hint = "Look at the object. The same command again decides on what is there now.";
  return error;
}

}  // namespace

void drop(JournalStep& step) {
  step.state = StepState::dropped;
  step.generation = 0;
}

FieldChange forward(const JournalStep& step) {
  return {.target = step.target, .expected = step.before, .wanted = step.after};
}

FieldChange backward(const JournalStep& step) {
  return {.target = step.target,
          .expected = step.after,
          .wanted = step.before,
          .drop_empty_parent = step.made_parent};
}

Result<void> recover_run(const Context& context, JournalRun& run) {
  std::optional<Error> unclear;
  for (auto& step : run.steps) {
    if (!is_open(step)) continue;
    TRY_ASSIGN(const auto match, match_of(context.api, forward(step)));
    if (match == FieldMatch::as_wanted && step.state == StepState::planned &&
        step.generation == 0) {
      drop(step);  // somebody else's write: ours would have left its number
    } else if (match == FieldMatch::as_wanted) {
      if (step.state != StepState::applied) step.applied_at = context.server_now();
      step.state = StepState::applied;
    } else if (match == FieldMatch::as_expected) {
      if (step.state == StepState::undoing) step.state = StepState::undone;
      // Written once and put back by somebody: theirs now. A new step will say what is done about
      // it.
      if (step.state == StepState::applied) step.state = StepState::superseded;
    } else {
      if (match && step.state != StepState::applied && !unclear) {
        auto now = read_field(context.api, forward(step));
        if (now) unclear = nobody_can_say(step, changed_since(forward(step), now->value));
      }
      step.state = StepState::superseded;
    }
  }
  if (unclear) return *std::move(unclear);
  return {};
}

void merge_plan(JournalRun& run, const Plan& plan, TimePoint now) {
  std::vector<bool> wanted(run.steps.size(), false);
  std::vector<JournalStep> added;
  for (const auto& step : plan.steps) {
    const auto kept = std::find_if(run.steps.begin(), run.steps.end(), [&](const JournalStep& old) {
      return old.state == StepState::planned && same_change(old, step.change);
    });
    if (kept != run.steps.end()) {
      wanted[static_cast<std::size_t>(kept - run.steps.begin())] = true;
      continue;
    }
    added.push_back({.id = step.id,
                     .target = step.change.target,
                     .before = step.change.before,
                     .after = step.change.after,
                     .restart = step.restart,
                     .planned_at = now});
  }
  for (std::size_t i = 0; i < run.steps.size(); ++i)
    if (run.steps[i].state == StepState::planned && !wanted[i]) drop(run.steps[i]);
  run.steps.insert(run.steps.end(), added.begin(), added.end());
}

Result<void> check_plan(kube::Api& api, const Plan& plan) {
  for (const auto& step : plan.steps) {
    const FieldChange change{
        .target = step.change.target, .expected = step.change.before, .wanted = step.change.after};
    TRY_ASSIGN(const auto now, read_field(api, change));
    if (now.match == FieldMatch::neither) return changed_since(change, now.value);
  }
  return {};
}

}  // namespace catflap::act
