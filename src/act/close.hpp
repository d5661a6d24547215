// close: lock, record, write, wait, look twice, prove, record, unlock. A list of small steps on
// explicit state; the teardown list always runs. Killed anywhere, the next close goes on from the
// journal.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "act/journal.hpp"
#include "act/wait.hpp"
#include "core/model/plan.hpp"
#include "core/model/verdict.hpp"

namespace catflap::act {

/// What a change does, as it happens; for a live view or lines.
struct Progress {
  enum class Stage {
    lock,     // waits to see whether another run is alive; text names it
    record,   // the before-evidence
    step,     // step_id is about to be written
    rollout,  // rollouts are the news
    settle,   // waits between looks
    look,     // look number `look` begins
    prove,    // not settled yet: looks again; text says why
    result,
  } stage = Stage::lock;
  std::string step_id;
  std::string text;
  int look = 0;
  const std::vector<Rollout>* rollouts = nullptr;
};
using OnProgress = std::function<void(const Progress&)>;

/// How the lock is taken; close and undo alike.
struct LockOptions {
  Holder holder;
  /// True only if that holder certainly does not run any more (same host and boot, no such
  /// process). May be empty.
  std::function<bool(const Holder&)> is_gone;
};

struct CloseOptions {
  enum class DryRun { none, server };
  DryRun dry_run = DryRun::none;
  Duration timeout{std::chrono::minutes{15}};  // of the whole run
  Duration settle{std::chrono::seconds{10}};
  std::string ticket;
  std::string reason;
  std::string user;
  std::string version;  // of catflap
  Policy policy;
  LockOptions lock;
  std::string owner_cycle;  // as in ProveInput
  std::optional<Duration> owner_cycle_length;
};

struct CloseInput {
  Plan plan;  // without refusals; may be empty: then only an unfinished run is completed, and the
              // proof made
  ClusterFacts facts;  // the plan's
  Look before;         // the look that the plan was made on
};

/// What close needs of the rest of the program.
struct CloseSeams {
  std::function<Result<ClusterFacts>()> discover;
  /// Is to call the second argument every 50 s or more often: it renews the lock.
  std::function<Result<Look>(const ClusterFacts&, const std::function<void()>&)> look;
  OnProgress progress;  // may be empty
};

struct WrittenStep {
  std::string id;
  Target target;
  bool written = false;  // false: it already was so
  std::string audit_id;
};

/// What became of it, whole also after a failure.
struct CloseOutcome {
  std::optional<ClusterVerdict> verdict;  // none: it did not come to a proof
  std::vector<Rollout> rollouts;
  std::vector<WrittenStep> written;  // of the whole run, what an interrupted close wrote included
  std::vector<Target> superseded;    // written by the run, and changed by somebody else since
  std::vector<std::string>
      held_back;                  // ids of steps that wait for a rollout that did not end in time
  std::vector<Message> findings;  // beside the verdict's own: who has not acted on the change
  std::vector<Look> looks;        // those of the proof, oldest first
  std::vector<Reach> before;      // the before-evidence used
  ClusterFacts facts;             // as of the last look
  std::string journal;            // "kube-system/catflap-journal"; "" if none was needed
  std::string run_id;
  std::string ticket, reason;  // the run's
  bool resumed = false;        // went on from an unfinished run
  /// interrupted: exit 130; refused: exit 5; others: exit 4. None: the verdict decides.
  std::optional<Error> error;
  std::string release_problem;  // the lock could not be given back; it goes stale after 60 s
  int still_restarting = 0;     // nodes that will restart without us
  std::vector<std::string>
      freeze_commands;  // that stop the rollout where it is, one a DaemonSet; empty if none runs
  std::vector<std::string> thaw_commands;  // that let it go on again
};

/// Errors are in the outcome. With dry_run server every step is sent with dryRun=All, nothing is
/// stored and no proof made.
[[nodiscard]] CloseOutcome close(const Context& context, const CloseInput& input,
                                 const CloseSeams& seams, const CloseOptions& options);

}  // namespace catflap::act
