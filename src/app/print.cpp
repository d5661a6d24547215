#include "app/print.hpp"

#include <ostream>

#include "app/exit_code.hpp"
#include "render/document.hpp"
#include "render/error_text.hpp"

namespace catflap::app {
namespace {

enum class Terminal { no, yes };

render::Style style_for(const Runtime& runtime, const Options& options, Terminal terminal) {
  bool colour = terminal == Terminal::yes && runtime.variable("NO_COLOR").empty() &&
                runtime.variable("TERM") != "dumb";
  if (options.color == ColorWhen::always) colour = true;
  if (options.color == ColorWhen::never) colour = false;
  return render::Style(colour ? render::Colours::on : render::Colours::off);
}

}  // namespace

void print(const Runtime& runtime, const Options& options, const View& view) {
  std::ostream& out = runtime.io.out;
  switch (options.output) {
    case Output::json:
      out << render::to_json_text(view.document());
      break;
    case Output::yaml:
      out << render::to_yaml_text(view.document());
      break;
    case Output::wide:
      out << (view.wide ? view.wide() : view.text());
      break;
    case Output::name:
      out << (view.name ? view.name() : view.text());
      break;
    case Output::text:
      out << view.text();
      break;
  }
  out.flush();
}

int tell(const Runtime& runtime, const Options& options, const Error& error) {
  runtime.io.err << render::error_text({error}, style_for_err(runtime, options));
  return exit_code(error);
}

render::Style style_for_out(const Runtime& runtime, const Options& options) {
  return style_for(runtime, options, runtime.io.out_is_terminal ? Terminal::yes : Terminal::no);
}

render::Style style_for_err(const Runtime& runtime, const Options& options) {
  return style_for(runtime, options, runtime.io.err_is_terminal ? Terminal::yes : Terminal::no);
}

}  // namespace catflap::app
