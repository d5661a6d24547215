#include "app/commands.hpp"
#include "app/exit_code.hpp"
#include "app/planning.hpp"
#include "app/print.hpp"
#include "render/documents.hpp"

namespace catflap::app {
Result<int> run_diagnose(const Runtime& runtime, const Options& options) {
  TRY_ASSIGN(Session session, Session::open(runtime, options));
  TRY_ASSIGN(Sight sight, session.diagnose(kFirstLook));
  if (auto finding = interrupted_run(session, sight.facts))
    sight.verdict.findings.push_back(*std::move(finding));
  const render::Seen seen{sight.facts, sight.verdict, sight.looks};
  const render::Style style = style_for_out(runtime, options);
  print(
      runtime, options,
      {.document = [&] { return render::diagnosis_document(seen, session.run_info(sight.facts)); },
       .text = [&] { return render::diagnosis_text(seen, options.program, style); },
       .wide = [&] { return render::wide_text(seen); },
       .name = [&] { return render::name_text(sight.verdict); }});
  return exit_code(sight.verdict);
}

}  // namespace catflap::app
