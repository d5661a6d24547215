// Reading JSON from outside without believing it: a missing member and one of the wrong type are
// the same.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"

namespace catflap {

namespace json = boost::json;

/// The keys on the way to a member, {"metadata", "name"}.
using JsonPath = std::initializer_list<std::string_view>;

/// The value there; null if a key is missing or its holder is not an object.
[[nodiscard]] const json::value* value_at(const json::object& object, JsonPath path);
[[nodiscard]] const json::object* object_at(const json::object& object, JsonPath path);
/// Never null: an empty array if there is none, so that loops need no test.
[[nodiscard]] const json::array& array_at(const json::object& object, JsonPath path);
/// The objects among the elements of the array there.
[[nodiscard]] std::vector<const json::object*> objects_at(const json::object& object,
                                                          JsonPath path);
[[nodiscard]] std::string text_at(const json::object& object, JsonPath path);     // else ""
[[nodiscard]] std::int64_t number_at(const json::object& object, JsonPath path);  // else 0
[[nodiscard]] bool true_at(const json::object& object, JsonPath path);            // else false
[[nodiscard]] std::optional<TimePoint> time_at(const json::object& object, JsonPath path);

/// The element of an array of objects whose `name` is this, or null.
[[nodiscard]] const json::object* named(const json::array& elements, std::string_view name);

}  // namespace catflap
