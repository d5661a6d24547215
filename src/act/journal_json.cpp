#include "act/journal_json.hpp"

#include <fmt/format.h>

#include <array>
#include <limits>

namespace catflap::act {

namespace {

constexpr const char* kFormat = "catflap-journal/v1";
constexpr std::size_t kMaxSteps = 100'000;

constexpr std::array kStepStates{StepState::planned,    StepState::applied, StepState::dropped,
                                 StepState::superseded, StepState::undoing, StepState::undone};
constexpr std::array kRunStates{RunState::applying, RunState::applied, RunState::finished,
                                RunState::undoing, RunState::undone};
constexpr std::array kRestarts{Restart::none, Restart::rolling, Restart::in_place};

json::value time_json(const std::optional<TimePoint>& time) {
  return time ? json::value(to_rfc3339(*time)) : json::value();
}

json::object to_json(const Target& target) {
  return {{"apiVersion", target.api_version},
          {"kind", target.kind},
          {"namespace", target.namespace_},
          {"name", target.name},
          {"uid", target.uid},
          {"container", target.container},
          {"field", target.field}};
}

json::object to_json(const JournalStep& step) {
  return {{"id", step.id},
          {"target", to_json(step.target)},
          {"before", step.before},
          {"after", step.after},
          {"madeParent", step.made_parent},
          {"generation", step.generation},
          {"restart", to_string(step.restart)},
          {"state", to_string(step.state)},
          {"auditID", step.audit_id},
          {"undoAuditID", step.undo_audit_id},
          {"plannedAt", time_json(step.planned_at)},
          {"appliedAt", time_json(step.applied_at)},
          {"undoneAt", time_json(step.undone_at)}};
}

json::object to_json(const JournalRun& run) {
  json::array steps;
  for (const auto& step : run.steps) steps.push_back(to_json(step));
  return {{"id", run.id},
          {"state", to_string(run.state)},
          {"user", run.user},
          {"ticket", run.ticket},
          {"reason", run.reason},
          {"version", run.version},
          {"startedAt", time_json(run.started_at)},
          {"finishedAt", time_json(run.finished_at)},
          {"undoneAt", time_json(run.undone_at)},
          {"verdict", run.verdict},
          {"evidenceParts", run.evidence_parts},
          {"steps", std::move(steps)}};
}

json::object to_json(const Lock& lock) {
  return {{"holder", lock.holder.id},
          {"who", lock.holder.who},
          {"host", lock.holder.host_id},
          {"pid", lock.holder.pid},
          {"command", lock.command},
          {"takenAt", to_rfc3339(lock.taken_at)},
          {"renewedAt", to_rfc3339(lock.renewed_at)}};
}

/// Reads the members of one object and remembers the first that is not as it must be.
class Reader {
 public:
  Reader(const json::value& value, std::string where) : where_(std::move(where)) {
    object_ = value.if_object();
    if (object_ == nullptr) fail("");
  }

  std::string text(std::string_view key) {
    const auto* value = member(key);
    const auto* text = value == nullptr ? nullptr : value->if_string();
    if (text == nullptr) return fail(key), std::string{};
    return std::string{*text};
  }
  std::int64_t number(std::string_view key) {
    const auto* value = member(key);
    const auto* number = value == nullptr ? nullptr : value->if_int64();
    if (number == nullptr || *number < 0) return fail(key), 0;
    return *number;
  }
  int small_number(std::string_view key) {
    const auto wide = number(key);
    if (wide > std::numeric_limits<int>::max()) return fail(key), 0;
    return static_cast<int>(wide);
  }
  bool flag(std::string_view key) {
    const auto* value = member(key);
    const auto* flag = value == nullptr ? nullptr : value->if_bool();
    if (flag == nullptr) return fail(key), false;
    return *flag;
  }
  std::optional<TimePoint> time(std::string_view key) {
    const auto* value = member(key);
    if (value != nullptr && value->is_null()) return std::nullopt;
    auto time = parse_rfc3339(text(key));
    if (!time) fail(key);
    return time;
  }
  template <class Enum, std::size_t N>
  Enum word(std::string_view key, const std::array<Enum, N>& all, const char* (*name)(Enum)) {
    const auto found = text(key);
    for (const auto one : all)
      if (found == name(one)) return one;
    fail(key);
    return all[0];
  }
  json::value any(std::string_view key) {
    const auto* value = member(key);
    if (value == nullptr) return fail(key), json::value{};
    return *value;
  }
  void fail(std::string_view key) {
    if (problem_.empty()) problem_ = key.empty() ? where_ : fmt::format("{}.{}", where_, key);
  }
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  const json::value* member(std::string_view key) {
    return object_ == nullptr ? nullptr : object_->if_contains(key);
  }

