// The journal: ConfigMap catflap-journal, what catflap changed and the lock of who changes it now
// (docs/journal.md). Every step stands in it before it is written to its object, so whoever comes
// after a crash can tell what happened by looking at the touched field alone.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "act/context.hpp"
#include "core/model/plan.hpp"

namespace catflap::act {

inline constexpr const char* kJournalName = "catflap-journal";
inline constexpr Duration kLockRenewal{std::chrono::seconds{10}};
inline constexpr Duration kLockStale{std::chrono::seconds{60}};

enum class StepState {
  planned,  // written here; whether it reached the object is seen in the object
  applied,  // the field is as `after` says
  dropped,  // never written: the object had been changed by somebody else, or nothing needs it any
            // more
  superseded,  // applied, and changed by somebody else since: not ours to undo
  undoing,     // about to be restored
  undone,      // the field is as `before` says
};

struct JournalStep {
  std::string id;  // of the plan's step
  Target target;
  json::value before;  // null: absent
  json::value after;
  bool made_parent = false;  // the object that holds the field did not exist: undo removes it too
  std::int64_t generation = 0;  // the object's changes, ours included (changes_of); 0: we did not
                                // write it
  Restart restart = Restart::none;
  StepState state = StepState::planned;
  std::string audit_id;       // of the write
  std::string undo_audit_id;  // of the write that restored it
  std::optional<TimePoint> planned_at, applied_at, undone_at;
  /// Written, or about to be: its object has to be asked.
  [[nodiscard]] bool may_stand() const {
    return state == StepState::applied || state == StepState::undoing ||
           (state == StepState::planned && generation != 0);
  }
  friend bool operator==(const JournalStep&, const JournalStep&) = default;
};

enum class RunState {
  applying,  // steps are being written
  applied,   // all are; the rollout or the proof was not seen to its end
  finished,  // the result is written
  undoing,
  undone,
};

struct JournalRun {
  std::string id;
  RunState state = RunState::applying;
  std::string user;     // as the API server or kubeconfig names it
  std::string ticket;   // --ticket
  std::string reason;   // --reason
  std::string version;  // of catflap
  std::optional<TimePoint> started_at, finished_at, undone_at;
  std::string verdict;     // of the cluster, once finished: "closed"
  int evidence_parts = 0;  // ConfigMaps catflap-journal-1 … -N with this run's before-evidence
  std::vector<JournalStep> steps;  // in the order of writing
  friend bool operator==(const JournalRun&, const JournalRun&) = default;
  /// It wrote something, or may have, that is not taken back.
  [[nodiscard]] bool stands() const;
  /// Begun and not seen to its end: the next close or undo goes on with it.
  [[nodiscard]] bool unfinished() const {
    return state != RunState::finished && state != RunState::undone;
  }
};

/// Who holds the lock. `id` is unique to a process; the rest is for people, and for is_gone().
struct Holder {
  std::string id;
  std::string who;      // "alice@laptop, process 4242"
  std::string host_id;  // machine and boot; "" if not known
  int pid = 0;
  friend bool operator==(const Holder&, const Holder&) = default;
};

struct Lock {
  Holder holder;
  std::string command;   // close, undo
  TimePoint taken_at{};  // all times by the server's clock
  TimePoint renewed_at{};
  friend bool operator==(const Lock&, const Lock&) = default;
};

struct Journal {
  std::optional<Lock> lock;
  std::optional<JournalRun> run;    // the latest
  std::vector<JournalRun> history;  // older ones, newest first, at most kHistoryRuns
  /// The runs that changed something and are not undone, newest first.
  [[nodiscard]] std::vector<JournalRun*> undoable();
  friend bool operator==(const Journal&, const Journal&) = default;
};

inline constexpr std::size_t kHistoryRuns = 5;
/// Values of one ConfigMap together: below the API server's 1 MiB (Kubernetes: ValidateConfigMap).
inline constexpr std::size_t kMaxJournalBytes = 900u << 10;

/// Reads without touching. No ConfigMap: empty. Edited beyond reading: refused, saying where.
[[nodiscard]] Result<std::optional<Journal>> read_journal(kube::Api& api,
                                                          const std::string& namespace_);

struct FoundJournal {
  std::string namespace_;
  std::optional<Journal> journal;  // none: there is no ConfigMap
};

/// The journal that serves a cluster: the one that is in use (an unfinished run, a lock), else that
/// of the first DaemonSet by name. The same facts, the same lock. Errors: as read_journal of the
/// one that is taken.
[[nodiscard]] Result<FoundJournal> find_journal(kube::Api& api, const ClusterFacts& facts);

/// The felix_host answers recorded before a run's first write. Parts that are gone or belong to
/// another run are left out: a missing answer can only make a verdict weaker.
[[nodiscard]] Result<std::vector<Reach>> read_before_evidence(kube::Api& api,
                                                              const std::string& namespace_,
                                                              const JournalRun& run);

/// UIDs of the DaemonSets whose template nobody changed after an unfinished close or undo of
/// catflap did: that pending change is ours, and going on with it needs no --include-pending.
[[nodiscard]] std::vector<std::string> own_pending(const Journal& journal,
                                                   const ClusterFacts& facts);

/// Words an error about the ConfigMap for the person who must act: which right is missing.
[[nodiscard]] Error journal_error(Error error, const std::string& namespace_);

/// The journal in its ConfigMap. Errors: refused, if somebody edited it, with the way out.
[[nodiscard]] Result<Journal> journal_in(const json::object& config_map,
                                         const std::string& namespace_);

[[nodiscard]] const char* to_string(StepState state);
[[nodiscard]] const char* to_string(RunState state);

}  // namespace catflap::act
