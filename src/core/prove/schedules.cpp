#include "core/prove/schedules.hpp"

#include <array>
#include <charconv>
#include <string_view>

#include "base/json_read.hpp"

namespace catflap {
namespace {

// Taints that the controller itself adds tolerations for; the last one for host-network pods, which
// Felix's are.
constexpr std::array<std::string_view, 7> kAlwaysTolerated{
    "node.kubernetes.io/not-ready",          "node.kubernetes.io/unreachable",
    "node.kubernetes.io/disk-pressure",      "node.kubernetes.io/memory-pressure",
    "node.kubernetes.io/pid-pressure",       "node.kubernetes.io/unschedulable",
    "node.kubernetes.io/network-unavailable"};

bool tolerates(const json::object& toleration, const Taint& taint) {
  const auto effect = text_at(toleration, {"effect"});
  if (!effect.empty() && effect != taint.effect) return false;
  const auto key = text_at(toleration, {"key"});
  if (!key.empty() && key != taint.key) return false;
  const auto op = text_at(toleration, {"operator"});
  if (!op.empty() && op != "Equal") return true;  // Exists, or an operator newer than this code
  return !key.empty() &&
         text_at(toleration, {"value"}) == taint.value;  // an empty key needs Exists
}

bool taints_allow(const json::object& spec, const NodeFacts& node) {
  const auto tolerations = objects_at(spec, {"tolerations"});
  return std::ranges::all_of(node.taints, [&](const Taint& taint) {
    if (taint.effect != "NoSchedule" && taint.effect != "NoExecute") return true;
    if (std::ranges::find(kAlwaysTolerated, taint.key) != kAlwaysTolerated.end()) return true;
    return std::ranges::any_of(tolerations,
                               [&](const json::object* entry) { return tolerates(*entry, taint); });
  });
}

std::optional<long long> whole_number(std::string_view text) {
  long long number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// One matchExpressions or matchFields entry against the node's value (null: the label is absent).
bool requirement_matches(const json::object& requirement, const std::string* have) {
  const auto op = text_at(requirement, {"operator"});
  std::vector<std::string> values;
  for (const auto& value : array_at(requirement, {"values"})) {
    if (value.is_string()) values.emplace_back(value.get_string());
  }
  const bool listed = have != nullptr && std::ranges::find(values, *have) != values.end();
  if (op == "In") return listed;
  if (op == "NotIn") return !listed;
  if (op == "Exists") return have != nullptr;
  if (op == "DoesNotExist") return have == nullptr;
  if (op == "Gt" || op == "Lt") {
    if (have == nullptr || values.size() != 1) return false;
    const auto left = whole_number(*have);
    const auto right = whole_number(values.front());
    if (!left || !right) return false;
    return op == "Gt" ? *left > *right : *left < *right;
  }
  return true;  // an operator newer than this code
}

bool term_matches(const json::object& term, const NodeFacts& node) {
  bool any = false;
  for (const auto* kind : {"matchExpressions", "matchFields"}) {
    for (const auto* entry : objects_at(term, {kind})) {
      any = true;
      const auto key = text_at(*entry, {"key"});
      const auto label = node.labels.find(key);
      const std::string* have = label != node.labels.end() ? &label->second : nullptr;
      if (std::string_view(kind) == "matchFields")
        have = key == "metadata.name" ? &node.name : nullptr;
      if (!requirement_matches(*entry, have)) return false;
    }
  }
  return any;  // a term without requirements matches nothing
}

bool affinity_allows(const json::object& spec, const NodeFacts& node) {
  const auto* terms =
      value_at(spec, {"affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution",
                      "nodeSelectorTerms"});
  if (terms == nullptr || !terms->is_array()) return true;
  return std::ranges::any_of(terms->get_array(), [&](const json::value& term) {
    return term.is_object() && term_matches(term.get_object(), node);
  });
}

bool selector_allows(const json::object& spec, const NodeFacts& node) {
  const auto* selector = spec.if_contains("nodeSelector");
  if (selector == nullptr || !selector->is_object()) return true;
  return std::ranges::all_of(selector->get_object(), [&](const auto& entry) {
    const auto label = node.labels.find(std::string(entry.key()));
    return label != node.labels.end() && entry.value().is_string() &&
           label->second == std::string_view(entry.value().get_string());
  });
}

}  // namespace

bool schedules_on(const json::object& daemon_set, const NodeFacts& node) {
  const auto* spec = object_at(daemon_set, {"spec", "template", "spec"});
  if (spec == nullptr) return true;
  if (const auto name = text_at(*spec, {"nodeName"}); !name.empty() && name != node.name)
    return false;
  return selector_allows(*spec, node) && affinity_allows(*spec, node) && taints_allow(*spec, node);
}

}  // namespace catflap