  const json::object* object_ = nullptr;
  std::string where_;
  std::string problem_;
};

Error unreadable(const std::string& where) {
  return Error{.kind = ErrorKind::malformed_input,
               .what = fmt::format("is not as catflap wrote it: {}", where)};
}

Result<Target> parse_target(const json::value& value, const std::string& where) {
  Reader in(value, where);
  Target target{in.text("apiVersion"), in.text("kind"),      in.text("namespace"), in.text("name"),
                in.text("uid"),        in.text("container"), in.text("field")};
  if (target.kind.empty() || target.name.empty() || target.field.empty() || target.uid.empty())
    in.fail("");
  if (!in.problem().empty()) return unreadable(in.problem());
  return target;
}

Result<JournalStep> parse_step(const json::value& value, const std::string& where) {
  Reader in(value, where);
  JournalStep step;
  step.id = in.text("id");
  TRY_ASSIGN(step.target, parse_target(in.any("target"), where + ".target"));
  step.before = in.any("before");
  step.after = in.any("after");
  step.made_parent = in.flag("madeParent");
  step.generation = in.number("generation");
  step.restart = in.word("restart", kRestarts, &catflap::to_string);
  step.state = in.word<StepState>("state", kStepStates, &to_string);
  step.audit_id = in.text("auditID");
  step.undo_audit_id = in.text("undoAuditID");
  step.planned_at = in.time("plannedAt");
  step.applied_at = in.time("appliedAt");
  step.undone_at = in.time("undoneAt");
  if (step.before == step.after) in.fail("after");
  if (!in.problem().empty()) return unreadable(in.problem());
  return step;
}

Result<JournalRun> parse_run(const json::value& value, const std::string& where) {
  Reader in(value, where);
  JournalRun run;
  run.id = in.text("id");
  run.state = in.word<RunState>("state", kRunStates, &to_string);
  run.user = in.text("user");
  run.ticket = in.text("ticket");
  run.reason = in.text("reason");
  run.version = in.text("version");
  run.started_at = in.time("startedAt");
  run.finished_at = in.time("finishedAt");
  run.undone_at = in.time("undoneAt");
  run.verdict = in.text("verdict");
  run.evidence_parts = in.small_number("evidenceParts");
  const auto steps = in.any("steps");
  if (!steps.is_array() || steps.as_array().size() > kMaxSteps) in.fail("steps");
  if (run.id.empty()) in.fail("id");
  if (!in.problem().empty()) return unreadable(in.problem());
  for (const auto& one : steps.as_array()) {
    TRY_ASSIGN(auto step, parse_step(one, fmt::format("{}.steps[{}]", where, run.steps.size())));
    run.steps.push_back(std::move(step));
  }
  return run;
}

Result<Lock> parse_lock(const json::value& value) {
  Reader in(value, "lock");
  Lock lock;
  lock.holder = {in.text("holder"), in.text("who"), in.text("host"), in.small_number("pid")};
  lock.command = in.text("command");
  lock.taken_at = in.time("takenAt").value_or(TimePoint{});
  lock.renewed_at = in.time("renewedAt").value_or(TimePoint{});
  if (lock.holder.id.empty()) in.fail("holder");
  if (!in.problem().empty()) return unreadable(in.problem());
  return lock;
}

/// The JSON text in a data key; null if the key is absent or empty.
Result<json::value> document_in(const json::object& data, const char* key) {
  const auto* value = data.if_contains(key);
  if (value == nullptr) return json::value{};
  const auto* text = value->if_string();
  if (text == nullptr) return unreadable(key);
  if (text->empty()) return json::value{};
  json::error_code failed;
  auto parsed = json::parse(*text, failed);
  if (failed) return unreadable(fmt::format("{}: {}", key, failed.message()));
  return parsed;
}

}  // namespace

Result<json::object> journal_data(const Journal& journal) {
  json::object data{{"format", kFormat}, {"lock", ""}, {"run", ""}, {"history", ""}};
  std::size_t size = 64;
  if (journal.lock) data["lock"] = json::serialize(to_json(*journal.lock));
  if (journal.run) data["run"] = json::serialize(to_json(*journal.run));
  for (const auto* key : {"lock", "run"}) size += data[key].as_string().size();
  if (size > kMaxJournalBytes)
    return Error{
        .kind = ErrorKind::refused,
        .what = fmt::format("a run of {} steps takes {} bytes, more than a ConfigMap may hold",
                            journal.run->steps.size(), size),
        .hint = "Close fewer objects at a time: name one namespace with -n."};
  json::array history;
  for (const auto& run : journal.history) {
    auto one = to_json(run);
    size += json::serialize(one).size() + 1;
    if (history.size() == kHistoryRuns || size > kMaxJournalBytes) break;
    history.push_back(std::move(one));
  }
  if (!history.empty()) data["history"] = json::serialize(history);
  return data;
}

Result<Journal> parse_journal(const json::object& data) {
  Journal journal;
  const auto* format = data.if_contains("format");
  if (format == nullptr || *format != json::value(kFormat)) return unreadable("format");
  TRY_ASSIGN(const auto lock, document_in(data, "lock"));
  if (!lock.is_null()) {
    TRY_ASSIGN(journal.lock, parse_lock(lock));
  }
  TRY_ASSIGN(const auto run, document_in(data, "run"));
  if (!run.is_null()) {
    TRY_ASSIGN(journal.run, parse_run(run, "run"));
  }
  TRY_ASSIGN(const auto history, document_in(data, "history"));
  if (history.is_null()) return journal;
  if (!history.is_array()) return unreadable("history");
  for (const auto& one : history.as_array()) {
    TRY_ASSIGN(auto old, parse_run(one, fmt::format("history[{}]", journal.history.size())));
    journal.history.push_back(std::move(old));
  }
  return journal;
}

}  // namespace catflap::act
