// explain: the catalogue, one row or all titles. Needs no cluster.
#include "render/explain.hpp"

#include "app/commands.hpp"
#include "app/print.hpp"
#include "base/text.hpp"
#include "core/catalogue.hpp"

namespace catflap::app {
namespace {

Error unknown_code(const std::string& code) {
  std::vector<std::string> codes;
  for (const CatalogueRow& row : catalogue()) codes.emplace_back(row.code);
  std::string near = nearest(code, codes);
  return Error{.kind = ErrorKind::usage,
               .what = fmt::format("no code {}", printable(code, 60)),
               .hint = near.empty() ? "catflap explain --list shows all codes"
                                    : fmt::format("did you mean {}?", near)};
}

}  // namespace

Result<int> run_explain(const Runtime& runtime, const Options& options) {
  std::vector<const CatalogueRow*> rows;
  if (options.list) {
    for (const CatalogueRow& row : catalogue()) rows.push_back(&row);
  } else if (options.arguments.empty()) {
    return Error{.kind = ErrorKind::usage,
                 .what = "explain needs a code",
                 .hint = "catflap explain CF0001, or catflap explain --list"};
  } else if (const CatalogueRow* row = find_row(options.arguments[0])) {
    rows.push_back(row);
  } else {
    return unknown_code(options.arguments[0]);
  }
  const TimePoint now = runtime.clock.now();
  const render::Style style = style_for_out(runtime, options);
  print(runtime, options,
        {.document =
             [&] { return render::explanation_document(rows, {.started = now, .finished = now}); },
         .text =
             [&] {
               return options.list ? render::code_list(rows, style)
                                   : render::explanation(*rows[0], style);
             },
         .wide = nullptr,
         .name = [&] { return render::code_names(rows); }});
  return 0;
}

}  // namespace catflap::app
