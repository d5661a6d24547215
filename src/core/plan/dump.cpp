// A plan as one line per step.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/json_read.hpp"
#include "core/plan/plan.hpp"
#include "core/resolve/env.hpp"
#include "core/resolve/values.hpp"

namespace catflap {
namespace {

/// "FELIX_PROMETHEUSMETRICSENABLED=true", "…=valueFrom"; the list's other entries stay and are left
/// out.
std::string dump_env(const json::value& env) {
  const json::array* list = env.if_array();
  if (list == nullptr) return "absent";
  std::string text;
  for (const std::size_t i : env_entries_for(*list, kEnabled.name)) {
    const json::object& entry = (*list)[i].get_object();
    const std::string value = entry.contains("valueFrom") ? "valueFrom" : text_at(entry, {"value"});
    text += (text.empty() ? "" : ",") + text_at(entry, {"name"}) + "=" + value;
  }
  return text.empty() ? "unset" : text;
}

std::string dump_value(const Target& target, const json::value& value) {
  if (target.field == "env") return dump_env(value);
  if (value.is_string()) return std::string{value.get_string()};
  return value.is_null() ? "absent" : json::serialize(value);
}

}  // namespace

std::string dump(const Plan& plan) {
  std::string text;
  for (const Step& step : plan.steps) {
    const Target& target = step.change.target;
    std::string object = target.kind + " ";
    if (!target.namespace_.empty()) object += target.namespace_ + "/";
    text += fmt::format("{}: {}{} {}: {} -> {} [{}", step.id, object, target.name, target.field,
                        dump_value(target, step.change.before),
                        dump_value(target, step.change.after), to_string(step.restart));
    if (!step.nodes.empty()) text += fmt::format(": {}", fmt::join(step.nodes, " "));
    text += "]\n";
  }
  return text;
}

}  // namespace catflap
