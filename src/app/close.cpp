// close: plan, ask, change, prove, keep the evidence. What changes the cluster is act::close; here
// it is asked for and told.
#include "act/close.hpp"

#include <fstream>
#include <ostream>
#include <sstream>

#include "app/commands.hpp"
#include "app/confirm.hpp"
#include "app/evidence_file.hpp"
#include "app/exit_code.hpp"
#include "app/holder.hpp"
#include "app/planning.hpp"
#include "app/print.hpp"
#include "app/steps_view.hpp"
#include "app/views.hpp"
#include "core/diagnose/findings.hpp"
#include "look/discover.hpp"
#include "render/change_text.hpp"

namespace catflap::app {
namespace {

constexpr Duration kLeastTimeout{std::chrono::minutes{15}};

/// --plan: the plan that was approved must be the one that would be carried out now.
Result<void> check_approved(const Options& options, const Plan& plan) {
  if (options.plan_file.empty()) return {};
  std::ifstream file(options.plan_file, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file)
    return Error{.kind = ErrorKind::usage, .what = "cannot be read", .subject = options.plan_file};
  TRY_ASSIGN(const std::string digest, digest_of_plan_file(text.str(), options.plan_file));
  if (digest == plan.digest) return {};
  return Error{.kind = ErrorKind::refused,
               .what = "the cluster is not as it was when this plan was made",
               .subject = options.plan_file,
               .hint = "make a new plan, compare it with the old one, and have it approved again"};
}

void print_plan(const Session& session, const Planned& planned) {
  const Options& options = session.options();
  const render::Style style = style_for_out(session.runtime(), options);
  const ClusterFacts& facts = planned.sight.facts;
  print(session.runtime(), options,
        {.document = [&] { return render::plan_document(planned.plan, session.run_info(facts)); },
         .text =
             [&] {
               return render::plan_text(planned.plan, facts, options.program, style) +
                      render::plan_next(planned.plan, options.program, style);
             },
         .wide = nullptr,
         .name = [&] { return dump(planned.plan); }});
}

act::CloseOptions close_options(const Session& session, const Planned& planned) {
  const Options& options = session.options();
  const OwnerCycle cycle = owner_cycle_of(planned.sight.facts);
  return {.dry_run = options.dry_run == DryRun::server ? act::CloseOptions::DryRun::server
                                                       : act::CloseOptions::DryRun::none,
          .timeout = options.timeout.value_or(std::max(kLeastTimeout, planned.plan.expected * 3)),
          .settle = options.settle,
          .ticket = options.ticket,
          .reason = options.reason,
          .user = planned.sight.facts.user,
          .version = CATFLAP_VERSION,
          .policy = options.policy,
          .lock = lock_options(session.runtime()),
          .owner_cycle = cycle.text,
          .owner_cycle_length = cycle.length};
}

act::CloseOutcome carry_out(Session& session, const Planned& planned) {
  const Runtime& runtime = session.runtime();
  StepsView view(session.progress(), &planned.plan, render::ports_text(planned.sight.facts),
                 style_for_err(runtime, session.options()));
  const act::CloseSeams seams{
      .discover = [&] { return session.discover(); },
      .look = [&](const ClusterFacts& facts) { return session.look(facts, {"direct", "exec"}); },
      .progress = [&](const act::Progress& news) { view.show(news); }};
  act::CloseOutcome outcome = act::close(
      {.api = session.api(), .clock = runtime.clock, .stop = runtime.stop},
      {.plan = planned.plan, .facts = planned.sight.facts, .before = planned.sight.looks.back()},
      seams, close_options(session, planned));
  session.progress().clear();
  return outcome;
}

/// The result on stdout, the evidence in its file. The error of an unfinished run is the caller's
/// to tell.
Result<int> report(Session& session, act::CloseOutcome outcome, const std::string& file) {
  const Runtime& runtime = session.runtime();
  const Options& options = session.options();
  add_findings(*outcome.verdict, outcome.facts, outcome.looks);
  const render::ChangeView change = view_of(outcome, options);
  const render::EvidenceInput input{.seen = {outcome.facts, *outcome.verdict, outcome.looks},
                                    .policy = options.policy,
                                    .purpose = "close",
                                    .change = &change,
                                    .before = outcome.before,
                                    .file = file};
  const render::RunInfo run = session.run_info(outcome.facts);
  TRY(keep_evidence(input, run));
  const render::Style style = style_for_out(runtime, options);
  print(runtime, options,
        {.document = [&] { return render::evidence_document(input, run); },
         .text =
             [&] {
               return render::written_text(change.written, style) +
                      render::evidence_text(input.seen, file, options.program, style);
             },
         .wide = [&] { return render::wide_text(input.seen); },
         .name = [&] { return render::name_text(*outcome.verdict); }});
  return exit_code(*outcome.verdict);
}

Result<int> change_and_report(Session& session, const Planned& planned, const std::string& file) {
  const Runtime& runtime = session.runtime();
  act::CloseOutcome outcome = carry_out(session, planned);
  const std::optional<Error> error = outcome.error;
  // Before the first write there is nothing that goes on.
  if (error && !outcome.written.empty()) {
    runtime.io.err << render::still_running_text(outcome.still_restarting, outcome.freeze_commands,
                                                 session.options().program,
                                                 style_for_err(runtime, session.options()));
  }
  if (error && !outcome.verdict) return *error;
  if (!outcome.verdict) {  // --dry-run=server
    print_plan(session, planned);
    return planned.plan.steps.empty() ? kExitOk : kExitOpen;
  }
  TRY_ASSIGN(const int code, report(session, std::move(outcome), file));
  return error ? tell(runtime, session.options(), *error) : code;
}

}  // namespace

Result<int> run_close(const Runtime& runtime, const Options& options) {
  const bool dry = options.dry_run != DryRun::none;
  std::string file;
  if (!dry) {
    TRY(can_confirm(runtime, options));
    TRY_ASSIGN(file, evidence_path(runtime, options));
  }
  TRY_ASSIGN(Session session, Session::open(runtime, options));
  TRY_ASSIGN(const Planned planned, make_planned(session));
  TRY(check_approved(options, planned.plan));
  if (!planned.plan.refusals.empty() || options.dry_run == DryRun::client) {
    print_plan(session, planned);
    if (!planned.plan.refusals.empty()) return kExitRefused;
    return planned.plan.steps.empty() ? kExitOk : kExitOpen;
  }
  if (!planned.plan.steps.empty() || planned.unfinished) {
    session.progress().clear();
    const render::Style style = style_for_err(runtime, options);
    if (!options.quiet || !options.yes) {
      runtime.io.err << render::plan_text(planned.plan, planned.sight.facts, options.program,
                                          style);
    }
    if (!dry) TRY(confirm(runtime, options, planned.sight.facts.cluster_name));
  }
  return change_and_report(session, planned, file);
}

}  // namespace catflap::app
