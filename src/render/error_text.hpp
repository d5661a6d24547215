// An error, for the person who must act on it: what happened, and the next action.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "render/style.hpp"

namespace catflap::render {

/// "catflap: WHAT" and, if there is one, "  next: HINT"; several errors as a list.
[[nodiscard]] std::string error_text(const std::vector<Error>& errors, const Style& style);

}  // namespace catflap::render
