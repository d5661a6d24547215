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
#include "render/groups.hpp"

namespace catflap::app {
namespace {

constexpr Duration kLeastTimeout{std::chrono::minutes{15}};
const std::vector<std::string> kVantages{"direct", "apiserver", "exec"};

/// --plan: its flags become ours.
Result<std::optional<ApprovedPlan>> read_approved(const Options& options) {
  if (options.plan_file.empty()) return std::optional<ApprovedPlan>{};
  std::ifstream file(options.plan_file, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file)
    return Error{.kind = ErrorKind::usage, .what = "cannot be read", .subject = options.plan_file};
  TRY_ASSIGN(ApprovedPlan plan, parse_plan_file(text.str(), options.plan_file));
  return std::optional{std::move(plan)};
}

/// The plan that was approved must be the one that would be carried out now.
Result<void> check_approved(const Options& options, const std::optional<ApprovedPlan>& approved,
                            const Plan& plan) {
  if (!approved || approved->digest == plan.digest) return {};
  return Error{.kind = ErrorKind::refused,
               .what = "the cluster is not as it was when this plan was made",
               .subject = options.plan_file,
               .hint = "make a new plan, compare it with the old one, and have it approved again"};
}

/// `last`: a line under the text.
void print_plan(const Session& session, const Planned& planned,
                const std::vector<std::string>& from, const std::string& last) {
  const Options& options = session.options();
  const render::Style style = style_for_out(session.runtime(), options);
  const ClusterFacts& facts = planned.sight.facts;
  print(session.runtime(), options,
        {.document =
             [&] {
               return render::plan_document(planned.plan, {options.plan, from},
                                            session.run_info(facts));
             },
         .text =
             [&] {
               return render::plan_text(planned.plan, facts, options.program, style) + last +
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
      .look =
          [&](const ClusterFacts& facts, const std::function<void()>& keep) {
            return session.look(facts, kVantages, keep);
          },
      .progress = [&](const act::Progress& news) { view.show(news); }};
  act::CloseOutcome outcome = act::close(
      {.api = session.api(), .clock = runtime.clock, .stop = runtime.stop},
      {.plan = planned.plan, .facts = planned.sight.facts, .before = planned.sight.looks.back()},
      seams, close_options(session, planned));
  session.progress().clear();
  return outcome;
}

/// The result on stdout, the evidence in its file. A file that cannot be written must not hide the
/// verdict.
int report(Session& session, act::CloseOutcome outcome, const std::string& file) {
  const Runtime& runtime = session.runtime();
  const Options& options = session.options();
  add_findings(*outcome.verdict, outcome.facts, outcome.looks);
  for (const Message& finding : outcome.findings) outcome.verdict->findings.push_back(finding);
  for (const Target& target : outcome.superseded) {
    outcome.verdict->findings.push_back(
        {"CF0049",
         {{"object", render::object_name(target.kind, target.namespace_, target.name)},
          {"field", target.field}}});
  }
  const render::ChangeView change = view_of(outcome);
  render::EvidenceInput input{.seen = {outcome.facts, *outcome.verdict, outcome.looks},
                              .policy = options.policy,
                              .purpose = "close",
                              .change = &change,
                              .before = outcome.before,
                              .file = file};
  const render::RunInfo run = session.run_info(outcome.facts);
  const auto kept = keep_evidence(input, run);
  if (!kept) input.file.clear();
  const render::Style style = style_for_out(runtime, options);
  print(runtime, options,
        {.document = [&] { return render::evidence_document(input, run); },
         .text =
             [&] {
               return render::change_text(change, options.program, style) +
                      render::evidence_text(input.seen, input.file, options.program, style) +
                      render::after_close_text(input.seen, change, options.program, style);
             },
         .wide = [&] { return render::wide_text(input.seen); },
         .name = [&] { return render::name_text(*outcome.verdict); }});
  if (outcome.error) return tell(runtime, options, *outcome.error);
  return kept ? exit_code(*outcome.verdict) : tell(runtime, options, kept.error());
}

/// It wrote and did not come to a proof: what was written is told, and kept.
int report_failure(Session& session, const Planned& planned, const act::CloseOutcome& outcome,
                   const std::string& file) {
  const Runtime& runtime = session.runtime();
  const Options& options = session.options();
  const render::ChangeView change = view_of(outcome);
  const render::RunInfo run = session.run_info(planned.sight.facts);
  const auto document = render::failed_change_document(change, file, run);
  const auto kept = keep_document(document, file);
  const render::Style style = style_for_out(runtime, options);
  print(runtime, options,
        {.document = [&] { return document; },
         .text =
             [&] {
               return render::change_text(change, options.program, style) +
                      (kept ? render::field(style, "Evidence", file) : "");
             }});
  if (!kept) (void)tell(runtime, options, kept.error());
  return tell(runtime, options, *outcome.error);
}

Result<int> change_and_report(Session& session, const Planned& planned,
                              const std::vector<std::string>& from, const std::string& file) {
  const Runtime& runtime = session.runtime();
  const Options& options = session.options();
  act::CloseOutcome outcome = carry_out(session, planned);
  const bool dry = options.dry_run != DryRun::none;
  // Before the first write there is nothing that goes on.
  if (outcome.error && !outcome.written.empty() && !dry) {
    runtime.io.err << render::still_running_text(view_of(outcome), "close", options.program,
                                                 style_for_err(runtime, options));
  }
  if (outcome.verdict) return report(session, std::move(outcome), file);
  if (dry && !outcome.error) {
    const auto accepted =
        static_cast<std::size_t>(std::count_if(outcome.written.begin(), outcome.written.end(),
                                               [](const auto& step) { return step.written; }));
    print_plan(session, planned, from,
               render::field(style_for_out(runtime, options), "Dry run",
                             fmt::format("the server accepted {}; nothing was stored",
                                         render::count_of(accepted, "write"))));
    return exit_code_of(planned);
  }
  if (outcome.written.empty() || dry) {
    if (!outcome.release_problem.empty())
      runtime.io.err << render::lock_problem_text(outcome.release_problem,
                                                  style_for_err(runtime, options));
    return *outcome.error;
  }
  return report_failure(session, planned, outcome, file);
}

/// What is about to happen, on stderr, and the question.
Result<void> ask(Session& session, const Planned& planned) {
  const Runtime& runtime = session.runtime();
  const Options& options = session.options();
  session.progress().clear();
  const render::Style style = style_for_err(runtime, options);
  if (!options.quiet || !options.yes) {
    runtime.io.err << render::plan_text(planned.plan, planned.sight.facts, options.program, style);
    if (planned.unfinished)
      runtime.io.err << render::resume_text(view_of(*planned.unfinished), planned.plan.steps.size(),
                                            style);
  }
  return confirm(runtime, options, planned.sight.facts);
}

}  // namespace

Result<int> run_close(const Runtime& runtime, const Options& given) {
  Options options = given;
  TRY_ASSIGN(const auto approved, read_approved(options));
  std::vector<std::string> from = options.from.empty() ? kVantages : options.from;
  if (approved) {
    options.plan = approved->options;
    if (options.from.empty()) from = approved->from;
  }
  const bool dry = options.dry_run != DryRun::none;
  std::string file;
  if (!dry) {
    TRY(can_confirm(runtime, options));
    TRY_ASSIGN(file, evidence_path(runtime, options));
  }
  TRY_ASSIGN(Session session, Session::open(runtime, options));
  TRY_ASSIGN(const Planned planned, make_planned(session, from));
  TRY(check_approved(options, approved, planned.plan));
  if (!planned.plan.refusals.empty() || options.dry_run == DryRun::client) {
    print_plan(session, planned, from, "");
    return exit_code_of(planned);
  }
  if (!dry && (!planned.plan.steps.empty() || planned.unfinished)) TRY(ask(session, planned));
  return change_and_report(session, planned, from, file);
}

}  // namespace catflap::app
