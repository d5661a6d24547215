#include "sim/scheduling.hpp"

#include <algorithm>

#include "sim/edits.hpp"

namespace catflap::sim {
namespace {

json::object toleration(std::string_view key, std::string_view effect) {
  return {{"key", key}, {"operator", "Exists"}, {"effect", effect}};
}

bool tolerates(const json::object& toleration, const json::object& taint) {
  const auto effect = text_at(toleration, {"effect"});
  if (!effect.empty() && effect != text_at(taint, {"effect"})) return false;
  const auto key = text_at(toleration, {"key"});
  if (!key.empty() && key != text_at(taint, {"key"})) return false;
  if (text_at(toleration, {"operator"}) == "Exists") return true;
  return !key.empty() && text_at(toleration, {"value"}) == text_at(taint, {"value"});
}

bool meets(const json::object& requirement, const json::object& values) {
  const auto* value = values.if_contains(text_at(requirement, {"key"}));
  const auto& wanted = array_at(requirement, {"values"});
  const bool among = value != nullptr && std::ranges::find(wanted, *value) != wanted.end();
  const auto op = text_at(requirement, {"operator"});
  if (op == "In") return among;
  if (op == "NotIn") return !among;
  if (op == "Exists") return value != nullptr;
  return op == "DoesNotExist" && value == nullptr;
}

bool meets_term(const json::object& term, const json::object& labels, const json::object& fields) {
  const auto all = [&](std::string_view key, const json::object& values) {
    return std::ranges::all_of(objects_at(term, {key}), [&](const json::object* requirement) {
      return meets(*requirement, values);
    });
  };
  return all("matchExpressions", labels) && all("matchFields", fields);
}

bool selected(const json::object& spec, const json::object& node) {
  static const json::object kNone;
  const auto* own = object_at(node, {"metadata", "labels"});
  const json::object& labels = own != nullptr ? *own : kNone;
  if (const auto* selector = object_at(spec, {"nodeSelector"})) {
    for (const auto& [key, value] : *selector) {
      const auto* label = labels.if_contains(key);
      if (label == nullptr || *label != value) return false;
    }
  }
  const auto* required = object_at(
      spec, {"affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"});
  if (required == nullptr) return true;
  const json::object fields{{"metadata.name", name_of(node)}};
  return std::ranges::any_of(
      objects_at(*required, {"nodeSelectorTerms"}),
      [&](const json::object* term) { return meets_term(*term, labels, fields); });
}

}  // namespace

json::array added_tolerations(bool host_network) {
  json::array all{toleration("node.kubernetes.io/not-ready", "NoExecute"),
                  toleration("node.kubernetes.io/unreachable", "NoExecute"),
                  toleration("node.kubernetes.io/disk-pressure", "NoSchedule"),
                  toleration("node.kubernetes.io/memory-pressure", "NoSchedule"),
                  toleration("node.kubernetes.io/pid-pressure", "NoSchedule"),
                  toleration("node.kubernetes.io/unschedulable", "NoSchedule")};
  if (host_network)
    all.push_back(toleration("node.kubernetes.io/network-unavailable", "NoSchedule"));
  return all;
}

Placement placement(const json::object& pod_template, const json::object& node) {
  static const json::object kNone;
  const auto* own = object_at(pod_template, {"spec"});
  const json::object& spec = own != nullptr ? *own : kNone;
  if (!selected(spec, node)) return Placement::leave;
  auto tolerations = added_tolerations(true_at(spec, {"hostNetwork"}));
  for (const auto* one : objects_at(spec, {"tolerations"})) tolerations.push_back(*one);
  auto result = Placement::run;
  for (const auto* taint : objects_at(node, {"spec", "taints"})) {
    const bool tolerated = std::ranges::any_of(
        tolerations, [&](const json::value& one) { return tolerates(one.as_object(), *taint); });
    if (tolerated) continue;
    const auto effect = text_at(*taint, {"effect"});
    if (effect == "NoExecute") return Placement::leave;
    if (effect == "NoSchedule") result = Placement::stay;
  }
  return result;
}

}  // namespace catflap::sim
