// As much of /openapi/v3 as kubectl needs before it edits, creates or applies: that a patch takes
// fieldValidation and dryRun. It describes no fields; the server does not check them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/api_reply.hpp"

namespace catflap::sim {

/// Nothing: the path is not one of OpenAPI's.
[[nodiscard]] std::optional<Reply> openapi_reply(const std::vector<Kind>& kinds,
                                                 const std::vector<std::string>& segments);

}  // namespace catflap::sim
