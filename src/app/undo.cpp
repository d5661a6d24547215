#include "act/undo.hpp"

#include <ostream>

#include "app/commands.hpp"
#include "app/confirm.hpp"
#include "app/exit_code.hpp"
#include "app/holder.hpp"
#include "app/print.hpp"
#include "app/session.hpp"
#include "app/steps_view.hpp"
#include "app/views.hpp"
#include "core/catalogue.hpp"
#include "core/diagnose/consumers.hpp"
#include "core/plan/effects.hpp"
#include "core/plan/migration.hpp"
#include "core/plan/tigera_operator.hpp"
#include "look/platform.hpp"
#include "look/surroundings.hpp"
#include "render/documents.hpp"
#include "render/undo_text.hpp"

namespace catflap::app {
namespace {

constexpr Duration kDefaultTimeout{std::chrono::minutes{15}};

std::vector<std::string> journal_namespaces(const ClusterFacts& facts, const Options& options) {
  std::set<std::string> namespaces;
  for (const DaemonSetFacts& set : facts.daemon_sets) namespaces.insert(set.namespace_);
  if (!options.connect.namespace_.empty()) namespaces.insert(options.connect.namespace_);
  return {namespaces.begin(), namespaces.end()};
}

int exit_code_of(const act::UndoOutcome& outcome) {
  switch (outcome.result) {
    case act::UndoOutcome::Result::undone:
    case act::UndoOutcome::Result::would_undo:
      return kExitOk;
    case act::UndoOutcome::Result::nothing_to_undo:
      return kExitUnknown;
    case act::UndoOutcome::Result::time_up:
    case act::UndoOutcome::Result::failed:
      return kExitFailed;
  }
  return kExitFailed;
}

/// Calico copies its configuration: what is written meanwhile may be lost.
Result<void> check_migration(const ClusterFacts& facts) {
  const auto migration = migration_refusal(facts);
  if (!migration) return {};
  return Error{.kind = ErrorKind::refused,
               .what = message_text(migration->message),
               .hint = remedy_text(migration->message)};
}

/// What restarts if these steps go back.
std::vector<render::RestartView> restarts_of(const act::UndoOutcome& outcome,
                                             const ClusterFacts& facts) {
  std::vector<render::RestartView> restarts;
  for (const DaemonSetFacts& set : facts.daemon_sets) {
    const bool touched =
        std::any_of(outcome.steps.begin(), outcome.steps.end(), [&](const act::UndoneStep& step) {
          const bool its =
              step.target.kind == "Installation" ? is_operated(set) : step.target.uid == set.uid;
          return its && step.result != act::UndoneStep::Result::already;
        });
    if (!touched) continue;
    const auto pods = std::count_if(facts.pods.begin(), facts.pods.end(), [&](const PodFacts& pod) {
      return pod.namespace_ == set.namespace_ && pod.daemon_set == set.name;
    });
    restarts.push_back({.daemon_set = set.namespace_ + "/" + set.name,
                        .pods = static_cast<std::size_t>(pods),
                        .max_unavailable = set.max_unavailable,
                        .expected = rollout_time(set, static_cast<int>(pods)),
                        .on_delete = set.on_delete,
                        .unavailable = set.unavailable});
  }
  return restarts;
}

/// What a platform keeps of an edit outlives its undo. Not being able to look is no failure of the
/// undo.
std::vector<Message> left_behind(Session& session, const ClusterFacts& facts) {
  const auto groups = look::read_groups(session.api());
  if (!groups.has_value()) return {};
  const auto platform = look::read_platform(session.api(), *groups, facts);
  return platform.has_value() ? platform_findings(*platform) : std::vector<Message>{};
}

/// The operator carries the old environment over meanwhile.
Result<void> check_namespace_migration(const ClusterFacts& facts) {
  const auto shown = namespace_migration(facts);
  if (shown.empty()) return {};
  const Message message{"CF0064", {{"why", shown}}};
  return Error{
      .kind = ErrorKind::refused, .what = message_text(message), .hint = remedy_text(message)};
}

int tell_result(Session& session, const ClusterFacts& facts, const act::UndoOutcome& outcome) {
  const Runtime& runtime = session.runtime();
  const Options& options = session.options();
  session.progress().clear();
  render::UndoView view = view_of(outcome);
  view.restarts = restarts_of(outcome, facts);
  if (outcome.result == act::UndoOutcome::Result::undone)
    view.findings = left_behind(session, facts);
  const render::Style style = style_for_out(runtime, options);
  print(runtime, options,
        {.document = [&] { return render::undo_document(view, session.run_info(facts)); },
         .text = [&] { return render::undo_text(view, facts, options.program, style); }});
  if (!outcome.error) return exit_code_of(outcome);
  // In the text it stands already.
  if (!outcome.rollouts.empty() && options.output != Output::text)
    runtime.io.err << render::still_running_text(view, options.program,
                                                 style_for_err(runtime, options));
  return tell(runtime, options, *outcome.error);
}

}  // namespace

Result<int> run_undo(const Runtime& runtime, const Options& options) {
  const bool dry = options.dry_run != DryRun::none;
  if (!dry) TRY(can_confirm(runtime, options));
  TRY_ASSIGN(Session session, Session::open(runtime, options));
  TRY_ASSIGN(const ClusterFacts facts, session.discover());
  const act::Context context{.api = session.api(), .clock = runtime.clock, .stop = runtime.stop};
  const render::Style err_style = style_for_err(runtime, options);
  StepsView steps(session.progress(), nullptr, "", err_style);
  using UndoRun = act::UndoOptions::DryRun;
  act::UndoOptions undo{
      .dry_run = options.dry_run == DryRun::server ? UndoRun::server : UndoRun::client,
      .namespaces = journal_namespaces(facts, options),
      .preferred = options.connect.namespace_,
      .operated = act::operated_sets(facts),
      .timeout = options.timeout.value_or(kDefaultTimeout),
      .lock = lock_options(runtime),
      .progress = [&](const act::Progress& news) { steps.show(news); }};
  act::UndoOutcome outcome = act::undo(context, undo);  // what it would do
  if (dry || outcome.result != act::UndoOutcome::Result::would_undo)
    return tell_result(session, facts, outcome);
  session.progress().clear();
  render::UndoView view = view_of(outcome);
  view.restarts = restarts_of(outcome, facts);
  if (!options.quiet || !options.yes)
    runtime.io.err << render::undo_text(view, facts, options.program, err_style);
  TRY(check_migration(facts));
  TRY(check_namespace_migration(facts));
  TRY(confirm(runtime, options, facts));
  undo.dry_run = UndoRun::none;
  undo.expected_run_id = outcome.run ? outcome.run->id : "";
  return tell_result(session, facts, act::undo(context, undo));
}

}  // namespace catflap::app
