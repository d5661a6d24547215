#include "app/commands.hpp"
#include "app/planning.hpp"
#include "app/print.hpp"
#include "render/change_text.hpp"
#include "render/documents.hpp"

namespace catflap::app {

Result<int> run_plan(const Runtime& runtime, const Options& options) {
  TRY_ASSIGN(Session session, Session::open(runtime, options));
  const std::vector<std::string>& from = options.from.empty() ? kFirstLook : options.from;
  TRY_ASSIGN(const Planned planned, make_planned(session, from));
  const ClusterFacts& facts = planned.sight.facts;
  const render::Style style = style_for_out(runtime, options);
  print(runtime, options,
        {.document =
             [&] {
               return render::plan_document(planned.plan, {options.plan, from},
                                            session.run_info(facts));
             },
         .text =
             [&] {
               return render::plan_text(planned.plan, facts, options.program, style) +
                      render::plan_next(planned.plan, options.program, style);
             },
         .wide = nullptr,
         .name = [&] { return dump(planned.plan); }});
  return exit_code_of(planned);
}

}  // namespace catflap::app
