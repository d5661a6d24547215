#include "sim/api_handler.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/api_call.hpp"
#include "sim/discovery.hpp"
#include "sim/openapi.hpp"
#include "sim/reviews.hpp"

namespace catflap::sim {

namespace {

std::string verb_of(const ApiRequest& request, const ApiTarget& target) {
  const bool named = !target.name.empty();
  if (request.method == "GET") {
    if (named) return "get";
    return request.is_set("watch") ? "watch" : "list";
  }
  if (request.method == "POST" && (!named || !target.subresource.empty())) return "create";
  if (request.method == "PUT" && named) return "update";
  if (request.method == "PATCH" && named) return "patch";
  if (request.method == "DELETE" && named) return "delete";
  return {};
}

/// RBAC knows the name of a list that asks for one object.
std::string selected_name(const ApiRequest& request) {
  constexpr std::string_view kName = "metadata.name=";
  const auto selector = request.option("fieldSelector");
  return selector.starts_with(kName) ? selector.substr(kName.size()) : std::string{};
}

Reply forbidden(const User& user, const Action& action) {
  const auto plural = action.resource.substr(0, action.resource.find('/'));
  const auto type = action.group.empty() ? plural : plural + "." + action.group;
  const auto name = action.name.empty() ? "" : fmt::format(" \"{}\"", action.name);
  const auto where = action.namespace_.empty()
                         ? std::string{"at the cluster scope"}
                         : fmt::format("in the namespace \"{}\"", action.namespace_);
  json::object details;
  if (!action.name.empty()) details["name"] = action.name;
  if (!action.group.empty()) details["group"] = action.group;
  details["kind"] = plural;
  return failure_reply(
      403, "Forbidden",
      fmt::format("{}{} is forbidden: User \"{}\" cannot {} resource \"{}\" in API group \"{}\" {}",
                  type, name, user.name, action.verb, action.resource, action.group, where),
      std::move(details));
}

Reply forbidden_path(const User& user, const ApiRequest& request) {
  auto verb = request.method;
  std::transform(verb.begin(), verb.end(), verb.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return failure_reply(
      403, "Forbidden",
      fmt::format("forbidden: User \"{}\" cannot {} path \"{}\"", user.name, verb, request.path),
      json::object{});
}

bool is_master(const User& user) {
  return std::find(user.groups.begin(), user.groups.end(), "system:masters") != user.groups.end();
}

}  // namespace

const User* ApiHandler::user_of(const ApiRequest& request) const {
  constexpr std::string_view kBearer = "Bearer ";
  const auto header = request.header("authorization");
  if (!header.starts_with(kBearer)) return nullptr;
  const auto found = users_.find(header.substr(kBearer.size()));
  return found == users_.end() ? nullptr : &found->second;
}

User ApiHandler::impersonated(const std::string& name) const {
  for (const auto& [token, user] : users_)
    if (user.name == name) return user;
  return {.name = name};
}

ApiHandler::Answer ApiHandler::handle(const ApiRequest& request) {
  const auto* user = user_of(request);
  if (user == nullptr) return failure_reply(401, "Unauthorized", "Unauthorized");
  const auto as = request.header("impersonate-user");
  if (as.empty()) return handle_as(*user, request);
  const Action action{.verb = "impersonate", .resource = "users", .name = as};
  if (!is_allowed(*user, action)) return forbidden(*user, action);
  return handle_as(impersonated(as), request);
}

ApiHandler::Answer ApiHandler::handle_as(const User& user, const ApiRequest& request) {
  if (auto found = discover(request)) return *std::move(found);
  if (auto answer = review_reply(user, request)) return *std::move(answer);
  auto target = object_target(request.segments);
  if (!target) {
    if (!is_master(user) && !is_discovery(request.method, request.path))
      return forbidden_path(user, request);
    return text_reply("404 page not found\n", 404);
  }
  auto verb = verb_of(request, *target);
  if (verb.empty()) return method_not_allowed();
  const Action action{.verb = verb,
                      .group = target->group,
                      .resource = target->subresource.empty()
                                      ? target->plural
                                      : target->plural + "/" + target->subresource,
                      .namespace_ = target->namespace_,
                      .name = target->name.empty() ? selected_name(request) : target->name};
  if (!is_allowed(user, action)) return forbidden(user, action);
  const Resource wanted{target->group, target->version, target->plural};
  for (auto& kind : kinds_of(store_)) {
    if (kind.resource != wanted) continue;
    Shape shape(kind, Shape::form_of(request.header("accept")), request.option("includeObject"),
                store_.clock());
    return dispatch({.user = user,
                     .request = request,
                     .target = *std::move(target),
                     .verb = std::move(verb),
                     .kind = std::move(kind),
                     .shape = std::move(shape)});
  }
  return unknown_resource();
}

ApiHandler::Answer ApiHandler::dispatch(const Call& call) {
  const auto& subresource = call.target.subresource;
  if (subresource == "exec" && call.kind.resource == kube::kPods) return exec(call);
  if (subresource == "log" && call.kind.resource == kube::kPods) return log(call);
  if (subresource == "proxy" && call.kind.resource == kube::kPods) return proxy(call);
  if (subresource == "portforward" && call.kind.resource == kube::kPods) return forward(call);
  const bool status = subresource == "status" && call.kind.has_status;
  if (!subresource.empty() && !status) return unknown_resource();
  if (call.verb == "get") return get(call);
  if (call.verb == "list") return list(call);
  if (call.verb == "watch") return watch(call);
  if (call.verb == "create" && !status) return create(call);
  if (call.verb == "update" || call.verb == "patch") return change(call);
  if (call.verb == "delete" && !status) return remove(call);
  return method_not_allowed();
}

std::optional<Reply> ApiHandler::discover(const ApiRequest& request) const {
  const auto& path = request.path;
  if (request.method != "GET") return std::nullopt;
  if (path == "/version" || path == "/version/") return version();
  for (const auto* health : {"/healthz", "/readyz", "/livez"})
    if (path == health) return text_reply("ok");
  const auto kinds = kinds_of(store_);
  if (auto described = openapi_reply(kinds, request.segments)) return described;
  return discovery_reply(kinds, request.segments);
}

Reply ApiHandler::version() const {
  const auto dot = version_.find('.');
  const auto end = version_.find('.', dot + 1);
  return json_reply(json::object{{"major", version_.substr(1, dot - 1)},
                                 {"minor", version_.substr(dot + 1, end - dot - 1)},
                                 {"gitVersion", version_},
                                 {"gitCommit", std::string(40, '0')},
                                 {"gitTreeState", "clean"},
                                 {"buildDate", "1970-01-01T00:00:00Z"},
                                 {"goVersion", "go1.24"},
                                 {"compiler", "gc"},
                                 {"platform", "linux/amd64"}});
}

}  // namespace catflap::sim
