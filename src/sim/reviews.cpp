#include "sim/reviews.hpp"

#include <algorithm>

#include "base/json_read.hpp"
#include "base/text.hpp"
#include "sim/api_body.hpp"

namespace catflap::sim {

namespace {

constexpr const char* kAuthorization = "/apis/authorization.k8s.io/v1/";
constexpr const char* kAuthentication = "/apis/authentication.k8s.io/v1/";
constexpr const char* kEverybodyGets[]{"/api",       "/api/*",   "/apis",    "/apis/*",
                                       "/healthz",   "/livez",   "/readyz",  "/openapi",
                                       "/openapi/*", "/version", "/version/"};

bool is_master(const User& user) {
  return std::ranges::find(user.groups, "system:masters") != user.groups.end();
}

json::array array_of(const std::vector<std::string>& words) {
  return json::array(words.begin(), words.end());
}

json::object access(const User& user, const json::object& spec) {
  bool allowed = false;
  if (const auto* wanted = object_at(spec, {"resourceAttributes"})) {
    const auto subresource = text_at(*wanted, {"subresource"});
    const auto resource = text_at(*wanted, {"resource"});
    allowed =
        is_allowed(user, {.verb = text_at(*wanted, {"verb"}),
                          .group = text_at(*wanted, {"group"}),
                          .resource = subresource.empty() ? resource : resource + "/" + subresource,
                          .namespace_ = text_at(*wanted, {"namespace"}),
                          .name = text_at(*wanted, {"name"})});
  } else if (const auto* path = object_at(spec, {"nonResourceAttributes"})) {
    allowed = is_master(user) || is_discovery(text_at(*path, {"verb"}), text_at(*path, {"path"}));
  }
  json::object status{{"allowed", allowed}};
  if (allowed) status["reason"] = "allowed by the embedded cluster's rules";
  return status;
}

json::object rules_of(const User& user, const std::string& namespace_) {
  json::array resources;
  if (is_master(user))
    resources.push_back(json::object{{"verbs", json::array{"*"}},
                                     {"apiGroups", json::array{"*"}},
                                     {"resources", json::array{"*"}}});
  for (const auto& rule : user.rules) {
    if (!rule.namespace_.empty() && rule.namespace_ != namespace_) continue;
    json::object one{{"verbs", array_of(rule.verbs)},
                     {"apiGroups", array_of(rule.api_groups)},
                     {"resources", array_of(rule.resources)}};
    if (!rule.resource_names.empty()) one["resourceNames"] = array_of(rule.resource_names);
    resources.push_back(std::move(one));
  }
  json::array paths;
  for (const auto* path : kEverybodyGets) paths.push_back(json::value(path));
  json::object status{
      {"resourceRules", std::move(resources)},
      {"nonResourceRules", json::array{json::object{{"verbs", json::array{"get"}},
                                                    {"nonResourceURLs", std::move(paths)}}}},
      {"incomplete", !user.denied.empty()}};
  if (!user.denied.empty())
    status["evaluationError"] = "the scenario denies some of what these rules give";
  return status;
}

}  // namespace

bool is_discovery(std::string_view method, std::string_view path) {
  if (!equal_ignoring_case(method, "get")) return false;
  return std::ranges::any_of(kEverybodyGets, [&](std::string_view known) {
    if (!known.ends_with('*')) return path == known;
    return path.starts_with(known.substr(0, known.size() - 1));
  });
}

std::optional<Reply> review_reply(const User& user, const ApiRequest& request) {
  if (request.method != "POST") return std::nullopt;
  const bool may = request.path == std::string{kAuthorization} + "selfsubjectaccessreviews";
  const bool rules = request.path == std::string{kAuthorization} + "selfsubjectrulesreviews";
  const bool who = request.path == std::string{kAuthentication} + "selfsubjectreviews";
  if (!may && !rules && !who) return std::nullopt;
  auto body = read_object(request);
  if (auto* reply = std::get_if<Reply>(&body)) return std::move(*reply);
  auto& object = std::get<json::value>(body).get_object();
  const auto* asked = object_at(object, {"spec"});
  const auto spec = asked == nullptr ? json::object{} : *asked;
  if (may) {
    object["status"] = access(user, spec);
  } else if (rules) {
    object["status"] = rules_of(user, text_at(spec, {"namespace"}));
  } else {
    object["status"] = json::object{
        {"userInfo", json::object{{"username", user.name}, {"groups", array_of(user.groups)}}}};
  }
  return json_reply(object, 201);
}

}  // namespace catflap::sim
