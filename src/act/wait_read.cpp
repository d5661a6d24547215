// From the API's objects to the few fields that a rollout is judged by. Hostile input: every text
// is bounded.
#include <fmt/format.h>

#include <algorithm>

#include "act/wait.hpp"
#include "base/json_read.hpp"
#include "base/text.hpp"
#include "look/read_node.hpp"

namespace catflap::act {

namespace {

constexpr std::size_t kMaxMessage = 200;
// K: pkg/apis/apps: the template's number, kept as an annotation since apps/v1 has no field for it.
constexpr const char* kTemplateGeneration = "deprecated.daemonset.template.generation";

std::string controller_uid(const json::object& object) {
  for (const auto* owner : objects_at(object, {"metadata", "ownerReferences"}))
    if (true_at(*owner, {"controller"})) return text_at(*owner, {"uid"});
  return {};
}

/// The condition of that type; null if there is none.
const json::object* condition(const json::object& object, std::string_view type) {
  for (const auto* one : objects_at(object, {"status", "conditions"}))
    if (text_at(*one, {"type"}) == type) return one;
  return nullptr;
}

/// Where the DaemonSet controller wants a pod that no scheduler has placed yet.
std::string wanted_node(const json::object& pod) {
  for (const auto* term :
       objects_at(pod, {"spec", "affinity", "nodeAffinity",
                        "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms"})) {
    for (const auto* field : objects_at(*term, {"matchFields"})) {
      const auto* values = value_at(*field, {"values"});
      const auto* list = values == nullptr ? nullptr : values->if_array();
      if (text_at(*field, {"key"}) != "metadata.name" || list == nullptr || list->empty()) continue;
      if (const auto* name = (*list)[0].if_string()) return std::string{*name};
    }
  }
  return {};
}

bool is_ordinary_start(const std::string& reason) {
  return reason == "ContainerCreating" || reason == "PodInitializing";
}

struct Trouble {
  std::string reason, message;
};

/// The worst that one container status says: waiting for a bad reason, or ended with an error.
std::optional<Trouble> container_trouble(const json::object& status, bool init) {
  const auto name = text_at(status, {"name"});
  const auto reason = text_at(status, {"state", "waiting", "reason"});
  if (!reason.empty() && !is_ordinary_start(reason))
    return Trouble{reason, name + ": " + text_at(status, {"state", "waiting", "message"})};
  const auto code = number_at(status, {"state", "terminated", "exitCode"});
  const bool ended = value_at(status, {"state", "terminated"}) != nullptr;
  if (ended && !(init && code == 0))
    return Trouble{"ContainerEnded",
                   fmt::format("{}: exit code {} {}", name, code,
                               text_at(status, {"state", "terminated", "reason"}))};
  return std::nullopt;
}

std::optional<Trouble> containers_trouble(const json::object& pod) {
  for (const auto* status : objects_at(pod, {"status", "initContainerStatuses"}))
    if (auto trouble = container_trouble(*status, true)) return trouble;
  for (const auto* status : objects_at(pod, {"status", "containerStatuses"}))
    if (auto trouble = container_trouble(*status, false)) return trouble;
  return std::nullopt;
}

/// Runs, and is not ready: the readiness probe, or the start-up probe, has not passed.
std::optional<Trouble> probe_trouble(const json::object& pod) {
  for (const auto* status : objects_at(pod, {"status", "containerStatuses"})) {
    if (value_at(*status, {"state", "running"}) == nullptr || true_at(*status, {"ready"})) continue;
    const auto restarts = number_at(*status, {"restartCount"});
    return Trouble{
        "ProbeFailing",
        fmt::format("{}: running, its readiness probe does not pass{}", text_at(*status, {"name"}),
                    restarts == 0 ? "" : fmt::format(", {} restarts", restarts))};
  }
  return std::nullopt;
}

/// Why a pod that is not Ready is not; an empty reason: it is being made.
Trouble pod_trouble(const json::object& pod) {
  const auto phase = text_at(pod, {"status", "phase"});
  if (phase == "Failed" || phase == "Succeeded") {
    const auto reason = text_at(pod, {"status", "reason"});
    return {reason.empty() ? phase : reason, text_at(pod, {"status", "message"})};
  }
  const auto* scheduled = condition(pod, "PodScheduled");
  if (scheduled != nullptr && text_at(*scheduled, {"status"}) == "False")
    return {text_at(*scheduled, {"reason"}), text_at(*scheduled, {"message"})};
  if (auto trouble = containers_trouble(pod)) return *trouble;
  if (auto trouble = probe_trouble(pod)) return *trouble;
  return {};
}

std::string selector_of(const json::object& daemon_set) {
  std::string query;
  const auto add = [&](const std::string& requirement) {
    query += (query.empty() ? "" : ",") + requirement;
  };
  const auto* labels = value_at(daemon_set, {"spec", "selector", "matchLabels"});
  if (labels != nullptr && labels->is_object())
    for (const auto& [key, value] : labels->as_object())
      if (const auto* text = value.if_string())
        add(fmt::format("{}={}", std::string{key}, std::string{*text}));
  for (const auto* one : objects_at(daemon_set, {"spec", "selector", "matchExpressions"})) {
    const auto key = text_at(*one, {"key"});
    const auto op = text_at(*one, {"operator"});
    std::string values;
    if (const auto* list = value_at(*one, {"values"}); list != nullptr && list->is_array())
      for (const auto& value : list->as_array())
        if (const auto* text = value.if_string())
          values += (values.empty() ? "" : ",") + std::string{*text};
    if (op == "In") add(fmt::format("{} in ({})", key, values));
    if (op == "NotIn") add(fmt::format("{} notin ({})", key, values));
    if (op == "Exists") add(key);
    if (op == "DoesNotExist") add("!" + key);
  }
  return query;
}

/// The DaemonSet without what says nothing about nodes.
json::object placement_of(const json::object& daemon_set) {
  const auto* spec = object_at(daemon_set, {"spec", "template", "spec"});
  json::object kept;
  for (const auto* key : {"nodeName", "nodeSelector", "affinity", "tolerations", "hostNetwork"})
    if (const auto* value = spec == nullptr ? nullptr : spec->if_contains(key)) kept[key] = *value;
  return {{"spec", {{"template", {{"spec", std::move(kept)}}}}}};
}

}  // namespace

DaemonSetState read_daemon_set(const json::object& object) {
  const auto count = [&](std::string_view key) {
    return static_cast<int>(
        std::clamp<std::int64_t>(number_at(object, {"status", key}), 0, 1 << 24));
  };
  return {
      .ref = {text_at(object, {"metadata", "namespace"}), text_at(object, {"metadata", "name"})},
      .uid = text_at(object, {"metadata", "uid"}),
      .generation = number_at(object, {"metadata", "generation"}),
      .observed_generation = number_at(object, {"status", "observedGeneration"}),
      .desired = count("desiredNumberScheduled"),
      .updated = count("updatedNumberScheduled"),
      .available = count("numberAvailable"),
      .on_delete = text_at(object, {"spec", "updateStrategy", "type"}) == "OnDelete",
      .deleting = value_at(object, {"metadata", "deletionTimestamp"}) != nullptr,
      .template_generation = text_at(object, {"metadata", "annotations", kTemplateGeneration}),
      .selector = selector_of(object),
      .placement = placement_of(object)};
}

PodState read_pod(const json::object& object) {
  PodState pod{
      .name = text_at(object, {"metadata", "name"}),
      .uid = text_at(object, {"metadata", "uid"}),
      .owner_uid = controller_uid(object),
      .node = text_at(object, {"spec", "nodeName"}),
      .hash = text_at(object, {"metadata", "labels", "controller-revision-hash"}),
      .template_generation = text_at(object, {"metadata", "labels", "pod-template-generation"}),
      .terminating = value_at(object, {"metadata", "deletionTimestamp"}) != nullptr};
  if (pod.node.empty()) pod.node = wanted_node(object);
  const auto* ready = condition(object, "Ready");
  pod.ready = ready != nullptr && text_at(*ready, {"status"}) == "True";
  if (pod.ready) return pod;
  const auto trouble = pod_trouble(object);
  pod.starting = trouble.reason.empty();
  pod.reason = printable(trouble.reason, kMaxMessage);
  pod.message = printable(trouble.message, kMaxMessage);
  return pod;
}

NodeReadiness read_node(const json::object& object) {
  NodeReadiness node{.reason = "NoReadyCondition", .facts = look::read_node(object)};
  const auto* ready = condition(object, "Ready");
  if (ready == nullptr) return node;
  node.ready = text_at(*ready, {"status"}) == "True";
  node.reason = printable(text_at(*ready, {"reason"}), kMaxMessage);
  node.message = printable(text_at(*ready, {"message"}), kMaxMessage);
  return node;
}

RevisionState read_revision(const json::object& object) {
  return {.name = text_at(object, {"metadata", "name"}),
          .owner_uid = controller_uid(object),
          .hash = text_at(object, {"metadata", "labels", "controller-revision-hash"}),
          .revision = number_at(object, {"revision"})};
}

}  // namespace catflap::act
