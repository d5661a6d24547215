// One endpoint that `catflap probe` asked: a line of JSON (schemas/probe.schema.json), or a line to
// read.
#pragma once

#include <optional>
#include <string>

#include "core/model/observation.hpp"

namespace catflap::render {

/// What was asked for, as it was written.
struct Probed {
  std::string target;
  std::optional<std::string> id;  // JSON, printed unchanged
};

/// With a final line break.
[[nodiscard]] std::string probe_json_line(const Probed& probed, const Reach& reach);
[[nodiscard]] std::string probe_text_line(const Probed& probed, const Reach& reach);

}  // namespace catflap::render
