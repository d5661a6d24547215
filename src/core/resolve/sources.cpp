// Environment, file and FelixConfigurations as layers. The object in the middle, selector-scoped
// FelixConfigurations, has a file of its own (selector_layer.cpp).
#include "core/resolve/sources.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "core/resolve/felix_cfg.hpp"

namespace catflap {
namespace {

constexpr std::string_view kNodePrefix = "node.";
constexpr std::string_view kDefaultPath = "/etc/calico/felix.cfg";

void add_once(std::vector<std::string>& list, const std::string& item) {
  if (!item.empty() && std::find(list.begin(), list.end(), item) == list.end()) {
    list.push_back(item);
  }
}

std::string trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n\v\f";
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return "";
  return std::string{text.substr(first, text.find_last_not_of(kBlanks) - first + 1)};
}

Source object_source(std::string name, std::string field) {
  return {.kind = "FelixConfiguration", .name = std::move(name), .field = std::move(field)};
}

/// Could a source with this prefix set the parameter by some key?
bool may_set(const OpaqueSource& source, const Parameter& parameter) {
  const std::string variable = "felix_" + to_lower(parameter.name);
  return variable.starts_with(felix_lower(source.prefix));
}

/// In a file or an object an empty text is dropped before names that differ in case meet, so it
/// does not compete with another spelling. (In the environment it does: there Felix merges the
/// spellings first.)
void drop_outdone_empties(std::vector<Candidate>& candidates) {
  const auto is_empty = [](const Candidate& candidate) { return candidate.raw.empty(); };
  if (!std::all_of(candidates.begin(), candidates.end(), is_empty)) {
    std::erase_if(candidates, is_empty);
  }
}

}  // namespace

void add_object(const FelixConfiguration& object, const Parameter& parameter, LayerValues& layer) {
  if (!object.broken.empty()) {
    layer.unreadable =
        fmt::format("Felix cannot use FelixConfiguration {}: {}", object.name, object.broken);
    layer.unreadable_source = object_source(object.name, "");
    return;
  }
  std::vector<Candidate> candidates;
  for (const RawSetting& setting : object.settings) {
    if (!names_parameter(setting.name, parameter.name)) continue;
    candidates.push_back({object_source(object.name, setting.field), setting.raw});
  }
  drop_outdone_empties(candidates);
  layer.candidates.insert(layer.candidates.end(), candidates.begin(), candidates.end());
}

Sources::Sources(const ResolveInput& input)
    : input_(input),
      environment_(
          build_environment(input.pod, input.felix_container, input.config_maps, input.secrets)) {
  if (input.file.state == FelixConfigFile::State::text) {
    auto parsed = parse_felix_cfg(input.file.text);
    if (parsed) {
      file_ = std::move(*parsed);
    } else {
      file_problem_ = "Felix does not start with this felix.cfg: " + parsed.error().what;
    }
  } else if (input.file.state == FelixConfigFile::State::unreadable) {
    file_problem_ = "felix.cfg could not be read: " + input.file.why;
  }
  if (input.felix_configurations) {
    for (const json::object& object : *input.felix_configurations) {
      objects_.push_back(read_felix_configuration(object));
    }
  }
  find_hostnames();
  find_datastore();
}

std::vector<LayerValues> Sources::layers(const Parameter& parameter) const {
  return {env_layer(parameter), file_layer(parameter), node_layer(parameter),
          selector_layer(parameter), default_layer(parameter)};
}

Support Sources::since(const Version& release) const {
  const auto version = parse_version(input_.calico_version);
  if (!version) return Support::unknown;
  return *version < release ? Support::no : Support::yes;
}

bool Sources::is_selector_scoped(const FelixConfiguration& object) {
  return object.name != "default" && !object.name.starts_with(kNodePrefix);
}

const FelixConfiguration* Sources::object(std::string_view name) const {
  for (const FelixConfiguration& candidate : objects_) {
    if (candidate.name == name) return &candidate;
  }
  return nullptr;
}

