#include "sim/openapi.hpp"

#include <fmt/format.h>

namespace catflap::sim {

namespace {

/// "api/v1", "apis/apps/v1".
std::string root_of(const Resource& resource) {
  return (resource.group.empty() ? "api/" : "apis/") + resource.api_version();
}

json::object patch_of(const Kind& kind) {
  json::array parameters;
  for (const auto* name : {"dryRun", "fieldManager", "fieldValidation"})
    parameters.push_back(json::object{
        {"name", name}, {"in", "query"}, {"schema", json::object{{"type", "string"}}}});
  return {{"patch", json::object{{"parameters", std::move(parameters)},
                                 {"responses", json::object{}},
                                 {"x-kubernetes-group-version-kind",
                                  json::object{{"group", kind.resource.group},
                                               {"version", kind.resource.version},
                                               {"kind", kind.name}}}}}};
}

std::string path_of(const Kind& kind) {
  const auto* place = kind.scope == Kind::Scope::namespaced ? "namespaces/{namespace}/" : "";
  return fmt::format("/{}/{}{}/{{name}}", root_of(kind.resource), place, kind.resource.plural);
}

}  // namespace

std::optional<Reply> openapi_reply(const std::vector<Kind>& kinds,
                                   const std::vector<std::string>& segments) {
  if (segments.size() < 2 || segments[0] != "openapi" || segments[1] != "v3") return std::nullopt;
  const auto wanted = fmt::format("{}", fmt::join(segments.begin() + 2, segments.end(), "/"));
  json::object paths;
  for (const auto& kind : kinds) {
    const auto root = root_of(kind.resource);
    if (wanted.empty())
      paths[root] = json::object{{"serverRelativeURL", "/openapi/v3/" + root}};
    else if (wanted == root)
      paths[path_of(kind)] = patch_of(kind);
  }
  if (paths.empty()) return std::nullopt;
  if (wanted.empty()) return json_reply(json::object{{"paths", std::move(paths)}});
  return json_reply(
      json::object{{"openapi", "3.0.0"},
                   {"info", json::object{{"title", "Kubernetes"}, {"version", "unversioned"}}},
                   {"paths", std::move(paths)},
                   {"components", json::object{{"schemas", json::object{}}}}});
}

}  // namespace catflap::sim
