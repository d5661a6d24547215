// What a change did, as the views need it: rollouts, writes, undo. The records of src/act are put
// into these by src/app.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "core/model/plan.hpp"

namespace catflap::render {

struct RolloutNodeView {
  std::string node, state;  // state: done, not-started, terminating, creating, not-ready,
                            // node-not-ready, on-delete
  std::string pod, reason, message;
};

struct RolloutView {
  std::string namespace_, name;
  std::string end;  // running, done, time-up, interrupted
  bool complete = false;
  std::string waiting_for;
  int desired = 0;
  std::int64_t generation = 0, observed_generation = 0;
  bool on_delete = false;
  std::vector<RolloutNodeView> nodes;  // by name
  Duration elapsed{};
  std::string trouble;
};

struct WrittenView {
  std::string id;
  Target target;
  bool written = false;
  std::string audit_id;
};

/// A run of the journal.
struct RunView {
  std::string id, user, ticket, reason;
  std::optional<TimePoint> started;
  bool found_open = false;  // Felix answered somewhere before it
};

struct ChangeView {
  std::vector<WrittenView> written;
  std::vector<RolloutView> rollouts;
  std::string journal, run_id;
  bool resumed = false;
  std::string ticket, reason;
  std::vector<std::string> held_back;  // ids of steps that wait for a rollout
  int still_restarting = 0;
  std::vector<std::string> freeze_commands, thaw_commands;
  std::string release_problem;
  std::optional<Error> error;
};

/// What restarts if an undo goes on.
struct RestartView {
  std::string daemon_set;  // "kube-system/calico-node"
  std::size_t pods = 0;
  std::string max_unavailable;
  Duration expected{};  // 0: not known
  bool on_delete = false;
  int unavailable = 0;  // now; they do not wait for their turn
};

struct UndoneView {
  std::string id, result;  // result: restored, already, would-restore
  Target target;
  json::value from, to;
  std::string audit_id;
};

struct UndoView {
  std::string result;  // undone, would-undo, nothing-to-undo, time-up, failed
  std::string journal;
  std::optional<RunView> run;    // that is undone
  std::optional<RunView> older;  // whose change still stands afterwards
  std::vector<UndoneView> steps;
  std::vector<RestartView> restarts;
  std::vector<RolloutView> rollouts;
  int still_restarting = 0;
  std::vector<std::string> freeze_commands, thaw_commands;
  std::string release_problem;
  std::vector<Message> findings;  // what may change the port again afterwards
  std::optional<Error> error;
};

}  // namespace catflap::render
