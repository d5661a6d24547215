// Reading JSON objects of the Kubernetes API without exceptions: what is missing or of another type
// counts as absent.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>

namespace catflap {

namespace json = boost::json;

inline const json::object* object_at(const json::object& parent, std::string_view key) {
  const json::value* value = parent.if_contains(key);
  return value ? value->if_object() : nullptr;
}

inline std::string string_at(const json::object& parent, std::string_view key) {
  const json::value* value = parent.if_contains(key);
  const json::string* text = value ? value->if_string() : nullptr;
  return text ? std::string{text->data(), text->size()} : std::string{};
}

/// The boolean at `key`, or `otherwise`.
inline bool bool_at(const json::object& parent, std::string_view key, bool otherwise) {
  const json::value* value = parent.if_contains(key);
  const bool* flag = value ? value->if_bool() : nullptr;
  return flag ? *flag : otherwise;
}

template <class Function>
void for_each_object(const json::object& parent, std::string_view key, Function&& function) {
  const json::value* value = parent.if_contains(key);
  const json::array* array = value ? value->if_array() : nullptr;
  if (!array) return;
  for (const json::value& item : *array) {
    if (const json::object* object = item.if_object()) function(*object);
  }
}

}  // namespace catflap
