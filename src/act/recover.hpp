// Going on after a run that did not see its end, by looking at the touched fields alone. Private to
// src/act.
#pragma once

#include <vector>

#include "act/apply.hpp"
#include "act/context.hpp"
#include "act/journal.hpp"
#include "core/model/plan.hpp"

namespace catflap::act {

/// A step as the change that makes it, and as the one that takes it back.
[[nodiscard]] FieldChange forward(const JournalStep& step);
[[nodiscard]] FieldChange backward(const JournalStep& step);

/// Nothing of the step stands.
void drop(JournalStep& step);

/// Brings the steps of an unfinished run up to what their objects say: a planned one that is there
/// is applied, or dropped if we never came to write it; one that somebody changed after us is
/// superseded. Errors: a step of which nobody can
/// say whether it was written, because its field is neither as before nor as after (refused; `run`
/// then says superseded, so that the next run decides on what is there).
[[nodiscard]] Result<void> recover_run(const Context& context, JournalRun& run);

/// Puts the plan's steps into the run: one that the run still has planned the same way is kept,
/// other planned ones are dropped, the rest is added.
void merge_plan(JournalRun& run, const Plan& plan, TimePoint now);

/// Refuses before anything is written if a field of the plan is neither as it was nor as it shall
/// be.
[[nodiscard]] Result<void> check_plan(kube::Api& api, const Plan& plan);

}  // namespace catflap::act
