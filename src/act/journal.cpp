#include "act/journal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "act/journal_json.hpp"
#include "act/recover.hpp"
#include "base/json_read.hpp"
#include "core/plan/tigera_operator.hpp"

namespace catflap::act {

namespace {

bool in_use(const Journal& journal) {
  return journal.lock || (journal.run && journal.run->unfinished());
}

/// The change whose result the object should show; none: the step says nothing about it.
std::optional<FieldChange> last_written(const JournalStep& step) {
  switch (step.state) {
    case StepState::planned:
    case StepState::applied:
      return forward(step);
    case StepState::undoing:
    case StepState::undone:
      return backward(step);
    case StepState::dropped:
    case StepState::superseded:
      break;
  }
  return std::nullopt;
}

/// Is the template as the step left it, and was it not changed since?
bool last_change_is(const JournalStep& step, const DaemonSetFacts& set) {
  const auto change = last_written(step);
  if (!change || step.target.uid != set.uid || step.generation == 0) return false;
  if (step.generation != changes_of(set.object)) return false;
  const auto now = judge_field(set.object, *change);
  return now && now->match == FieldMatch::as_wanted;
}

/// The same of an Installation: what the operator renders from it, it rolls out by itself.
bool last_change_is(const JournalStep& step, const DaemonSetFacts& set,
                    const OperatorFacts& facts) {
  const auto change = last_written(step);
  if (!change || step.generation == 0 || !is_operated(set)) return false;
  return std::any_of(facts.installations.begin(), facts.installations.end(),
                     [&](const json::object& installation) {
                       if (text_at(installation, {"metadata", "uid"}) != step.target.uid)
                         return false;
                       const auto now = judge_field(installation, *change);
                       return now && now->match == FieldMatch::as_wanted;
                     });
}

}  // namespace

bool JournalRun::stands() const {
  if (state == RunState::undone) return false;
  // All fields may be restored already; its rollout was not seen to its end.
  if (state == RunState::undoing) return true;
  return std::any_of(steps.begin(), steps.end(),
                     [](const JournalStep& step) { return step.may_stand(); });
}

std::vector<JournalRun*> Journal::undoable() {
  std::vector<JournalRun*> runs;
  if (run && run->stands()) runs.push_back(&*run);
  for (auto& old : history)
    if (old.stands()) runs.push_back(&old);
  return runs;
}

Error journal_error(Error error, const std::string& namespace_) {
  if (error.kind == ErrorKind::not_permitted) {
    error.hint = fmt::format(
        "catflap keeps its journal and lock in ConfigMap {} of namespace {}: it needs get, create, "
        "patch and delete on configmaps there.",
        kJournalName, namespace_);
  }
  return error;
}

Result<Journal> journal_in(const json::object& config_map, const std::string& namespace_) {
  const auto* data = value_at(config_map, {"data"});
  auto journal =
      parse_journal(data != nullptr && data->is_object() ? data->as_object() : json::object{});
  if (journal) return journal;
  Error error = std::move(journal).error();
  error.kind = ErrorKind::refused;
  error.subject = fmt::format("ConfigMap {}/{}", namespace_, kJournalName);
  error.hint = fmt::format(
      "Somebody edited it. Put back what it said, or, if no change of catflap is under way: "
      "kubectl -n {} delete configmap {}. What it said can then not be undone by catflap.",
      namespace_, kJournalName);
  return error;
}

Result<std::optional<Journal>> read_journal(kube::Api& api, const std::string& namespace_) {
  auto object = api.get({kube::kConfigMaps, namespace_, kJournalName});
  if (!object) {
    if (object.error().kind == ErrorKind::not_found) return std::optional<Journal>{};
    return journal_error(std::move(object).error(), namespace_);
  }
  TRY_ASSIGN(auto journal, journal_in(*object, namespace_));
  return std::optional<Journal>{std::move(journal)};
}

Result<FoundJournal> find_journal(kube::Api& api, const ClusterFacts& facts) {
  std::set<std::string> places;
  for (const auto& set : facts.daemon_sets) places.insert(set.namespace_);
  if (places.empty()) places.insert("kube-system");
  std::optional<Result<FoundJournal>> first;
  for (const auto& place : places) {
    auto journal = read_journal(api, place);
    // A journal that is in use wins over the order; one that may not be read cannot be taken.
    if (journal && *journal && in_use(**journal)) return FoundJournal{place, std::move(*journal)};
    if (first) continue;
    first = journal ? Result<FoundJournal>(FoundJournal{place, std::move(*journal)})
                    : Result<FoundJournal>(std::move(journal).error());
  }
  return *std::move(first);
}

std::vector<std::string> own_pending(const Journal& journal, const ClusterFacts& facts) {
  std::vector<const JournalRun*> runs;
  if (journal.run && journal.run->unfinished()) runs.push_back(&*journal.run);
  for (const auto& run : journal.history)
    if (run.state == RunState::undoing) runs.push_back(&run);
  std::vector<std::string> uids;
  for (const auto& set : facts.daemon_sets) {
    const bool ours = std::any_of(runs.begin(), runs.end(), [&](const JournalRun* run) {
      return std::any_of(run->steps.begin(), run->steps.end(), [&](const JournalStep& step) {
        return last_change_is(step, set) ||
               (facts.tigera_operator && last_change_is(step, set, *facts.tigera_operator));
      });
    });
    if (ours) uids.push_back(set.uid);
  }
  return uids;
}

const char* to_string(StepState state) {
  switch (state) {
    case StepState::planned:
      return "planned";
    case StepState::applied:
      return "applied";
    case StepState::dropped:
      return "dropped";
    case StepState::superseded:
      return "superseded";
    case StepState::undoing:
      return "undoing";
    case StepState::undone:
      return "undone";
  }
  return "";
}

const char* to_string(RunState state) {
  switch (state) {
    case RunState::applying:
      return "applying";
    case RunState::applied:
      return "applied";
    case RunState::finished:
      return "finished";
    case RunState::undoing:
      return "undoing";
    case RunState::undone:
      return "undone";
  }
  return "";
}

}  // namespace catflap::act
