#include "sim/users.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>

namespace catflap::sim {

namespace {

bool holds(const std::vector<std::string>& words, const std::string& word) {
  return std::any_of(words.begin(), words.end(),
                     [&](const auto& one) { return one == "*" || one == word; });
}

bool gives(const Rule& rule, const Action& action) {
  return holds(rule.verbs, action.verb) && holds(rule.api_groups, action.group) &&
         holds(rule.resources, action.resource) &&
         (rule.resource_names.empty() || holds(rule.resource_names, action.name)) &&
         (rule.namespace_.empty() || rule.namespace_ == action.namespace_);
}

bool takes(const std::pair<std::string, std::string>& denied, const Action& action) {
  const auto& [verb, resource] = denied;
  const bool same_verb = verb == "*" || verb == action.verb;
  return same_verb && (resource == "*" || resource == action.resource ||
                       resource == action.resource + "." + action.group);
}

std::vector<std::string> words(const YAML::Node& node) {
  return node.IsDefined() ? node.as<std::vector<std::string>>() : std::vector<std::string>{};
}

void add_rules(const YAML::Node& role, std::vector<Rule>& rules) {
  const auto kind = role["kind"].as<std::string>("");
  if (kind != "Role" && kind != "ClusterRole") return;
  const auto namespace_ =
      kind == "Role" ? role["metadata"]["namespace"].as<std::string>() : std::string{};
  for (const auto& rule : role["rules"])
    rules.push_back({.api_groups = words(rule["apiGroups"]),
                     .resources = words(rule["resources"]),
                     .resource_names = words(rule["resourceNames"]),
                     .verbs = words(rule["verbs"]),
                     .namespace_ = namespace_});
}

}  // namespace

bool is_allowed(const User& user, const Action& action) {
  if (std::any_of(user.denied.begin(), user.denied.end(),
                  [&](const auto& denied) { return takes(denied, action); }))
    return false;
  const auto& groups = user.groups;
  if (std::find(groups.begin(), groups.end(), "system:masters") != groups.end()) return true;
  return std::any_of(user.rules.begin(), user.rules.end(),
                     [&](const Rule& rule) { return gives(rule, action); });
}

Result<std::vector<Rule>> parse_roles(std::string_view yaml) {
  try {
    std::vector<Rule> rules;
    for (const auto& document : YAML::LoadAll(std::string{yaml}))
      if (document.IsMap()) add_rules(document, rules);
    return rules;
  } catch (const YAML::Exception& error) {
    return Error{.kind = ErrorKind::malformed_input,
                 .what = std::string{"the roles cannot be read: "} + error.what()};
  }
}

}  // namespace catflap::sim
