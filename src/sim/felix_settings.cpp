#include "sim/felix_settings.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "core/resolve/env.hpp"
#include "core/resolve/felix_cfg.hpp"
#include "kube/base64.hpp"
#include "look/config_file.hpp"
#include "look/match.hpp"
#include "look/references.hpp"
#include "sim/edits.hpp"

namespace catflap::sim {
namespace {

constexpr Version kTlsSince{3, 32, 0};
constexpr Version kHostSince{3, 9, 0};

Lookup lookup(const Store& store, const ObjectRef& ref) {
  const auto* object = store.find(ref);
  if (object == nullptr) return {.state = Lookup::State::absent};
  Lookup found{.state = Lookup::State::found};
  const bool secret = ref.resource == kube::kSecrets;
  if (const auto* data = object_at(*object, {"data"}))
    for (const auto& [key, value] : *data) {
      const auto text = text_at(*data, {key});
      found.data[key] = secret ? kube::decode_base64(text).value_or("") : text;
    }
  return found;
}

/// Every ConfigMap and Secret that the container's environment names.
void read_references(const Store& store, const json::object& container,
                     const std::string& namespace_, FelixContainer& into) {
  const auto read = [&](Lookups& lookups, const Resource& resource, const std::string& name) {
    if (!name.empty()) lookups[name] = lookup(store, {resource, namespace_, name});
  };
  for (const auto* entry : objects_at(container, {"envFrom"})) {
    read(into.config_maps, kube::kConfigMaps, text_at(*entry, {"configMapRef", "name"}));
    read(into.secrets, kube::kSecrets, text_at(*entry, {"secretRef", "name"}));
  }
  for (const auto* entry : objects_at(container, {"env"})) {
    read(into.config_maps, kube::kConfigMaps,
         text_at(*entry, {"valueFrom", "configMapKeyRef", "name"}));
    read(into.secrets, kube::kSecrets, text_at(*entry, {"valueFrom", "secretKeyRef", "name"}));
  }
}

const json::object* container_in(const FelixContainer& container) {
  return named(array_at(container.pod, {"spec", "containers"}), container.container);
}

/// Why the reference of that name (configMapRef, secretKeyRef …) in `from` cannot be followed.
std::optional<std::string> missing(const FelixContainer& container, const json::object& from,
                                   std::string_view reference) {
  const auto* ref = object_at(from, {reference});
  if (ref == nullptr || true_at(*ref, {"optional"})) return std::nullopt;
  const bool secret = reference.starts_with("secret");
  const auto& lookups = secret ? container.secrets : container.config_maps;
  const auto name = text_at(*ref, {"name"});
  const auto found = lookups.find(name);
  if (found == lookups.end() || found->second.state != Lookup::State::found)
    return fmt::format("{} \"{}\" not found", secret ? "secret" : "configmap", name);
  const auto key = text_at(*ref, {"key"});
  if (key.empty() || found->second.data.contains(key)) return std::nullopt;
  return fmt::format("couldn't find key {} in {} {}/{}", key, secret ? "Secret" : "ConfigMap",
                     text_at(container.pod, {"metadata", "namespace"}), name);
}

std::string variable(const std::map<std::string, std::string>& environment,
                     const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string{} : found->second;
}

/// The API group that this Felix reads. C: libcalico-go/lib/backend/k8s/discovery.go.
std::vector<json::object> configurations(const Store& store,
                                         const std::map<std::string, std::string>& environment) {
  if (equal_ignoring_case(variable(environment, "DATASTORE_TYPE"), "etcdv3")) return {};
  auto v3 = store.select({.resource = {"projectcalico.org", "v3", "felixconfigurations"}});
  if (equal_ignoring_case(variable(environment, "CALICO_API_GROUP"), "projectcalico.org/v3"))
    return v3;
  auto v1 = store.select({.resource = {"crd.projectcalico.org", "v1", "felixconfigurations"}});
  return v1.empty() ? v3 : v1;
}

std::map<std::string, std::string> node_labels(const Store& store, const std::string& node) {
  std::map<std::string, std::string> labels;
  const auto* object = store.find({kube::kNodes, "", node});
  const auto* own = object != nullptr ? object_at(*object, {"metadata", "labels"}) : nullptr;
  if (own == nullptr) return labels;
  for (const auto& [key, value] : *own) labels[key] = text_at(*own, {key});
  return labels;
}

const json::object* cluster_information(const Store& store) {
  for (const auto& resource : {Resource{"crd.projectcalico.org", "v1", "clusterinformations"},
                               Resource{"projectcalico.org", "v3", "clusterinformations"}})
    if (const auto* found = store.find({resource, "", "default"})) return found;
  return nullptr;
}

std::string cluster_version(const Store& store) {
  const auto* found = cluster_information(store);
  return found == nullptr ? std::string{} : text_at(*found, {"spec", "calicoVersion"});
}

/// As the image's tag says, or the cluster's own word.
std::string version_of(const Store& store, const FelixContainer& container) {
  const auto* own = container_in(container);
  const auto tag = own != nullptr ? look::image_tag(text_at(*own, {"image"})) : std::string{};
  return parse_version(tag) ? tag : cluster_version(store);
}

/// calico-node writes true before Felix starts where nothing is said. C:
/// node/pkg/lifecycle/startup.
bool waits_for_datastore(const Store& store,
                         const std::map<std::string, std::string>& environment) {
  if (equal_ignoring_case(variable(environment, "DATASTORE_TYPE"), "etcdv3")) return false;
  const auto* found = cluster_information(store);
  const auto* ready = found == nullptr ? nullptr : value_at(*found, {"spec", "datastoreReady"});
  return ready != nullptr && ready->is_bool() && !ready->as_bool();
}

/// A change of any field that Felix resolves makes it start anew, not only of those about metrics.
std::string other_fields(const std::vector<json::object>& objects, const std::string& node,
                         const std::map<std::string, std::string>& environment) {
  std::map<std::string, std::string> fields;
  const auto overlay = [&](std::string_view name) {
    for (const auto& object : objects) {
      const auto* spec = object_at(object, {"spec"});
      if (spec == nullptr || name_of(object) != name) continue;
      for (const auto& [key, value] : *spec)
        if (!value.is_null()) fields[key] = json::serialize(value);
    }
  };
  overlay("default");
  overlay("node." + node);
  std::erase_if(fields, [&](const auto& field) {
    return field.first.starts_with("prometheusMetrics") ||
           std::ranges::any_of(environment, [&](const auto& entry) {
             return equal_ignoring_case(entry.first, "felix_" + field.first);
           });
  });
  std::string text;
  for (const auto& [key, value] : fields) text += key + "=" + value + "\n";
  return text;
}

std::string server_kind(const Declared& declared, const std::optional<Version>& version) {
  if (!declared.tls.value.value_or(false) || (version && *version < kTlsSince)) return "felix";
  if (!declared.ca_file_set.value_or(false)) return "";
  switch (declared.client_auth.value.value_or(ClientAuth::no_client_cert)) {
    case ClientAuth::require_and_verify:
      return "felix-mtls";
    case ClientAuth::require_any:
      return "felix-any-cert";
    case ClientAuth::verify_if_given:
      return "felix-verify-if-given";
    case ClientAuth::no_client_cert:
      break;
  }
  return "felix-tls";
}

bool is_enabled(const Declared& declared, bool vendor_default) {
  if (declared.enabled.state == ParamState::ambiguous) return true;
  if (vendor_default && rests_on_default(declared.enabled)) return true;
  return declared.enabled.value.value_or(false);
}

}  // namespace

FelixContainer felix_container_of(const Store& store, const json::object& pod,
                                  const std::string& container) {
  FelixContainer made{
      .pod = pod, .container = container, .node = text_at(pod, {"spec", "nodeName"})};
  if (const auto* own = container_in(made))
    read_references(store, *own, text_at(pod, {"metadata", "namespace"}), made);
  return made;
}

std::map<std::string, std::string> environment_of(const FelixContainer& container) {
  std::map<std::string, std::string> environment;
  const auto built = build_environment(container.pod, container.container, container.config_maps,
                                       container.secrets);
  for (const auto& one : built.variables)
    if (one.value) environment[one.name] = *one.value;
  return environment;
}

std::optional<std::string> missing_reference(const FelixContainer& container) {
  const auto* own = container_in(container);
  if (own == nullptr) return std::nullopt;
  for (const auto* entry : objects_at(*own, {"envFrom"})) {
    if (auto why = missing(container, *entry, "configMapRef")) return why;
    if (auto why = missing(container, *entry, "secretRef")) return why;
  }
  for (const auto* entry : objects_at(*own, {"env"})) {
    const auto* from = object_at(*entry, {"valueFrom"});
    if (from == nullptr) continue;
    if (auto why = missing(container, *from, "configMapKeyRef")) return why;
    if (auto why = missing(container, *from, "secretKeyRef")) return why;
  }
  return std::nullopt;
}

std::optional<std::string> mounted_felix_cfg(const Store& store, const FelixContainer& container) {
  const auto* own = container_in(container);
  const auto* spec = object_at(container.pod, {"spec"});
  if (own == nullptr || spec == nullptr) return std::nullopt;
  const auto source =
      look::config_file_source(*spec, *own, text_at(container.pod, {"metadata", "namespace"}));
  if (source.kind != look::ConfigFileSource::Kind::config_map) return std::nullopt;
  const auto map = lookup(store, {kube::kConfigMaps, source.ref.namespace_, source.ref.name});
  const auto text = map.data.find(source.key);
  return text == map.data.end() ? std::nullopt : std::optional{text->second};
}

Declared felix_declared(const Store& store, const FelixContainer& container,
                        const std::optional<std::string>& file) {
  const auto objects = configurations(store, environment_of(container));
  ResolveInput input{.pod = container.pod,
                     .felix_container = container.container,
                     .node = container.node,
                     .node_labels = node_labels(store, container.node),
                     .config_maps = container.config_maps,
                     .secrets = container.secrets,
                     .felix_configurations = &objects};
  const auto text = file ? file : mounted_felix_cfg(store, container);
  if (text) input.file = {.state = FelixConfigFile::State::text, .text = *text};
  input.calico_version = version_of(store, container);
  return resolve(input);
}

FelixSettings felix_settings(const Store& store, const FelixContainer& container,
                             const std::optional<std::string>& file, bool vendor_default) {
  const auto environment = environment_of(container);
  const auto text = file ? file : mounted_felix_cfg(store, container);
  const auto version = parse_version(version_of(store, container));
  const auto declared = felix_declared(store, container, file);
  FelixSettings settings{
      .runs = variable(environment, "CALICO_DISABLE_FELIX").empty() &&
              (!text || parse_felix_cfg(*text).has_value()),
      .waits = waits_for_datastore(store, environment),
      .enabled = is_enabled(declared, vendor_default),
      .port = declared.port.value.value_or(kDefaultMetricsPort),
      .host = version && *version < kHostSince ? "" : declared.host.value.value_or(""),
      .serves = server_kind(declared, version),
      .other = other_fields(configurations(store, environment), container.node, environment)};
  if (!declared.other_ports.empty()) settings.health_port = declared.other_ports.front();
  return settings;
}

}  // namespace catflap::sim
