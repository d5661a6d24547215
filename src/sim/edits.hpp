// Writing into JSON objects without asking whether the way there exists.
#pragma once

#include <algorithm>
#include <boost/json.hpp>
#include <string_view>

#include "base/json_read.hpp"
#include "kube/api.hpp"

namespace catflap::sim {

/// The object of that name in `parent`; made if there is none.
[[nodiscard]] inline json::object& object_in(json::object& parent, std::string_view key) {
  auto& value = parent[key];
  if (!value.is_object()) value = json::object{};
  return value.as_object();
}

[[nodiscard]] inline json::array& array_in(json::object& parent, std::string_view key) {
  auto& value = parent[key];
  if (!value.is_array()) value = json::array{};
  return value.as_array();
}

[[nodiscard]] inline std::string name_of(const json::object& object) {
  return text_at(object, {"metadata", "name"});
}

[[nodiscard]] inline std::string uid_of(const json::object& object) {
  return text_at(object, {"metadata", "uid"});
}

[[nodiscard]] inline kube::ObjectRef pod_ref(const json::object& pod) {
  return {kube::kPods, text_at(pod, {"metadata", "namespace"}), name_of(pod)};
}

[[nodiscard]] inline bool is_condition_true(const json::object& object, std::string_view type) {
  for (const auto* condition : objects_at(object, {"status", "conditions"}))
    if (text_at(*condition, {"type"}) == type) return text_at(*condition, {"status"}) == "True";
  return false;
}

/// How long a pod says that its end may take, in seconds.
[[nodiscard]] inline std::int64_t own_grace(const json::object& pod) {
  const bool says = value_at(pod, {"spec", "terminationGracePeriodSeconds"}) != nullptr;
  return says ? number_at(pod, {"spec", "terminationGracePeriodSeconds"}) : 30;
}

/// Marks a pod as going in so many seconds, as the API server does; bounded to what a time can say.
inline void set_deletion(json::object& pod, TimePoint now, std::int64_t grace) {
  constexpr std::int64_t kMost = 100'000'000;  // three years
  const std::chrono::seconds wait{std::clamp<std::int64_t>(grace, 1, kMost)};
  auto& metadata = object_in(pod, "metadata");
  metadata["deletionTimestamp"] = to_rfc3339(now + wait);
  metadata["deletionGracePeriodSeconds"] = wait.count();
}

}  // namespace catflap::sim
