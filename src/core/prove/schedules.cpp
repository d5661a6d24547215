#include "core/prove/schedules.hpp"

#include <array>
#include <charconv>
#include <string_view>

namespace catflap {
namespace {

// Taints that the controller itself adds tolerations for; the last one for host-network pods, which
// Felix's are.
constexpr std::array<std::string_view, 7> kAlwaysTolerated{
    "node.kubernetes.io/not-ready",          "node.kubernetes.io/unreachable",
    "node.kubernetes.io/disk-pressure",      "node.kubernetes.io/memory-pressure",
    "node.kubernetes.io/pid-pressure",       "node.kubernetes.io/unschedulable",
    "node.kubernetes.io/network-unavailable"};

const json::value* at_path(const json::object& object,
                           std::initializer_list<std::string_view> path) {
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

std::string text_of(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

bool tolerates(const json::object& toleration, const Taint& taint) {
  const auto effect = text_of(toleration, "effect");
  if (!effect.empty() && effect != taint.effect) return false;
  const auto key = text_of(toleration, "key");
  if (!key.empty() && key != taint.key) return false;
  const auto op = text_of(toleration, "operator");
  if (op == "Exists") return true;
  return !key.empty() && text_of(toleration, "value") == taint.value;  // an empty key needs Exists
}

bool taints_allow(const json::object* spec, const NodeFacts& node) {
  const auto* tolerations = spec->if_contains("tolerations");
  const auto* list = tolerations != nullptr ? tolerations->if_array() : nullptr;
  return std::ranges::all_of(node.taints, [&](const Taint& taint) {
    if (taint.effect != "NoSchedule" && taint.effect != "NoExecute") return true;
    if (std::ranges::find(kAlwaysTolerated, taint.key) != kAlwaysTolerated.end()) return true;
    return list != nullptr && std::ranges::any_of(*list, [&](const json::value& entry) {
             return entry.is_object() && tolerates(entry.get_object(), taint);
           });
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
  const auto op = text_of(requirement, "operator");
  std::vector<std::string> values;
  if (const auto* list = requirement.if_contains("values"); list != nullptr && list->is_array()) {
    for (const auto& value : list->get_array()) {
      if (value.is_string()) values.emplace_back(value.get_string());
    }
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
    const auto* list = term.if_contains(kind);
    if (list == nullptr || !list->is_array()) continue;
    for (const auto& entry : list->get_array()) {
      if (!entry.is_object()) continue;
      any = true;
      const auto key = text_of(entry.get_object(), "key");
      const auto label = node.labels.find(key);
      const std::string* have = label != node.labels.end() ? &label->second : nullptr;
      if (std::string_view(kind) == "matchFields")
        have = key == "metadata.name" ? &node.name : nullptr;
      if (!requirement_matches(entry.get_object(), have)) return false;
    }
  }
  return any;  // a term without requirements matches nothing
}

bool affinity_allows(const json::object& spec, const NodeFacts& node) {
  const auto* terms =
      at_path(spec, {"affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution",
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
  const auto* template_spec = at_path(daemon_set, {"spec", "template", "spec"});
  const auto* spec = template_spec != nullptr ? template_spec->if_object() : nullptr;
  if (spec == nullptr) return true;
  if (const auto name = text_of(*spec, "nodeName"); !name.empty() && name != node.name)
    return false;
  return selector_allows(*spec, node) && affinity_allows(*spec, node) && taints_allow(spec, node);
}

}  // namespace catflap
