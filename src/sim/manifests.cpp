#include "sim/manifests.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.hpp"
#include "kube/base64.hpp"
#include "sim/edits.hpp"
#include "sim/json_patch.hpp"

namespace catflap::sim {
namespace {

/// Kinds of Kubernetes itself whose objects are in a namespace; Calico's and others' say so by
/// having one.
bool is_namespaced(const std::string& kind) {
  static const std::set<std::string> kKinds{"ConfigMap",
                                            "ControllerRevision",
                                            "DaemonSet",
                                            "Deployment",
                                            "Endpoints",
                                            "Event",
                                            "Job",
                                            "Pod",
                                            "ReplicaSet",
                                            "Role",
                                            "Secret",
                                            "RoleBinding",
                                            "ServiceAccount",
                                            "StatefulSet",
                                            "Service"};
  return kKinds.contains(kind);
}

void encode_string_data(json::object& secret) {
  const auto* plain = object_at(secret, {"stringData"});
  if (plain == nullptr) return;
  const json::object texts = *plain;
  auto& data = object_in(secret, "data");
  for (const auto& [key, value] : texts) data[key] = kube::encode_base64(text_at(texts, {key}));
  secret.erase("stringData");
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts{""};
  for (const char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

}  // namespace

Resource resource_of(const std::string& api_version, const std::string& kind) {
  const auto slash = api_version.find('/');
  auto plural = to_lower(kind);
  if (plural.ends_with("y")) {
    plural.replace(plural.size() - 1, 1, "ies");
  } else if (plural.ends_with("ss") || plural.ends_with("us") || plural.ends_with("ch")) {
    plural += "es";
  } else if (!plural.ends_with("s")) {
    plural += "s";
  }
  if (slash == std::string::npos) return {"", api_version, plural};
  return {api_version.substr(0, slash), api_version.substr(slash + 1), plural};
}

Result<void> Manifests::apply(const json::object& object) {
  const auto kind = text_at(object, {"kind"});
  const auto api_version = text_at(object, {"apiVersion"});
  if (kind == "List") {
    for (const auto* item : objects_at(object, {"items"})) TRY(apply(*item));
    return {};
  }
  if (kind.empty() || api_version.empty() || name_of(object).empty())
    return Error{.kind = ErrorKind::usage,
                 .what = "an object needs apiVersion, kind and metadata.name",
                 .subject = kind + " " + name_of(object)};
  ObjectRef ref{resource_of(api_version, kind), text_at(object, {"metadata", "namespace"}),
                name_of(object)};
  json::object next = object;
  if (ref.namespace_.empty() && is_namespaced(kind)) {
    ref.namespace_ = "default";
    object_in(next, "metadata")["namespace"] = "default";
  }
  if (kind == "Secret") encode_string_data(next);
  if (const auto* known = store_.find(ref)) {
    const auto merged = apply_merge_patch(*known, next);
    store_.edit(ref, [&](json::object& stored) { stored = merged.as_object(); });
    return {};
  }
  store_.put(ref.resource, std::move(next));
  refs_.push_back(ref);
  return {};
}

void Manifests::add_namespaces() {
  std::set<std::string> names{"default", "kube-system", "kube-public", "kube-node-lease"};
  for (const auto& ref : refs_)
    if (!ref.namespace_.empty()) names.insert(ref.namespace_);
  for (const auto& name : names) {
    if (store_.find({kube::kNamespaces, "", name}) != nullptr) continue;
    store_.put(kube::kNamespaces,
               {{"apiVersion", "v1"},
                {"kind", "Namespace"},
                {"metadata", {{"name", name}, {"labels", {{"kubernetes.io/metadata.name", name}}}}},
                {"status", {{"phase", "Active"}}}});
  }
}

Result<ObjectRef> Manifests::find(const std::string& target) const {
  const auto parts = split(target, '/');
  const auto plural = resource_of("v1", parts.front()).plural;
  for (const auto& ref : refs_) {
    if (ref.resource.plural != plural || ref.name != parts.back()) continue;
    if (parts.size() == (ref.namespace_.empty() ? 2u : 3u) &&
        (ref.namespace_.empty() || parts[1] == ref.namespace_))
      return ref;
  }
  return Error{.kind = ErrorKind::usage,
               .what = fmt::format("there is no {}", target),
               .hint = "a target is daemonset/NAMESPACE/NAME, or KIND/NAME without a namespace"};
}

}  // namespace catflap::sim
