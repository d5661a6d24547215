// What somebody may ask about himself: kubectl auth can-i, can-i --list and whoami.
#pragma once

#include <optional>

#include "sim/api_reply.hpp"
#include "sim/api_request.hpp"
#include "sim/users.hpp"

namespace catflap::sim {

/// The answer to a review of the asking user; nothing: the request is no such question.
[[nodiscard]] std::optional<Reply> review_reply(const User& user, const ApiRequest& request);

/// May everybody who is known get this path? (ClusterRole system:discovery and its like.)
[[nodiscard]] bool is_discovery(std::string_view method, std::string_view path);

}  // namespace catflap::sim
