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
  TRY_ASSIGN(const Sight sight, session.verify({"direct", "apiserver", "exec"}));
  render::EvidenceInput input{.seen = {sight.facts, sight.verdict, sight.looks},
                              .policy = options.policy,
                              .purpose = "verify",
                              .file = file};
  const render::RunInfo run = session.run_info(sight.facts);
  // A file that cannot be written must not hide the verdict.
  const auto kept = keep_evidence(input, run);
  if (!kept) input.file.clear();
  const render::Style style = style_for_out(runtime, options);
  print(runtime, options,
        {.document = [&] { return render::evidence_document(input, run); },
         .text =
             [&] { return render::evidence_text(input.seen, input.file, options.program, style); },
         .wide = [&] { return render::wide_text(input.seen); },
         .name = [&] { return render::name_text(sight.verdict); }});
  return kept ? exit_code(sight.verdict) : tell(runtime, options, kept.error());
}

}  // namespace catflap::app
