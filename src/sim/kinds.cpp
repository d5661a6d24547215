#include "sim/kinds.hpp"

#include <algorithm>

#include "base/json_read.hpp"
#include "base/text.hpp"
#include "sim/manifests.hpp"

namespace catflap::sim {

namespace {

using Scope = Kind::Scope;

const std::vector<Kind>& built_in() {
  static const std::string kCalico = "crd.projectcalico.org";
  static const std::vector<Kind> kinds{
      {{"", "v1", "configmaps"}, "ConfigMap", "configmap", {"cm"}, Scope::namespaced, false},
      {{"", "v1", "events"}, "Event", "event", {"ev"}, Scope::namespaced, false},
      {{"", "v1", "namespaces"}, "Namespace", "namespace", {"ns"}, Scope::cluster, true},
      {{"", "v1", "nodes"}, "Node", "node", {"no"}, Scope::cluster, true},
      {{"", "v1", "pods"}, "Pod", "pod", {"po"}, Scope::namespaced, true},
      {{"", "v1", "secrets"}, "Secret", "secret", {}, Scope::namespaced, false},
      {{"", "v1", "serviceaccounts"},
       "ServiceAccount",
       "serviceaccount",
       {"sa"},
       Scope::namespaced,
       false},
      {{"", "v1", "services"}, "Service", "service", {"svc"}, Scope::namespaced, true},
      {{"apps", "v1", "controllerrevisions"},
       "ControllerRevision",
       "controllerrevision",
       {},
       Scope::namespaced,
       false},
      {{"apps", "v1", "daemonsets"}, "DaemonSet", "daemonset", {"ds"}, Scope::namespaced, true},
      {{"apps", "v1", "deployments"},
       "Deployment",
       "deployment",
       {"deploy"},
       Scope::namespaced,
       true},
      {{"batch", "v1", "jobs"}, "Job", "job", {}, Scope::namespaced, true},
      {{kCalico, "v1", "clusterinformations"},
       "ClusterInformation",
       "clusterinformation",
       {},
       Scope::cluster,
       false},
      {{kCalico, "v1", "felixconfigurations"},
       "FelixConfiguration",
       "felixconfiguration",
       {},
       Scope::cluster,
       false},
  };
  return kinds;
}

bool has(const std::vector<Kind>& kinds, const Resource& resource) {
  return std::any_of(kinds.begin(), kinds.end(),
                     [&](const Kind& kind) { return kind.resource == resource; });
}

void add_defined(const json::object& definition, std::vector<Kind>& kinds) {
  Kind kind{.resource = {.group = text_at(definition, {"spec", "group"}),
                         .plural = text_at(definition, {"spec", "names", "plural"})},
            .name = text_at(definition, {"spec", "names", "kind"}),
            .scope = text_at(definition, {"spec", "scope"}) == "Cluster" ? Scope::cluster
                                                                         : Scope::namespaced};
  kind.singular = to_lower(kind.name);
  for (const auto& name : array_at(definition, {"spec", "names", "shortNames"}))
    if (name.is_string()) kind.short_names.emplace_back(name.as_string());
  for (const auto* version : objects_at(definition, {"spec", "versions"})) {
    kind.resource.version = text_at(*version, {"name"});
    kind.has_status = value_at(*version, {"subresources", "status"}) != nullptr;
    if (true_at(*version, {"served"}) && !has(kinds, kind.resource)) kinds.push_back(kind);
  }
}

}  // namespace

bool Kind::is_built_in() const {
  return resource.group.find('.') == std::string::npos || resource.group.ends_with(".k8s.io");
}

Kind kind_of(const json::object& manifest) {
  const auto name = text_at(manifest, {"kind"});
  auto resource = resource_of(text_at(manifest, {"apiVersion"}), name);
  for (const auto& kind : built_in())
    if (kind.resource == resource) return kind;
  const bool namespaced = !text_at(manifest, {"metadata", "namespace"}).empty();
  return {.resource = std::move(resource),
          .name = name,
          .singular = to_lower(name),
          .scope = namespaced ? Scope::namespaced : Scope::cluster};
}

std::vector<Kind> kinds_of(const Store& store) {
  auto kinds = built_in();
  static const Resource kDefinitions{"apiextensions.k8s.io", "v1", "customresourcedefinitions"};
  for (const auto& definition : store.select({.resource = kDefinitions}))
    add_defined(definition, kinds);
  for (const auto& [key, object] : store.samples()) {
    auto kind = kind_of(*object);
    kind.resource.plural = key.substr(0, key.find('.'));
    if (!kind.name.empty() && !has(kinds, kind.resource)) kinds.push_back(std::move(kind));
  }
  return kinds;
}

}  // namespace catflap::sim
