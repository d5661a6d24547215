#include "look/read_daemon_set.hpp"

#include <algorithm>
#include <limits>

#include "base/json_read.hpp"
#include "look/managed_fields.hpp"
#include "look/match.hpp"
#include "look/read_pod.hpp"

namespace catflap::look {
namespace {

int count_at(const json::object& object, JsonPath path) {
  return static_cast<int>(
      std::clamp<std::int64_t>(number_at(object, path), 0, std::numeric_limits<int>::max()));
}

std::string max_unavailable(const json::object& daemon_set) {
  const auto* value =
      value_at(daemon_set, {"spec", "updateStrategy", "rollingUpdate", "maxUnavailable"});
  if (value == nullptr) return "1";
  return value->is_string() ? std::string(value->get_string()) : json::serialize(*value);
}

/// A template as a ControllerRevision keeps it has "$patch" and, from older servers, nulls.
json::object plain_template(const json::object& from) {
  json::object result = from;
  result.erase("$patch");
  if (auto* metadata = result.if_contains("metadata"); metadata != nullptr) {
    if (auto* object = metadata->if_object(); object != nullptr) {
      auto* created = object->if_contains("creationTimestamp");
      if (created != nullptr && created->is_null()) object->erase("creationTimestamp");
    }
  }
  return result;
}

struct Revision {
  std::string hash;
  std::int64_t number = -1;
  bool equals_template = false;
};

/// Absent and empty lists are the same to Kubernetes.
const json::value& part(const json::object& container, std::string_view key) {
  static const json::value kNothing;
  const auto* value = container.if_contains(key);
  if (value == nullptr || (value->is_array() && value->get_array().empty())) return kNothing;
  return *value;
}

bool same_container(const json::object& left, const json::object& right) {
  return std::ranges::all_of(
      std::initializer_list<std::string_view>{"image", "command", "args", "env", "envFrom"},
      [&](std::string_view key) { return part(left, key) == part(right, key); });
}

}  // namespace

Result<DaemonSetFacts> read_daemon_set(json::object&& daemon_set,
                                       const std::string& felix_container) {
  DaemonSetFacts facts;
  facts.namespace_ = text_at(daemon_set, {"metadata", "namespace"});
  facts.name = text_at(daemon_set, {"metadata", "name"});
  facts.uid = text_at(daemon_set, {"metadata", "uid"});
  facts.resource_version = text_at(daemon_set, {"metadata", "resourceVersion"});
  facts.felix_container = felix_container;
  const auto& containers = array_at(daemon_set, {"spec", "template", "spec", "containers"});
  if (const auto* container = named(containers, felix_container)) {
    facts.image = text_at(*container, {"image"});
  }
  if (const auto* selector = object_at(daemon_set, {"spec", "selector"})) {
    facts.selector = selector_query(*selector);
  }
  // Without it the next request would list every pod of the namespace.
  if (facts.selector.empty()) {
    return Error{.kind = ErrorKind::malformed_input,
                 .what = "its selector is empty or not understood",
                 .subject = "daemonsets.apps " + facts.namespace_ + "/" + facts.name};
  }
  facts.generation = number_at(daemon_set, {"metadata", "generation"});
  facts.observed_generation = number_at(daemon_set, {"status", "observedGeneration"});
  facts.desired = count_at(daemon_set, {"status", "desiredNumberScheduled"});
  facts.updated = count_at(daemon_set, {"status", "updatedNumberScheduled"});
  facts.available = count_at(daemon_set, {"status", "numberAvailable"});
  facts.unavailable = count_at(daemon_set, {"status", "numberUnavailable"});
  facts.on_delete = text_at(daemon_set, {"spec", "updateStrategy", "type"}) == "OnDelete";
  facts.max_unavailable = max_unavailable(daemon_set);
  keep_writers(daemon_set);
  facts.object = std::move(daemon_set);
  return facts;
}

void read_revisions(kube::Api& api, DaemonSetFacts& daemon_set) {
  const auto* now = object_at(daemon_set.object, {"spec", "template"});
  const auto wanted = now != nullptr ? plain_template(*now) : json::object{};
  std::vector<Revision> revisions;
  const auto listed = api.list(
      {.resource = kube::kControllerRevisions,
       .namespace_ = daemon_set.namespace_,
       .label_selector = daemon_set.selector},
      [&] { revisions.clear(); },
      [&](json::object&& object) {
        if (controller_uid(object) != daemon_set.uid) return;
        const auto* kept = object_at(object, {"data", "spec", "template"});
        revisions.push_back(
            {.hash = text_at(object, {"metadata", "labels", "controller-revision-hash"}),
             .number = number_at(object, {"revision"}),
             .equals_template = kept != nullptr && plain_template(*kept) == wanted});
      });
  if (!listed.has_value()) {
    daemon_set.revisions_state = {.readable = false, .why = to_string(listed.error())};
    return;
  }
  const Revision* current = nullptr;
  const Revision* newest = nullptr;
  for (const auto& revision : revisions) {
    if (newest == nullptr || revision.number > newest->number) newest = &revision;
    if (!revision.equals_template) continue;
    if (current == nullptr || revision.number > current->number) current = &revision;
  }
  // A server that was upgraded may show the template with fields that an old revision lacks.
  const bool controller_saw_it = daemon_set.observed_generation >= daemon_set.generation;
  if (current == nullptr && controller_saw_it) current = newest;
  if (current != nullptr) daemon_set.current_hash = current->hash;
}

bool is_stale(const DaemonSetFacts& daemon_set, const std::string& template_hash,
              const json::object& pod_spec) {
  if (!daemon_set.current_hash.empty() && !template_hash.empty()) {
    return template_hash != daemon_set.current_hash;
  }
  // The controller has not even written the new revision: whatever runs is older.
  if (daemon_set.revisions_state.readable && daemon_set.current_hash.empty() &&
      daemon_set.observed_generation < daemon_set.generation) {
    return true;
  }
  const auto* in_template =
      named(array_at(daemon_set.object, {"spec", "template", "spec", "containers"}),
            daemon_set.felix_container);
  const auto* in_pod = named(array_at(pod_spec, {"containers"}), daemon_set.felix_container);
  return in_template == nullptr || in_pod == nullptr || !same_container(*in_template, *in_pod);
}

}  // namespace catflap::look
