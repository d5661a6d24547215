// print: one result, in the format that was asked for. Views are made only if they are needed.
#pragma once

#include <boost/json.hpp>
#include <functional>

#include "app/options.hpp"
#include "app/runtime.hpp"
#include "render/style.hpp"

namespace catflap::app {

struct View {
  std::function<boost::json::value()> document;  // json and yaml
  std::function<std::string()> text;
  std::function<std::string()> wide;  // empty: as text
  std::function<std::string()> name;  // empty: as text
};

void print(const Runtime& runtime, const Options& options, const View& view);

/// Tells on stderr what is already in the printed document, and returns its exit code.
[[nodiscard]] int tell(const Runtime& runtime, const Options& options, const Error& error);

/// Colours for a stream: --color, NO_COLOR, and whether it is a terminal.
[[nodiscard]] render::Style style_for_out(const Runtime& runtime, const Options& options);
[[nodiscard]] render::Style style_for_err(const Runtime& runtime, const Options& options);

}  // namespace catflap::app
