#include <ostream>

#include "app/commands.hpp"
#include "app/evidence_file.hpp"
#include "app/print.hpp"
#include "app/session.hpp"
#include "render/documents.hpp"

namespace catflap::app {

Result<int> run_verify(const Runtime& runtime, const Options& options) {
  TRY_ASSIGN(const std::string file, evidence_path(runtime, options));
  TRY_ASSIGN(Session session, Session::open(runtime, options));
  TRY_ASSIGN(const Sight sight, session.verify({"direct", "exec"}));
  const render::EvidenceInput input{.seen = {sight.facts, sight.verdict, sight.looks},
                                    .policy = options.policy,
                                    .purpose = "verify",
                                    .file = file};
  const render::RunInfo run = session.run_info(sight.facts);
  TRY(keep_evidence(input, run));
  const render::Style style = style_for_out(runtime, options);
  print(runtime, options,
        {.document = [&] { return render::evidence_document(input, run); },
         .text = [&] { return render::evidence_text(input.seen, file, options.program, style); },
         .wide = [&] { return render::wide_text(input.seen); },
         .name = [&] { return render::name_text(sight.verdict); }});
  return exit_code(sight.verdict);
}

}  // namespace catflap::app
