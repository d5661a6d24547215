// Planning: a look, and the plan that follows from it. `plan` and `close --plan` must come to the
// same one, so an approved plan carries what it was made with.
#pragma once

#include "act/journal.hpp"
#include "app/session.hpp"
#include "core/plan/plan.hpp"

namespace catflap::app {

struct Planned {
  Sight sight;
  Plan plan;
  std::optional<act::JournalRun>
      unfinished;  // an earlier run was killed; its pending change is ours
};

/// Reads only. `vantages` as for Session::look.
[[nodiscard]] Result<Planned> make_planned(Session& session,
                                           const std::vector<std::string>& vantages);

/// 0: nothing to do, and every node is known: a plan for what could not be seen would promise too
/// much.
[[nodiscard]] int exit_code_of(const Planned& planned);

/// A finding (CF0048) if a run of catflap did not come to its end and none is at work; none also if
/// the journal may not be read.
[[nodiscard]] std::optional<Message> interrupted_run(Session& session, const ClusterFacts& facts);

/// What was approved (plan -o json).
struct ApprovedPlan {
  std::string digest;
  PlanOptions options;
  std::vector<std::string> from;  // vantage points
};

/// Errors: usage.
[[nodiscard]] Result<ApprovedPlan> parse_plan_file(const std::string& text,
                                                   const std::string& name);

}  // namespace catflap::app
