// Looking into objects of the API without trusting their shape: what is missing or of another type
// is null.
#pragma once

#include <boost/json.hpp>
#include <initializer_list>
#include <string_view>

namespace catflap {

namespace json = boost::json;

/// The object at the end of a path of names, or null.
[[nodiscard]] inline const json::object* object_at(const json::object& root,
                                                   std::initializer_list<std::string_view> path) {
  const json::object* at = &root;
  for (const auto name : path) {
    const json::value* next = at->if_contains(name);
    at = next == nullptr ? nullptr : next->if_object();
    if (at == nullptr) return nullptr;
  }
  return at;
}

/// The member if it is a string; "" otherwise. The view lives as long as the object.
[[nodiscard]] inline std::string_view string_in(const json::object* object, std::string_view name) {
  const json::value* value = object == nullptr ? nullptr : object->if_contains(name);
  const json::string* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string_view{} : std::string_view{*text};
}

}  // namespace catflap
