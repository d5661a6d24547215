// Reading objects that somebody else wrote: nothing is taken for granted, a wrong type is the same
// as absent.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace catflap::act {

namespace json = boost::json;

/// The value at a path of keys; null if any of them is missing or its holder is not an object.
[[nodiscard]] const json::value* find_path(const json::object& object,
                                           std::initializer_list<std::string_view> path);

/// "" if it is not a string.
[[nodiscard]] std::string text_at(const json::object& object,
                                  std::initializer_list<std::string_view> path);
/// 0 if it is not an integer.
[[nodiscard]] std::int64_t integer_at(const json::object& object,
                                      std::initializer_list<std::string_view> path);
/// false if it is not a bool.
[[nodiscard]] bool flag_at(const json::object& object,
                           std::initializer_list<std::string_view> path);
/// Empty if it is not an array of objects; other elements are left out.
[[nodiscard]] std::vector<const json::object*> objects_at(
    const json::object& object, std::initializer_list<std::string_view> path);

}  // namespace catflap::act
