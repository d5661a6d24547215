#include "look/json_read.hpp"

#include <limits>

namespace catflap::look {

const json::value* value_at(const json::object& object, Path path) {
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

const json::object* object_at(const json::object& object, Path path) {
  const auto* value = value_at(object, path);
  return value != nullptr ? value->if_object() : nullptr;
}

const json::array& array_at(const json::object& object, Path path) {
  static const json::array kNone;
  const auto* value = value_at(object, path);
  return value != nullptr && value->is_array() ? value->get_array() : kNone;
}

std::string text_at(const json::object& object, Path path) {
  const auto* value = value_at(object, path);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::int64_t number_at(const json::object& object, Path path) {
  const auto* value = value_at(object, path);
  if (value == nullptr) return 0;
  if (const auto* number = value->if_int64()) return *number;
  if (const auto* number = value->if_uint64()) {
    constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
    return *number > static_cast<std::uint64_t>(kMost) ? kMost : static_cast<std::int64_t>(*number);
  }
  return 0;
}

bool true_at(const json::object& object, Path path) {
  const auto* value = value_at(object, path);
  return value != nullptr && value->is_bool() && value->get_bool();
}

std::optional<TimePoint> time_at(const json::object& object, Path path) {
  const auto text = text_at(object, path);
  return text.empty() ? std::nullopt : parse_rfc3339(text);
}

std::optional<TimePoint> changed_at(const json::object& object) {
  auto newest = time_at(object, {"metadata", "creationTimestamp"});
  for (const auto& entry : array_at(object, {"metadata", "managedFields"})) {
    if (!entry.is_object()) continue;
    const auto time = time_at(entry.get_object(), {"time"});
    if (time && (!newest || *time > *newest)) newest = time;
  }
  return newest;
}

void drop_managed_fields(json::object& object) {
  auto* metadata = object.if_contains("metadata");
  if (metadata != nullptr && metadata->is_object()) metadata->get_object().erase("managedFields");
}

const json::object* named(const json::array& entries, std::string_view name) {
  for (const auto& entry : entries) {
    if (entry.is_object() && text_at(entry.get_object(), {"name"}) == name) {
      return &entry.get_object();
    }
  }
  return nullptr;
}

}  // namespace catflap::look
