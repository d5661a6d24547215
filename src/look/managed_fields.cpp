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

void keep_writers(json::object& object) {
  constexpr std::size_t kMostWriters = 20;
  auto* metadata = object.if_contains("metadata");
  if (metadata == nullptr || !metadata->is_object()) return;
  json::array writers;
  for (const auto* entry : objects_at(metadata->get_object(), {"managedFields"})) {
    if (writers.size() == kMostWriters) break;
    if (object_at(*entry, {"fieldsV1", "f:spec"}) == nullptr) continue;
    writers.push_back({{"manager", text_at(*entry, {"manager"}).substr(0, 128)},
                       {"operation", text_at(*entry, {"operation"}).substr(0, 16)}});
  }
  metadata->get_object().erase("managedFields");
  if (!writers.empty()) metadata->get_object()["managedFields"] = std::move(writers);
}

}  // namespace catflap::look
