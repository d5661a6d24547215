// What a person should know about how a configuration came about, whether or not it decided
// anything.
#pragma once

#include <vector>

#include "core/model/declared.hpp"
#include "core/resolve/sources.hpp"

namespace catflap {

/// Findings with the parameters that their rows in core/catalogue name; each at most once.
[[nodiscard]] std::vector<Message> notes_of(const Sources& sources, const Declared& declared);

}  // namespace catflap
