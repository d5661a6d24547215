// Help texts, made from the tables in commands.hpp. Each fits a page.
#pragma once

#include <string>

#include "app/commands.hpp"

namespace catflap::app {

/// What `catflap` and `catflap help` print.
[[nodiscard]] std::string overview(const std::string& program);
/// What `catflap COMMAND --help` prints.
[[nodiscard]] std::string help(const Command& command, const std::string& program);

}  // namespace catflap::app
