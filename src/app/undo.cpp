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
#include "render/change_text.hpp"
#include "render/documents.hpp"

namespace catflap::app {
namespace {

constexpr Duration kDefaultTimeout{std::chrono::minutes{15}};

std::vector<std::string> journal_namespaces(const ClusterFacts& facts, const Options& options) {
  std::set<std::string> namespaces;
  for (const DaemonSetFacts& set : facts.daemon_sets) {
    if (set.in_scope) namespaces.insert(set.namespace_);
  }
  if (!options.connect.namespace_.empty()) namespaces.insert(options.connect.namespace_);
  return {namespaces.begin(), namespaces.end()};
}

int exit_code_of(const act::UndoOutcome& outcome) {
  switch (outcome.result) {
    case act::UndoOutcome::Result::undone:
      return kExitOk;
    case act::UndoOutcome::Result::would_undo:
      return kExitOk;
    case act::UndoOutcome::Result::nothing_to_undo:
      return kExitUnknown;
    case act::UndoOutcome::Result::time_up:
      return kExitFailed;
    case act::UndoOutcome::Result::failed:
      return kExitFailed;
  }
  return kExitFailed;
}

}  // namespace

Result<int> run_undo(const Runtime& runtime, const Options& options) {
  TRY(can_confirm(runtime, options));
  TRY_ASSIGN(Session session, Session::open(runtime, options));
  TRY_ASSIGN(const ClusterFacts facts, session.discover());
  const act::Context context{.api = session.api(), .clock = runtime.clock, .stop = runtime.stop};
  const render::Style err_style = style_for_err(runtime, options);
  StepsView steps(session.progress(), nullptr, "", err_style);
  act::UndoOptions undo{.dry_run = act::UndoOptions::DryRun::client,
                        .namespaces = journal_namespaces(facts, options),
                        .timeout = options.timeout.value_or(kDefaultTimeout),
                        .lock = lock_options(runtime),
                        .progress = [&](const act::Progress& news) { steps.show(news); }};
  act::UndoOutcome outcome = act::undo(context, undo);  // what it would do
  if (outcome.result == act::UndoOutcome::Result::would_undo) {
    session.progress().clear();
    runtime.io.err << render::undo_text(view_of(outcome), options.program, err_style);
    TRY(confirm(runtime, options, facts.cluster_name));
    undo.dry_run = act::UndoOptions::DryRun::none;
    outcome = act::undo(context, undo);
  }
  session.progress().clear();
  const render::UndoView view = view_of(outcome);
  const render::Style style = style_for_out(runtime, options);
  print(runtime, options,
        {.document = [&] { return render::undo_document(view, session.run_info(facts)); },
         .text = [&] { return render::undo_text(view, options.program, style); }});
  return outcome.error ? tell(runtime, options, *outcome.error) : exit_code_of(outcome);
}

}  // namespace catflap::app
