#include "render/undo_text.hpp"

#include "base/json_read.hpp"
#include "base/text.hpp"
#include "core/catalogue.hpp"
#include "core/plan/env_touch.hpp"
#include "render/change_text.hpp"
#include "render/groups.hpp"

namespace catflap::render {
namespace {

constexpr std::size_t kMostNodes = 40;

std::string value_words(const json::value& value) {
  return printable(json::serialize(value), 160);
}

std::string entries_words(const json::array& entries) {
  std::vector<std::string> words;
  for (const json::value& entry : entries) {
    const json::object* object = entry.if_object();
    if (object == nullptr) continue;
    const json::value* from = object->if_contains("valueFrom");
    const std::string value =
        from == nullptr ? text_at(*object, {"value"}) : json::serialize(*from);
    words.push_back(printable(text_at(*object, {"name"}) + "=" + value, 160));
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

std::string place_of(const Target& target) {
  const std::string object = object_name(target.kind, target.namespace_, target.name);
  if (target.container.empty()) return fmt::format("{} {}", object, target.field);
  return fmt::format("{}, container {}", object, target.container);
}

std::string step_line(const UndoneView& step) {
  const std::string words = change_words(step.target, step.from, step.to);
  if (step.result == "already")
    return fmt::format("{}: was so already ({})", place_of(step.target), words);
  if (step.result == "restored") return fmt::format("{}: done: {}", place_of(step.target), words);
  return fmt::format("{}: {}", place_of(step.target), words);
}

std::string run_words(const RunView& run) {
  std::string text = "the run of " + (run.started ? clock_text(*run.started) : "an unknown time");
  if (!run.user.empty()) text += " by " + printable(run.user, 80);
  if (!run.ticket.empty()) text += fmt::format(" (ticket {})", printable(run.ticket, 80));
  return text;
}

std::string restart_words(const RestartView& restart) {
  const std::string pods = count_of(restart.pods, "pod");
  if (restart.on_delete)
    return fmt::format("nothing by itself: {} waits until its {} are deleted (OnDelete)",
                       restart.daemon_set, pods);
  std::string text = fmt::format("all {} of {}, batch by batch (maxUnavailable {})", pods,
                                 restart.daemon_set, restart.max_unavailable);
  if (restart.unavailable > 0)
    text += fmt::format(", {} not available at once", restart.unavailable);
  if (restart.expected > Duration{}) text += fmt::format(", about {}", about(restart.expected));
  return text;
}

std::string consent(const UndoView& undo, const Style& style) {
  std::string text;
  for (const RestartView& restart : undo.restarts)
    text += field(style, text.empty() ? "Restarts" : "", restart_words(restart));
  const bool open = undo.run && undo.run->found_open;
  return text + field(style, "Opens",
                      open ? "the port again: Felix answered on it before that run"
                           : "the port again, if it was open before that run",
                      Tone::caution);
}

std::string outcome(const UndoView& undo, const std::string& program, const Style& style) {
  std::string text;
  for (const RolloutView& rollout : undo.rollouts) {
    text += rollout.complete ? field(style, "Rollout", rollout_line(rollout))
                             : rollout_text(rollout, kMostNodes, style);
  }
  if (undo.result == "time-up")
    text += field(style, "Time is up", "not every node runs with the restored fields yet",
                  Tone::caution);
  if (undo.error && !undo.rollouts.empty()) text += still_running_text(undo, program, style);
  if (!undo.release_problem.empty()) text += lock_problem_text(undo.release_problem, style);
  if (undo.result != "undone") return text;
  text += field(style, "Older",
                undo.older ? fmt::format("{} still stands: {} undo again takes it back",
                                         run_words(*undo.older), program)
                           : "no other change of catflap stands");
  for (const Message& finding : undo.findings) {
    text += field(style, "Finding", finding.code + " " + message_text(finding), Tone::caution);
    text += field(style, "", remedy_text(finding));
  }
  return text +
         field(style, "Next", program + " diagnose   where the port stands now", Tone::strong);
}

}  // namespace

std::string change_words(const Target& target, const json::value& from, const json::value& to) {
  std::string old = from.is_null() ? "" : value_words(from);
  std::string next = to.is_null() ? "" : value_words(to);
  if (!target.container.empty()) {
    const auto names = touched_names(from, to);
    old = entries_words(entries_of(from, names));
    next = entries_words(entries_of(to, names));
  }
  if (next.empty()) return old + " is removed";
  return old.empty() ? next + " comes back" : fmt::format("{} becomes {}", old, next);
}

std::string undo_text(const UndoView& undo, const ClusterFacts& facts, const std::string& program,
                      const Style& style) {
  if (undo.result == "nothing-to-undo") {
    return field(
        style, "Undo",
        "there is nothing to undo: no journal of catflap names a change that still stands");
  }
  std::string text = cluster_and_user(facts, style);
  if (undo.run) text += field(style, "Undo", run_words(*undo.run), Tone::strong);
  for (const UndoneView& step : undo.steps) text += paragraph("- " + step_line(step), 2);
  if (!undo.journal.empty()) text += field(style, "Journal", "ConfigMap " + undo.journal);
  return text +
         (undo.result == "would-undo" ? consent(undo, style) : outcome(undo, program, style));
}

std::string still_running_text(const UndoView& undo, const std::string& program,
                               const Style& style) {
  const ChangeView change{.rollouts = undo.rollouts,
                          .still_restarting = undo.still_restarting,
                          .freeze_commands = undo.freeze_commands,
                          .thaw_commands = undo.thaw_commands};
  return still_running_text(change, "undo", program, style);
}

}  // namespace catflap::render
