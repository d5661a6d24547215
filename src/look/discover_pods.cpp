#include "look/discover_pods.hpp"

#include <algorithm>
#include <deque>
#include <unordered_map>
#include <unordered_set>

#include "base/json_read.hpp"
#include "look/calico.hpp"
#include "look/config_file.hpp"
#include "look/match.hpp"
#include "look/read_daemon_set.hpp"
#include "look/read_pod.hpp"

namespace catflap::look {
namespace {

/// What resolve needs of a pod's spec.
struct Shape {
  json::object container;  // name, env, envFrom, image, resources
  ConfigFileSource file;
  std::set<Ref> refs;
};

/// A pod that was listed and waits for its references to be read.
struct Draft {
  PodFacts facts;
  const Shape* shape = nullptr;
  json::object metadata;  // only what an environment variable can refer to
  json::object spec;
  json::object status;
};

void copy_members(const json::object& from, json::object& to,
                  std::initializer_list<std::string_view> keys) {
  for (const auto key : keys) {
    if (const auto* value = from.if_contains(key)) to[key] = *value;
  }
}

/// Does an environment variable take its value from the pod's labels or annotations?
bool refers_to(const json::object& container, std::string_view field) {
  return std::ranges::any_of(array_at(container, {"env"}), [&](const json::value& entry) {
    return entry.is_object() &&
           text_at(entry.get_object(), {"valueFrom", "fieldRef", "fieldPath"}).starts_with(field);
  });
}

class PodReader {
 public:
  PodReader(ClusterFacts& facts, References& references) : facts_(facts), references_(references) {
    for (std::size_t i = 0; i < facts.nodes.size(); ++i) node_index_[facts.nodes[i].name] = i;
  }

  Result<void> read(kube::Api& api, const DaemonSetFacts& daemon_set);
  void resolve_template(DaemonSetFacts& daemon_set);

 private:
  std::optional<Draft> draft(const json::object& pod, const DaemonSetFacts& daemon_set);
  bool left_behind(const std::string& owner, const json::object& spec) const;
  const Shape* shape_of(const json::object& spec, const std::string& container_name,
                        const std::string& namespace_);
  ResolveInput input_for(const Shape& shape, const DaemonSetFacts& daemon_set,
                         std::optional<TimePoint> started) const;
  void finish(Draft&& draft, const DaemonSetFacts& daemon_set);

