// The protobuf bodies that kubectl writes for the types it knows: those that people create by hand,
// and questions about rights.
#pragma once

#include <boost/json.hpp>
#include <optional>
#include <string_view>

namespace catflap::sim {

inline constexpr std::string_view kProtobuf = "application/vnd.kubernetes.protobuf";

/// The object in it with its apiVersion and kind; nothing if it is malformed, of a type that is not
/// known here, or has a field that is not.
[[nodiscard]] std::optional<boost::json::object> object_of_protobuf(std::string_view body);

}  // namespace catflap::sim
