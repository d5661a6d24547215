// What a client sends: JSON, and the protobuf of kubectl.
#pragma once

#include <string>
#include <variant>

#include "sim/api_reply.hpp"
#include "sim/api_request.hpp"

namespace catflap::sim {

/// The value, or the answer that says why there is none.
using Body = std::variant<json::value, Reply>;

/// Without what comes after a semicolon; "" if nothing is said.
[[nodiscard]] std::string content_type(const ApiRequest& request);
[[nodiscard]] Reply unsupported_type();

[[nodiscard]] Body read_body(const std::string& text);
/// The object out of the request's body: a create's, an update's, a delete's options.
[[nodiscard]] Body read_object(const ApiRequest& request);

}  // namespace catflap::sim
