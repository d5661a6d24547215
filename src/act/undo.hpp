// undo: what catflap changed goes back to what it was, if nobody changed it since. All fields are
// compared before the first is written, and they go back in reverse order.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "act/close.hpp"
#include "act/journal.hpp"
#include "act/operator_wait.hpp"
#include "act/wait.hpp"

namespace catflap::act {

struct UndoOptions {
  enum class DryRun { none, client, server };
  DryRun dry_run = DryRun::none;
  std::vector<std::string>
      namespaces;               // where to look for journals: those of the DaemonSets found, and -n
  std::string preferred;        // -n: the one to take if several have something to undo
  std::string expected_run_id;  // the run that was agreed to; another one is refused. "": any
  std::vector<OperatedSet> operated;  // that get new pods when an Installation is restored
  Duration timeout{std::chrono::minutes{15}};
  LockOptions lock;
  OnProgress progress;
};

struct UndoneStep {
  enum class Result { restored, already, would_restore } result = Result::restored;
  std::string id;
  Target target;
  json::value from;  // what catflap had written; null: absent
  json::value to;    // what stands there again
  std::string audit_id;
};

struct UndoOutcome {
  enum class Result {
    undone,           // exit 0; also: it already was
    would_undo,       // dry-run
    nothing_to_undo,  // no journal, or nothing in it that is not undone: exit 3
    time_up,          // restored, but the rollout did not finish in time: error is timed_out
    failed,           // see error
  } result = Result::failed;
  std::string journal;              // "kube-system/catflap-journal"
  std::optional<JournalRun> run;    // as it was before
  std::optional<JournalRun> older;  // after an undo: another run whose change still stands
  std::vector<UndoneStep> steps;    // in the order of writing
  std::vector<Rollout> rollouts;
  std::optional<Error> error;   // interrupted: exit 130; refused: exit 5; usage: several journals,
                                // name one; others: exit 4
  std::string release_problem;  // the lock could not be given back; it goes stale after 60 s
  int still_restarting = 0;
  std::vector<std::string> freeze_commands, thaw_commands;
};

[[nodiscard]] UndoOutcome undo(const Context& context, const UndoOptions& options);

}  // namespace catflap::act
