#include "look/managed_fields.hpp"

namespace catflap::look {

std::optional<TimePoint> changed_at(const json::object& object) {
  auto newest = time_at(object, {"metadata", "creationTimestamp"});
  for (const auto* entry : objects_at(object, {"metadata", "managedFields"})) {
    const auto time = time_at(*entry, {"time"});
    if (time && (!newest || *time > *newest)) newest = time;
  }
  return newest;
}

void drop_managed_fields(json::object& object) {
  auto* metadata = object.if_contains("metadata");
  if (metadata != nullptr && metadata->is_object()) metadata->get_object().erase("managedFields");
}

}  // namespace catflap::look
