// Reading JSON from outside without believing it: a missing member and one of the wrong type are
// the same.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace catflap::look {

namespace json = boost::json;

using Path = std::initializer_list<std::string_view>;

/// The value at object.path[0].path[1]…, or null.
[[nodiscard]] const json::value* value_at(const json::object& object, Path path);
[[nodiscard]] const json::object* object_at(const json::object& object, Path path);
/// Never null: an empty array if there is none, so that loops need no test.
[[nodiscard]] const json::array& array_at(const json::object& object, Path path);
[[nodiscard]] std::string text_at(const json::object& object, Path path);     // else ""
[[nodiscard]] std::int64_t number_at(const json::object& object, Path path);  // else 0
[[nodiscard]] bool true_at(const json::object& object, Path path);            // else false
[[nodiscard]] std::optional<TimePoint> time_at(const json::object& object, Path path);

/// The newest of metadata.managedFields[].time and creationTimestamp: when somebody last changed
/// the object.
[[nodiscard]] std::optional<TimePoint> changed_at(const json::object& object);
/// managedFields are 40 % of an object and decide nothing.
void drop_managed_fields(json::object& object);

/// The entry of an array of objects whose `name` is this, or null.
[[nodiscard]] const json::object* named(const json::array& entries, std::string_view name);

}  // namespace catflap::look
