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

struct ChangeView {
  std::vector<WrittenView> written;
  std::vector<RolloutView> rollouts;
  std::string journal, run_id;
  bool resumed = false;
  std::string ticket, reason;
  int still_restarting = 0;
  std::vector<std::string> freeze_commands;
  std::optional<Error> error;
};

struct UndoneView {
  std::string id, result;  // result: restored, already, would-restore
  Target target;
  json::value from, to;
  std::string audit_id;
};

struct UndoView {
  std::string result;  // undone, would-undo, nothing-to-undo, time-up, failed
  std::string journal, run_id;
  std::vector<UndoneView> steps;
  std::vector<RolloutView> rollouts;
  int still_restarting = 0;
  std::vector<std::string> freeze_commands;
  std::optional<Error> error;
};

}  // namespace catflap::render
