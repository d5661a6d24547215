#include "app/commands.hpp"
#include "app/exit_code.hpp"
#include "app/planning.hpp"
#include "app/print.hpp"
#include "render/change_text.hpp"
#include "render/documents.hpp"

namespace catflap::app {
namespace {

/// Nothing to do is only an answer if every node is known; a plan for what could not be seen would
/// promise too much.
int exit_code_of(const Plan& plan, const ClusterVerdict& verdict) {
  if (!plan.refusals.empty()) return kExitRefused;
  if (!plan.steps.empty()) return kExitOpen;
  const auto unknown = verdict.counts.find(Verdict::unknown);
  const bool cannot_tell =
      verdict.nodes.empty() || (unknown != verdict.counts.end() && unknown->second > 0);
  return cannot_tell ? kExitUnknown : kExitOk;
}

}  // namespace

Result<int> run_plan(const Runtime& runtime, const Options& options) {
  TRY_ASSIGN(Session session, Session::open(runtime, options));
  TRY_ASSIGN(const Planned planned, make_planned(session));
  const ClusterFacts& facts = planned.sight.facts;
  const render::Style style = style_for_out(runtime, options);
  print(runtime, options,
        {.document = [&] { return render::plan_document(planned.plan, session.run_info(facts)); },
         .text =
             [&] {
               return render::plan_text(planned.plan, facts, options.program, style) +
                      render::plan_next(planned.plan, options.program, style);
             },
         .wide = nullptr,
         .name = [&] { return dump(planned.plan); }});
  return exit_code_of(planned.plan, planned.sight.verdict);
}

}  // namespace catflap::app
