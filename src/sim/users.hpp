// Who may do what on the embedded API server: bearer tokens, and rules as RBAC has them.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace catflap::sim {

/// As in a Role; "*" stands for all.
struct Rule {
  std::vector<std::string> api_groups;
  std::vector<std::string> resources;  // "pods/exec" for a subresource
  std::vector<std::string> resource_names;
  std::vector<std::string> verbs;
  std::string namespace_;  // where it holds; empty: everywhere
};

struct User {
  std::string name;
  std::vector<std::string> groups;  // with system:masters all is allowed
  std::vector<Rule> rules;
  /// (verb, resource) that the rules do not give after all: {"get", "secrets"}, {"*", "pods/exec"}.
  std::vector<std::pair<std::string, std::string>> denied;
};

/// By bearer token.
using Users = std::map<std::string, User>;

struct Action {
  std::string verb;  // get, list, watch, create, update, patch, delete, impersonate
  std::string group;
  std::string resource;  // with the subresource, "pods/exec"
  std::string namespace_;
  std::string name;
};

[[nodiscard]] bool is_allowed(const User& user, const Action& action);

/// The rules of the Roles and ClusterRoles in a YAML text of manifests, as if each were bound by a
/// binding of its own kind. Other kinds are passed over; malformed_input if it is not YAML, or a
/// role is not one.
[[nodiscard]] Result<std::vector<Rule>> parse_roles(std::string_view yaml);

}  // namespace catflap::sim
