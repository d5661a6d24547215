#include "act/journal.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "act/journal_json.hpp"
#include "base/json_read.hpp"

namespace catflap::act {

namespace {

bool changed_something(const JournalRun& run) {
  if (run.state == RunState::undone) return false;
  // All fields may be restored already; its rollout was not seen to its end.
  if (run.state == RunState::undoing) return true;
  return std::any_of(run.steps.begin(), run.steps.end(), [](const JournalStep& step) {
    return step.state == StepState::planned || step.state == StepState::applied ||
           step.state == StepState::undoing;
  });
}

template <class Runs>
auto* undoable_in(Runs& journal) {
  if (journal.run && changed_something(*journal.run)) return &*journal.run;
  const auto found =
      std::find_if(journal.history.begin(), journal.history.end(), changed_something);
  return found == journal.history.end() ? nullptr : &*found;
}

}  // namespace

const JournalRun* Journal::undoable() const {
  return undoable_in(*this);
}
JournalRun* Journal::undoable() {
  return undoable_in(*this);
}

std::string journal_namespace(const ClusterFacts& facts) {
  const auto first = std::min_element(facts.daemon_sets.begin(), facts.daemon_sets.end(),
                                      [](const auto& a, const auto& b) {
                                        return std::tuple(!a.in_scope, a.namespace_, a.name) <
                                               std::tuple(!b.in_scope, b.namespace_, b.name);
                                      });
  return first == facts.daemon_sets.end() || !first->in_scope ? "kube-system" : first->namespace_;
}

Error journal_error(Error error, const std::string& namespace_) {
  if (error.kind == ErrorKind::malformed_input) {
    error.kind = ErrorKind::refused;
    error.subject = fmt::format("ConfigMap {}/{}", namespace_, kJournalName);
    error.hint = fmt::format(
        "Somebody edited it. Put back what it said, or, if no change of catflap is under way: "
        "kubectl -n {} delete configmap {}. What it said can then not be undone by catflap.",
        namespace_, kJournalName);
  } else if (error.kind == ErrorKind::not_permitted) {
    error.hint = fmt::format(
        "catflap keeps its journal and lock in ConfigMap {} of namespace {}: it needs get, create, "
        "patch and delete on configmaps there.",
        kJournalName, namespace_);
  }
  return error;
}

Result<std::optional<Journal>> read_journal(kube::Api& api, const std::string& namespace_) {
  auto object = api.get({kube::kConfigMaps, namespace_, kJournalName});
  if (!object) {
    if (object.error().kind == ErrorKind::not_found) return std::optional<Journal>{};
    return journal_error(std::move(object).error(), namespace_);
  }
  const auto* data = value_at(*object, {"data"});
  const json::object none;
  const auto* fields = data == nullptr ? &none : data->if_object();
  auto journal = parse_journal(fields == nullptr ? none : *fields);
  if (!journal) return journal_error(std::move(journal).error(), namespace_);
  return std::optional<Journal>{std::move(*journal)};
}

std::vector<std::string> own_pending(const Journal& journal, const ClusterFacts& facts) {
  std::vector<std::string> uids;
  if (!journal.run || !journal.run->unfinished()) return uids;
  for (const auto& set : facts.daemon_sets) {
    std::int64_t ours = 0;
    for (const auto& step : journal.run->steps)
      if (step.target.uid == set.uid) ours = std::max(ours, step.generation);
    // The generation counts every change of the spec: a later one of somebody else's has a higher
    // number.
    if (ours != 0 && ours == set.generation) uids.push_back(set.uid);
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
