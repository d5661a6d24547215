#include "sim/scenario.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "look/match.hpp"
#include "sim/edits.hpp"
#include "sim/embedded.hpp"
#include "sim/json_patch.hpp"
#include "sim/manifests.hpp"
#include "sim/server_kinds.hpp"
#include "sim/yaml.hpp"

namespace catflap::sim {
namespace {

constexpr std::int64_t kMostNodes = 10'000;

/// Addresses that nodes really have.
bool is_played(const IpAddress& address) {
  static const auto kNet4 = *Cidr::parse("10.91.0.0/16");
  static const auto kNet6 = *Cidr::parse("fd91::/16");
  return kNet4.contains(address) || kNet6.contains(address);
}

class Loader {
 public:
  Loader(std::string file, Store& store, const AddressMap& map)
      : file_(std::move(file)), store_(store), manifests_(store), map_(map) {}

  Result<Settings> load(const json::object& cluster);

 private:
  using Keys = std::initializer_list<std::string_view>;
  [[nodiscard]] Error wrong(std::string what) const {
    return {.kind = ErrorKind::usage, .what = std::move(what), .subject = file_};
  }
  [[nodiscard]] Result<void> only(const json::object& object, std::string_view where,
                                  Keys keys) const;
  /// The map under that key; an empty one if there is none.
  [[nodiscard]] Result<json::object> map_at(std::string_view key) const;
  [[nodiscard]] Result<json::array> list_at(std::string_view key) const;
  [[nodiscard]] Result<void> need_node(const std::string& node, std::string_view where) const;

  Result<void> load_install();
  Result<void> load_nodes();
  Result<void> add_node(const json::object& node);
  Result<IpAddress> address(const std::string& text) const;
  Result<void> load_objects();
  void set_version(const std::string& version);
  void set_env(const json::value& env);
  Result<void> load_pods();
  Result<void> load_listeners();
  Result<void> load_user();

