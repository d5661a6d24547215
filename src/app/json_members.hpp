// The members of a JSON object with their values as they were written: a number too big or too
// exact for this program's own types is still the user's.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace catflap::app {

/// Names (their escapes read) and the bytes of the values, in order; a name may stand twice. Fails
/// with usage if `text` is not one JSON object.
[[nodiscard]] Result<std::vector<std::pair<std::string, std::string_view>>> json_members(
    std::string_view text);

}  // namespace catflap::app