  ClusterFacts& facts_;
  References& references_;
  std::deque<Shape> shapes_;
  std::unordered_map<std::string, std::size_t> node_index_;
  std::unordered_set<std::string> seen_;  // uids: selectors of two DaemonSets may overlap
};

const Shape* PodReader::shape_of(const json::object& spec, const std::string& container_name,
                                 const std::string& namespace_) {
  Shape shape;
  const auto* container = named(array_at(spec, {"containers"}), container_name);
  if (container != nullptr) {
    copy_members(*container, shape.container,
                 {"name", "image", "env", "envFrom", "resources", "command", "args"});
    shape.file = config_file_source(spec, *container, namespace_);
    shape.refs = environment_refs(*container, namespace_);
    if (shape.file.kind == ConfigFileSource::Kind::config_map) shape.refs.insert(shape.file.ref);
  }
  const auto same = std::ranges::find_if(shapes_, [&](const Shape& known) {
    return known.file == shape.file && known.refs == shape.refs &&
           known.container == shape.container;
  });
  return same != shapes_.end() ? &*same : &shapes_.emplace_back(std::move(shape));
}

/// A pod of a DaemonSet that was deleted without its pods, or made anew: it runs on.
bool PodReader::left_behind(const std::string& owner, const json::object& spec) const {
  const bool listed = std::ranges::any_of(
      facts_.daemon_sets, [&](const DaemonSetFacts& known) { return known.uid == owner; });
  return !listed && felix_container(spec).has_value();
}

std::optional<Draft> PodReader::draft(const json::object& pod, const DaemonSetFacts& daemon_set) {
  const auto* spec = object_at(pod, {"spec"});
  if (spec == nullptr) return std::nullopt;
  const auto owner = controller_uid(pod);
  const bool orphan = left_behind(owner, *spec);
  if (owner != daemon_set.uid && !orphan) return std::nullopt;
  // A pod older than the template may call its Felix container otherwise.
  const auto& containers = array_at(*spec, {"containers"});
  const auto container = named(containers, daemon_set.felix_container) != nullptr
                             ? daemon_set.felix_container
                             : felix_container(*spec).value_or(daemon_set.felix_container);
  Draft result{.facts = read_pod(pod, container)};
  result.facts.daemon_set = daemon_set.name;
  result.facts.stale = orphan || is_stale(daemon_set, result.facts.template_hash, *spec);
  result.shape = shape_of(*spec, container, result.facts.namespace_);
  if (const auto* metadata = object_at(pod, {"metadata"})) {
    copy_members(*metadata, result.metadata, {"name", "namespace", "uid", "ownerReferences"});
    const auto& own = result.shape->container;
    if (refers_to(own, "metadata.labels")) copy_members(*metadata, result.metadata, {"labels"});
    if (refers_to(own, "metadata.annotations")) {
      copy_members(*metadata, result.metadata, {"annotations"});
    }
  }
  copy_members(*spec, result.spec,
               {"nodeName", "serviceAccountName", "hostNetwork", "enableServiceLinks"});
  if (const auto* status = object_at(pod, {"status"})) {
    copy_members(*status, result.status, {"hostIP", "hostIPs", "podIP", "podIPs"});
  }
  return result;
}

ResolveInput PodReader::input_for(const Shape& shape, const DaemonSetFacts& daemon_set,
                                  std::optional<TimePoint> started) const {
  ResolveInput input;
  input.felix_container = text_at(shape.container, {"name"});
  for (const auto& ref : shape.refs) {
    auto& lookups = ref.kind == RefKind::secret ? input.secrets : input.config_maps;
    lookups[ref.name] = references_.lookup(ref, started);
  }
  input.file = read_config_file(shape.file, references_, started);
  input.felix_configurations = &facts_.felix_configurations;
  input.felix_configurations_state = configurations_state_for(facts_, daemon_set);
  input.calico_version =
      agreed_version(image_tag(text_at(shape.container, {"image"})), facts_.calico_version);
  return input;
}

void PodReader::finish(Draft&& draft, const DaemonSetFacts& daemon_set) {
  auto& pod = draft.facts;
  auto input = input_for(*draft.shape, daemon_set, pod.felix_started);
  draft.spec["containers"] = json::array{draft.shape->container};
  input.pod = {{"metadata", std::move(draft.metadata)},
               {"spec", std::move(draft.spec)},
               {"status", std::move(draft.status)}};
  input.node = pod.node;
  const auto node = node_index_.find(pod.node);
  if (node != node_index_.end()) {
    const auto& known = facts_.nodes[node->second];
    input.node_labels = known.labels;
    input.node_labels.insert(known.calico_labels.begin(), known.calico_labels.end());
  }
  pod.declared = resolve(input);
  input.felix_configurations = nullptr;  // borrowed from facts, which may move
  pod.unresolved = std::make_shared<const ResolveInput>(std::move(input));
  facts_.pods.push_back(std::move(pod));
}

Result<void> PodReader::read(kube::Api& api, const DaemonSetFacts& daemon_set) {
  std::vector<Draft> drafts;
  auto listed = api.list(
      {.resource = kube::kPods,
       .namespace_ = daemon_set.namespace_,
       .label_selector = daemon_set.selector},
      [&] { drafts.clear(); },
      [&](json::object&& pod) {
        if (auto one = draft(pod, daemon_set)) drafts.push_back(std::move(*one));
      });
  if (!listed.has_value()) {
    return std::move(listed).error().with_context("reading the pods of DaemonSet " +
                                                  daemon_set.namespace_ + "/" + daemon_set.name);
  }
  for (auto& one : drafts) references_.fetch(one.shape->refs);
  for (auto& one : drafts) {
    if (seen_.insert(one.facts.uid).second) finish(std::move(one), daemon_set);
  }
  return {};
}

void PodReader::resolve_template(DaemonSetFacts& daemon_set) {
  const auto* pod = object_at(daemon_set.object, {"spec", "template"});
  const auto* spec = pod != nullptr ? object_at(*pod, {"spec"}) : nullptr;
  if (spec == nullptr) return;
  const auto* shape = shape_of(*spec, daemon_set.felix_container, daemon_set.namespace_);
  references_.fetch(shape->refs);
  auto input = input_for(*shape, daemon_set, std::nullopt);
  json::object metadata{{"namespace", daemon_set.namespace_},
                        {"ownerReferences", json::array{{{"apiVersion", "apps/v1"},
                                                         {"kind", "DaemonSet"},
                                                         {"name", daemon_set.name},
                                                         {"uid", daemon_set.uid},
                                                         {"controller", true}}}}};
  if (const auto* own = object_at(*pod, {"metadata"})) {
    copy_members(*own, metadata, {"labels", "annotations"});
  }
  json::object own_spec{{"containers", json::array{shape->container}}};
  copy_members(*spec, own_spec, {"serviceAccountName", "hostNetwork", "enableServiceLinks"});
  input.pod = {{"metadata", std::move(metadata)}, {"spec", std::move(own_spec)}};
  daemon_set.template_declared = resolve(input);
}

}  // namespace

Result<void> discover_pods(kube::Api& api, ClusterFacts& facts) {
  References references(api);
  PodReader reader(facts, references);
  for (auto& daemon_set : facts.daemon_sets) {
    reader.resolve_template(daemon_set);
    TRY(reader.read(api, daemon_set));
  }
  return {};
}

}  // namespace catflap::look