  std::string file_;
  Store& store_;
  Manifests manifests_;
  const AddressMap& map_;
  json::object cluster_;
  Settings settings_;
};

Result<void> Loader::only(const json::object& object, std::string_view where, Keys keys) const {
  for (const auto& [key, value] : object) {
    const std::string_view name = key;
    if (std::ranges::find(keys, name) == keys.end())
      return wrong(fmt::format("unknown key \"{}\" in {}", name, where));
  }
  return {};
}

Result<json::object> Loader::map_at(std::string_view key) const {
  const auto* value = cluster_.if_contains(key);
  if (value == nullptr || value->is_null()) return json::object{};
  if (!value->is_object()) return wrong(fmt::format("cluster.{} must be a map", key));
  return value->as_object();
}

Result<json::array> Loader::list_at(std::string_view key) const {
  const auto* value = cluster_.if_contains(key);
  if (value == nullptr || value->is_null()) return json::array{};
  if (!value->is_array()) return wrong(fmt::format("cluster.{} must be a list", key));
  return value->as_array();
}

Result<void> Loader::need_node(const std::string& node, std::string_view where) const {
  if (std::ranges::find(settings_.nodes, node) != settings_.nodes.end()) return {};
  return wrong(fmt::format("cluster.{} names {}, which is no node", where, node));
}

Result<void> Loader::load_install() {
  auto name = text_at(cluster_, {"install"});
  if (name.empty()) name = "manifest";
  const auto all = installs();
  const auto found =
      std::ranges::find(all, std::string_view{name}, [](const auto& one) { return one.first; });
  if (found == all.end()) {
    if (name == "none") return {};
    return wrong(fmt::format("there is no install \"{}\"", name));
  }
  TRY_ASSIGN(const auto documents, parse_yaml(std::string{found->second}, name + ".yaml"));
  for (const auto& document : documents)
    if (document.is_object()) TRY(manifests_.apply(document.as_object()));
  return {};
}

Result<IpAddress> Loader::address(const std::string& text) const {
  const auto address = IpAddress::parse(text);
  if (!address) return wrong(fmt::format("\"{}\" is not an address", printable(text, 60)));
  return *address;
}

Result<void> Loader::add_node(const json::object& node) {
  const auto name = text_at(node, {"name"});
  if (name.empty()) return wrong("a node needs a name");
  TRY(only(node, "cluster.nodes",
           {"name", "addresses", "labels", "annotations", "taints", "ready"}));
  json::object labels{{"kubernetes.io/hostname", name},
                      {"kubernetes.io/os", "linux"},
                      {"kubernetes.io/arch", "amd64"}};
  if (const auto* own = object_at(node, {"labels"}))
    for (const auto& [key, value] : *own) labels[key] = value;
  auto given = array_at(node, {"addresses"});
  if (given.empty()) {
    const auto number = 11 + settings_.nodes.size();
    given.push_back(json::value(fmt::format("10.91.{}.{}", number / 250, number % 250)));
  }
  json::array addresses;
  for (const auto& one : given) {
    const auto text = one.is_string()   ? std::string{one.get_string()}
                      : one.is_object() ? text_at(one.get_object(), {"address"})
                                        : std::string{};
    const auto type = one.is_object() ? text_at(one.get_object(), {"type"}) : "InternalIP";
    TRY_ASSIGN(const auto parsed, address(text));
    // Others are only talked of.
    const auto here = is_played(parsed) ? map_(parsed) : std::optional{parsed};
    if (!here) continue;
    if (is_played(parsed)) settings_.addresses[name].push_back(*here);
    addresses.push_back(json::object{{"type", type}, {"address", here->to_string()}});
  }
  addresses.push_back(json::object{{"type", "Hostname"}, {"address", name}});
  const auto os = text_at(labels, {"kubernetes.io/os"});
  json::object spec;
  if (const auto& taints = array_at(node, {"taints"}); !taints.empty()) spec["taints"] = taints;
  const auto* own_annotations = object_at(node, {"annotations"});
  store_.put(
      kube::kNodes,
      {{"apiVersion", "v1"},
       {"kind", "Node"},
       {"metadata",
        {{"name", name},
         {"labels", labels},
         {"annotations", own_annotations == nullptr ? json::object{} : *own_annotations}}},
       {"spec", spec},
       {"status",
        {{"addresses", addresses},
         {"nodeInfo",
          {{"machineID", fmt::format("{:032x}", settings_.nodes.size() + 1)},
           {"bootID", fmt::format("00000000-0000-4000-8000-{:012x}", settings_.nodes.size() + 1)},
           {"operatingSystem", os},
           {"architecture", text_at(labels, {"kubernetes.io/arch"})},
           {"kubeletVersion", "v" + settings_.kubernetes}}}}}});
  settings_.nodes.push_back(name);
  const auto* ready = node.if_contains("ready");
  if (ready != nullptr && *ready == json::value(false)) settings_.not_ready.insert(name);
  return {};
}

Result<void> Loader::load_nodes() {
  const auto* nodes = cluster_.if_contains("nodes");
  if (nodes != nullptr && nodes->is_array()) {
    for (const auto& node : nodes->as_array()) {
      if (!node.is_object()) return wrong("cluster.nodes must be a number or a list of maps");
      TRY(add_node(node.as_object()));
    }
    return {};
  }
  const auto count = nodes == nullptr ? 3 : number_at(cluster_, {"nodes"});
  if (count < 0 || count > kMostNodes || (nodes != nullptr && !nodes->is_number()))
    return wrong("cluster.nodes must be a number or a list of maps");
  for (std::int64_t i = 1; i <= count; ++i) TRY(add_node({{"name", fmt::format("n{}", i)}}));
  return {};
}

Result<void> Loader::load_objects() {
  TRY_ASSIGN(const auto objects, list_at("objects"));
  for (const auto& object : objects) {
    if (!object.is_object()) return wrong("cluster.objects must be a list of manifests");
    auto applied = manifests_.apply(object.as_object());
    if (!applied) return std::move(applied).error().with_context(file_);
  }
  TRY_ASSIGN(const auto patches, list_at("patches"));
  for (const auto& patch : patches) {
    const auto* merge = patch.is_object() ? object_at(patch.as_object(), {"merge"}) : nullptr;
    if (merge == nullptr) return wrong("cluster.patches must be a list of {target, merge}");
    TRY(only(patch.as_object(), "cluster.patches", {"target", "merge"}));
    auto target = manifests_.find(text_at(patch.as_object(), {"target"}));
    if (!target) return std::move(target).error().with_context(file_);
    store_.edit(*target, [&](json::object& object) {
      object = apply_merge_patch(object, *merge).as_object();
    });
  }
  return {};
}

/// Images of Calico, and what ClusterInformation says.
void Loader::set_version(const std::string& version) {
  const auto retag = [&](json::object& container) {
    const auto image = text_at(container, {"image"});
    const auto tag = look::image_tag(image);
    if (tag.empty() || image.find("calico") == std::string::npos) return;
    container["image"] = image.substr(0, image.rfind(tag)) + version;
  };
  for (const auto& set : store_.select({.resource = kube::kDaemonSets})) {
    const ObjectRef ref{kube::kDaemonSets, text_at(set, {"metadata", "namespace"}), name_of(set)};
    store_.edit(ref, [&](json::object& object) {
      auto& spec = object_in(object_in(object_in(object, "spec"), "template"), "spec");
      for (const auto* key : {"containers", "initContainers"}) {
        if (!spec.contains(key)) continue;
        for (auto& container : array_in(spec, key)) retag(container.as_object());
      }
    });
  }
  for (const auto& resource : {Resource{"crd.projectcalico.org", "v1", "clusterinformations"},
                               Resource{"projectcalico.org", "v3", "clusterinformations"}}) {
    const ObjectRef ref{resource, "", "default"};
    if (store_.find(ref) == nullptr) continue;
    store_.edit(
        ref, [&](json::object& object) { object_in(object, "spec")["calicoVersion"] = version; });
  }
}

void Loader::set_env(const json::value& env) {
  for (const auto& set : store_.select({.resource = kube::kDaemonSets})) {
    const auto* spec = object_at(set, {"spec", "template", "spec"});
    const auto container = spec == nullptr ? std::nullopt : look::felix_container(*spec);
    if (!container) continue;
    const ObjectRef ref{kube::kDaemonSets, text_at(set, {"metadata", "namespace"}), name_of(set)};
    store_.edit(ref, [&](json::object& object) {
      auto& own = object.at("spec").at("template").at("spec").as_object();
      for (auto& one : array_in(own, "containers")) {
        if (text_at(one.as_object(), {"name"}) != *container) continue;
        auto& list = array_in(one.as_object(), "env");
        list = with_env(list, env);
      }
    });
  }
}

Result<void> Loader::load_pods() {
  TRY_ASSIGN(const auto pods, map_at("pods"));
  for (const auto& [node, value] : pods) {
    TRY(need_node(node, "pods"));
    if (!value.is_object()) return wrong("cluster.pods must be a map of maps");
    const auto& pod = value.as_object();
    TRY(only(pod, "cluster.pods", {"env", "ready", "terminating", "stale"}));
    auto& settings = settings_.pods[node];
    if (const auto* env = pod.if_contains("env")) settings.env = *env;
    if (const auto* ready = pod.if_contains("ready")) settings.ready = *ready == json::value(true);
    settings.terminating = true_at(pod, {"terminating"});
    settings.stale = true_at(pod, {"stale"});
  }
  return {};
}

Result<void> Loader::load_listeners() {
  TRY_ASSIGN(const auto listeners, map_at("listeners"));
  for (const auto& [node, list] : listeners) {
    TRY(need_node(node, "listeners"));
    if (!list.is_array()) return wrong("cluster.listeners must be a map of lists");
    for (const auto& value : list.as_array()) {
      if (!value.is_object()) return wrong("cluster.listeners must be a map of lists of maps");
      const auto& one = value.as_object();
      TRY(only(one, "cluster.listeners", {"port", "address", "serves"}));
      ListenerSettings settings{.serves = text_at(one, {"serves"})};
      if (!is_server_kind(settings.serves))
        return wrong(fmt::format("nothing serves \"{}\"", settings.serves));
      const auto port = number_at(one, {"port"});
      if (port < 1 || port > 65535) return wrong("a listener needs a port");
      settings.port = static_cast<Port>(port);
      const auto where = text_at(one, {"address"});
      if (!where.empty() && where != "*") {
        TRY_ASSIGN(const auto parsed, address(where));
        settings.address = parsed.is_loopback() ? parsed : map_(parsed).value_or(parsed);
      }
      settings_.listeners[node].push_back(std::move(settings));
    }
  }
  return {};
}

Result<void> Loader::load_user() {
  if (cluster_.contains("rbac")) {
    settings_.roles.clear();
    TRY_ASSIGN(const auto roles, list_at("rbac"));
    for (const auto& role : roles) {
      if (!role.is_string()) return wrong("cluster.rbac must be a list of role names");
      settings_.roles.emplace_back(role.as_string());
    }
  }
  TRY_ASSIGN(const auto denials, list_at("deny"));
  for (const auto& value : denials) {
    if (!value.is_object()) return wrong("cluster.deny must be a list of {verb, resource}");
    TRY(only(value.as_object(), "cluster.deny", {"verb", "resource"}));
    settings_.deny.push_back(
        {text_at(value.as_object(), {"verb"}), text_at(value.as_object(), {"resource"})});
  }
  TRY_ASSIGN(const auto files, map_at("felix_cfg"));
  for (const auto& [node, text] : files) {
    TRY(need_node(node, "felix_cfg"));
    settings_.felix_cfg[node] = text_at(files, {node});
  }
  return {};
}

Result<Settings> Loader::load(const json::object& cluster) {
  cluster_ = cluster;
  TRY(only(cluster, "cluster",
           {"kubernetes", "install", "calico", "vendor_default", "nodes", "env", "objects",
            "patches", "pods", "listeners", "network", "owner", "rbac", "deny", "felix_cfg"}));
  if (const auto* version = cluster.if_contains("kubernetes"))
    settings_.kubernetes =
        version->is_string() ? std::string{version->get_string()} : json::serialize(*version);
  settings_.vendor_default = true_at(cluster, {"vendor_default"});
  TRY(load_nodes());
  TRY(load_install());
  // The version first: what `objects` and `patches` say of an image is meant.
  const auto version = text_at(cluster, {"calico"});
  set_version(version.empty() ? "v3.30.1" : version);
  TRY(load_objects());
  if (const auto* env = cluster.if_contains("env")) set_env(*env);
  manifests_.add_namespaces();
  TRY(load_pods());
  TRY(load_listeners());
  TRY(load_user());
  return std::move(settings_);
}

}  // namespace

Result<Settings> load_scenario(const std::string& text, const std::string& file, Store& store,
                               const AddressMap& addresses) {
  TRY_ASSIGN(const auto documents, parse_yaml(text, file));
  json::object cluster;
  if (documents.size() != 1 || !documents.front().is_object())
    return Error{.kind = ErrorKind::usage, .what = "a scenario is one map", .subject = file};
  if (const auto* own = documents.front().as_object().if_contains("cluster")) {
    if (!own->is_object())
      return Error{.kind = ErrorKind::usage, .what = "cluster must be a map", .subject = file};
    cluster = own->as_object();
  }
  return Loader(file, store, addresses).load(cluster);
}

}  // namespace catflap::sim
