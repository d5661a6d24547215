#include "sim/discovery.hpp"

#include <map>
#include <set>

namespace catflap::sim {

namespace {

json::array verbs(std::initializer_list<std::string_view> words) {
  json::array out;
  for (const auto word : words) out.push_back(json::value(word));
  return out;
}

json::object resource_of(const Kind& kind) {
  json::object resource{
      {"name", kind.resource.plural},
      {"singularName", kind.singular},
      {"namespaced", kind.scope == Kind::Scope::namespaced},
      {"kind", kind.name},
      {"verbs", verbs({"create", "delete", "get", "list", "patch", "update", "watch"})}};
  // What kubectl get all asks for.
  for (const auto* one : {"DaemonSet", "Deployment", "Pod", "Service"})
    if (kind.name == one && kind.is_built_in()) resource["categories"] = json::array{"all"};
  if (!kind.short_names.empty())
    resource["shortNames"] = json::array(kind.short_names.begin(), kind.short_names.end());
  return resource;
}

json::object subresource_of(const Kind& kind, const std::string& name, const std::string& type,
                            json::array can) {
  return {{"name", kind.resource.plural + "/" + name},
          {"singularName", ""},
          {"namespaced", kind.scope == Kind::Scope::namespaced},
          {"kind", type},
          {"verbs", std::move(can)}};
}

std::optional<Reply> resources_of(const std::vector<Kind>& kinds, const std::string& group,
                                  const std::string& version) {
  json::array resources;
  std::string group_version;
  for (const auto& kind : kinds) {
    if (kind.resource.group != group || kind.resource.version != version) continue;
    group_version = kind.resource.api_version();
    resources.push_back(resource_of(kind));
    if (kind.has_status)
      resources.push_back(
          subresource_of(kind, "status", kind.name, verbs({"get", "patch", "update"})));
    if (kind.resource == kube::kPods)
      resources.push_back(subresource_of(kind, "exec", "PodExecOptions", verbs({"create", "get"})));
  }
  if (resources.empty()) return std::nullopt;
  return json_reply(json::object{{"kind", "APIResourceList"},
                                 {"apiVersion", "v1"},
                                 {"groupVersion", group_version},
                                 {"resources", std::move(resources)}});
}

json::object group_of(const std::string& name, const std::set<std::string>& versions) {
  json::array all;
  for (const auto& version : versions)
    all.push_back(json::object{{"groupVersion", name + "/" + version}, {"version", version}});
  json::value preferred = all.front();
  return {{"name", name}, {"versions", std::move(all)}, {"preferredVersion", std::move(preferred)}};
}

}  // namespace

std::optional<Reply> discovery_reply(const std::vector<Kind>& kinds,
                                     const std::vector<std::string>& segments) {
  if (segments.size() == 1 && segments[0] == "api")
    return json_reply(json::object{{"kind", "APIVersions"},
                                   {"versions", json::array{"v1"}},
                                   {"serverAddressByClientCIDRs", json::array{}}});
  if (segments.size() == 2 && segments[0] == "api") return resources_of(kinds, "", segments[1]);
  if (segments.empty() || segments[0] != "apis" || segments.size() > 3) return std::nullopt;
  if (segments.size() == 3) return resources_of(kinds, segments[1], segments[2]);
  std::map<std::string, std::set<std::string>> groups;
  for (const auto& kind : kinds)
    if (!kind.resource.group.empty()) groups[kind.resource.group].insert(kind.resource.version);
  if (segments.size() == 2) {
    const auto found = groups.find(segments[1]);
    if (found == groups.end()) return std::nullopt;
    json::object group{{"kind", "APIGroup"}, {"apiVersion", "v1"}};
    for (auto& [key, value] : group_of(found->first, found->second)) group[key] = value;
    return json_reply(group);
  }
  json::array all;
  for (const auto& [name, versions] : groups) all.push_back(group_of(name, versions));
  return json_reply(
      json::object{{"kind", "APIGroupList"}, {"apiVersion", "v1"}, {"groups", std::move(all)}});
}

}  // namespace catflap::sim