/// calico-node exports NODENAME over FELIX_FELIXHOSTNAME before it starts Felix, but a spelling of
/// the latter in another case survives, and other images leave it alone. So each of them is a name
/// that this Felix may have. Sources: node/filesystem/etc/service/available/felix/run,
/// node/pkg/lifecycle/utils DetermineNodeName.
void Sources::find_hostnames() {
  const EnvVariable* node_name = environment_.find("NODENAME");
  if (node_name && !node_name->value) hostname_problem_ = "NODENAME: " + node_name->why;
  const std::string set = node_name && node_name->value ? trimmed(*node_name->value) : "";
  if (!set.empty()) {
    add_once(hostnames_, set);
  } else if (!input_.node.empty()) {
    add_once(hostnames_, input_.node);
    const auto label = input_.node_labels.find("kubernetes.io/hostname");
    if (label != input_.node_labels.end()) add_once(hostnames_, label->second);
    const EnvVariable* host_name = environment_.find("HOSTNAME");
    if (host_name && host_name->value) add_once(hostnames_, to_lower(trimmed(*host_name->value)));
  }
  for (const EnvVariable& variable : environment_.variables) {
    if (!env_names_parameter(variable.name, "FelixHostname")) continue;
    if (variable.value) add_once(hostnames_, *variable.value);
    if (!variable.value) hostname_problem_ = variable.name + ": " + variable.why;
  }
}

/// With the etcd datastore the objects in the Kubernetes API, if there are any, are not what Felix
/// reads.
void Sources::find_datastore() {
  std::string type;
  bool endpoints = false;
  for (const EnvVariable& variable : environment_.variables) {
    const bool is_type =
        variable.name == "DATASTORE_TYPE" || env_names_parameter(variable.name, "DatastoreType");
    if (is_type && variable.value && type.empty()) type = *variable.value;
    const bool is_endpoint = variable.name == "ETCD_ENDPOINTS" ||
                             variable.name == "ETCD_AUTHORITY" ||
                             env_names_parameter(variable.name, "EtcdEndpoints");
    if (is_endpoint && (!variable.value || !variable.value->empty())) endpoints = true;
  }
  etcd_ = equal_ignoring_case(type, "etcdv3") || (type.empty() && endpoints);
}

LayerValues Sources::env_layer(const Parameter& parameter) const {
  LayerValues layer{.layer = Layer::env};
  for (const EnvVariable& variable : environment_.variables) {
    if (!env_names_parameter(variable.name, parameter.name)) continue;
    if (!variable.value) {
      layer.unreadable = variable.why;
      layer.unreadable_source = variable.source;
      continue;
    }
    layer.candidates.push_back({variable.source, *variable.value});
  }
  // An entry of the env list outranks the same name from envFrom, and not another spelling of it.
  for (const OpaqueSource& opaque : environment_.opaque) {
    if (!may_set(opaque, parameter)) continue;
    layer.unreadable = opaque.why;
    layer.unreadable_source = opaque.source;
  }
  return layer;
}

LayerValues Sources::file_layer(const Parameter& parameter) const {
  LayerValues layer{.layer = Layer::file};
  const Source file{
      .kind = "File",
      .name = input_.file.path.empty() ? std::string{kDefaultPath} : input_.file.path};
  if (!file_problem_.empty()) {
    layer.unreadable = file_problem_;
    layer.unreadable_source = file;
  }
  for (const auto& [key, value] : file_) {
    if (!names_parameter(key, parameter.name)) continue;
    Source source = file;
    source.field = key;
    layer.candidates.push_back({std::move(source), value});
  }
  drop_outdone_empties(layer.candidates);
  return layer;
}

LayerValues Sources::node_layer(const Parameter& parameter) const {
  LayerValues layer{.layer = Layer::fc_node};
  if (!input_.felix_configurations_state.readable || etcd_) {
    layer.unreadable =
        etcd_ ? "FelixConfigurations are in etcd, not in the Kubernetes API"
              : "FelixConfigurations could not be read: " + input_.felix_configurations_state.why;
    layer.unreadable_source = object_source("", "");
    return layer;
  }
  for (const std::string& hostname : hostnames_) {
    const std::size_t before = layer.candidates.size();
    const FelixConfiguration* mine = object(fmt::format("{}{}", kNodePrefix, hostname));
    if (mine) add_object(*mine, parameter, layer);
    // Under this name Felix finds nothing here; that is one of its possibilities.
    if (layer.candidates.size() == before && hostnames_.size() > 1) layer.candidates.push_back({});
  }
  if (hostname_problem_.empty()) return layer;
  for (const FelixConfiguration& candidate : objects_) {
    LayerValues other{.layer = Layer::fc_node};
    if (candidate.name.starts_with(kNodePrefix)) add_object(candidate, parameter, other);
    if (other.candidates.empty() && other.unreadable.empty()) continue;
    layer.unreadable = "the name that Felix has on this node is not known: " + hostname_problem_;
    layer.unreadable_source = object_source(candidate.name, "");
  }
  return layer;
}

LayerValues Sources::default_layer(const Parameter& parameter) const {
  LayerValues layer{.layer = Layer::fc_default};
  if (const FelixConfiguration* global = object("default")) add_object(*global, parameter, layer);
  return layer;
}

}  // namespace catflap
