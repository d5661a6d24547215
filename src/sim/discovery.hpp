// /api, /apis and what is below them: which types there are. kubectl asks before it does anything.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/api_reply.hpp"

namespace catflap::sim {

/// Nothing: the path is not one of discovery.
[[nodiscard]] std::optional<Reply> discovery_reply(const std::vector<Kind>& kinds,
                                                   const std::vector<std::string>& segments);

}  // namespace catflap::sim
