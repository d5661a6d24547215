#include "base/json_read.hpp"

#include <limits>

namespace catflap {

const json::value* value_at(const json::object& object, JsonPath path) {
  const json::object* here = &object;
  const json::value* found = nullptr;
  for (const auto key : path) {
    if (here == nullptr) return nullptr;
    found = here->if_contains(key);
    if (found == nullptr) return nullptr;
    here = found->if_object();
  }
  return found;
}

const json::object* object_at(const json::object& object, JsonPath path) {
  const auto* value = value_at(object, path);
  return value != nullptr ? value->if_object() : nullptr;
}

const json::array& array_at(const json::object& object, JsonPath path) {
  static const json::array kNone;
  const auto* value = value_at(object, path);
  return value != nullptr && value->is_array() ? value->get_array() : kNone;
}

std::vector<const json::object*> objects_at(const json::object& object, JsonPath path) {
  std::vector<const json::object*> found;
  for (const auto& element : array_at(object, path)) {
    if (const auto* one = element.if_object()) found.push_back(one);
  }
  return found;
}

std::string text_at(const json::object& object, JsonPath path) {
  const auto* value = value_at(object, path);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::int64_t number_at(const json::object& object, JsonPath path) {
  const auto* value = value_at(object, path);
  if (value == nullptr) return 0;
  if (const auto* number = value->if_int64()) return *number;
  if (const auto* number = value->if_uint64()) {
    constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
    return *number > static_cast<std::uint64_t>(kMost) ? kMost : static_cast<std::int64_t>(*number);
  }
  return 0;
}

bool true_at(const json::object& object, JsonPath path) {
  const auto* value = value_at(object, path);
  return value != nullptr && value->is_bool() && value->get_bool();
}

std::optional<TimePoint> time_at(const json::object& object, JsonPath path) {
  const auto text = text_at(object, path);
  return text.empty() ? std::nullopt : parse_rfc3339(text);
}

const json::object* named(const json::array& elements, std::string_view name) {
  for (const auto& element : elements) {
    if (element.is_object() && text_at(element.get_object(), {"name"}) == name) {
      return &element.get_object();
    }
  }
  return nullptr;
}

}  // namespace catflap
