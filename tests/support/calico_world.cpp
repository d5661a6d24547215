#include "support/calico_world.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>

namespace catflap::test {

namespace {

const kube::ListQuery kPods{
    .resource = kube::kPods, .namespace_ = "kube-system", .label_selector = "k8s-app=calico-node"};

std::string text(const json::value& value) {
  return std::string{value.as_string()};
}
std::string name_of(const json::object& object) {
  return text(object.at("metadata").at("name"));
}
std::string node_of(const json::object& pod) {
  return text(pod.at("spec").at("nodeName"));
}
std::string hash_of(const json::object& pod) {
  return text(pod.at("metadata").at("labels").at("controller-revision-hash"));
}
bool is_ready(const json::object& pod) {
  return pod.at("status").at("conditions").as_array()[0].at("status") == "True";
}

std::string template_hash(const json::object& daemon_set) {
  const auto bytes = json::serialize(daemon_set.at("spec").at("template"));
  return fmt::format("{:08x}", std::hash<std::string>{}(bytes) & 0xffffffffu);
}

json::object owned_metadata(const std::string& name, const std::string& hash,
                            const json::value& uid) {
  return {{"name", name},
          {"namespace", "kube-system"},
          {"labels", {{"k8s-app", "calico-node"}, {"controller-revision-hash", hash}}},
          {"ownerReferences",
           json::array{json::object{{"kind", "DaemonSet"}, {"uid", uid}, {"controller", true}}}}};
}

json::object ready_condition(bool ready) {
  return {{"type", "Ready"}, {"status", ready ? "True" : "False"}};
}

std::optional<bool> env_value(const json::object& container) {
  const auto* env = container.if_contains("env");
  if (env == nullptr) return std::nullopt;
  for (const auto& entry : env->as_array())
    if (entry.at("name") == "FELIX_PROMETHEUSMETRICSENABLED") return entry.at("value") == "true";
  return std::nullopt;
}

const json::object& container_of(const json::object& pod_spec) {
  return pod_spec.at("containers").as_array()[0].as_object();
}

}  // namespace

CalicoWorld::CalicoWorld(kube::FakeCluster& cluster, const WorldOptions& options)
    : cluster_(cluster) {
  json::object container{{"name", "calico-node"}, {"image", "docker.io/calico/node:v3.30.1"}};
  if (auto env = json::parse(options.env); !env.is_null()) container["env"] = std::move(env);
  const json::object strategy{{"type", options.on_delete ? "OnDelete" : "RollingUpdate"}};
  cluster_.put(kube::kDaemonSets,
               {{"apiVersion", "apps/v1"},
                {"kind", "DaemonSet"},
                {"metadata", {{"name", "calico-node"}, {"namespace", "kube-system"}}},
                {"spec",
                 {{"selector", {{"matchLabels", {{"k8s-app", "calico-node"}}}}},
                  {"updateStrategy", strategy},
                  {"template", {{"spec", {{"containers", json::array{std::move(container)}}}}}}}}});
  json::object configuration{{"metadata", {{"name", "default"}}}};
  if (auto spec = json::parse(options.felix_spec); !spec.is_null())
    configuration["spec"] = std::move(spec);
  cluster_.put(kFelixConfigurations, std::move(configuration));
  for (int i = 1; i <= options.nodes; ++i) {
    nodes_.push_back(fmt::format("node-{}", i));
    starts_[nodes_.back()] = 0;
    cluster_.put(kube::kNodes, {{"metadata", {{"name", nodes_.back()}}},
                                {"status", {{"conditions", json::array{ready_condition(true)}}}}});
  }
  const Duration slow = pod_start;
  pod_start = controller_delay = Duration{0};
  for (int i = 0; i < options.nodes + 4; ++i) tick();
  pod_start = slow;
  controller_delay = Duration{300};
  for (auto& [node, count] : starts_) count = 0;
}

void CalicoWorld::tick() {
  // Most ticks of a long wait change nothing; a test of minutes has thousands of them.
  const auto settings = fmt::format("{}{}", controller_asleep, fmt::join(stuck, ","));
  if (!timers_run_ && cluster_.resource_version() == quiet_at_ && settings == quiet_settings_)
    return;
  const auto before = cluster_.resource_version();
  timers_run_ = false;
  if (!controller_asleep) run_controller();
  run_kubelets();
  run_felix();
  quiet_at_ = cluster_.resource_version() == before ? before : "";
  quiet_settings_ = settings;
}

std::vector<json::object> CalicoWorld::pods() const {
  return cluster_.select(kPods);
}

void CalicoWorld::make_revision(const json::object& set) {
  hash_ = template_hash(set);
  std::int64_t newest = 0;
  const auto revisions = cluster_.select({.resource = kube::kControllerRevisions});
  for (const auto& one : revisions)
    newest = std::max(newest, one.at("revision").to_number<std::int64_t>());
  const kube::ObjectRef ref{kube::kControllerRevisions, "kube-system", "calico-node-" + hash_};
  if (const auto* known = cluster_.find(ref)) {
    if (known->at("revision").to_number<std::int64_t>() == newest) return;
    return cluster_.edit(ref, [&](json::object& one) { one["revision"] = newest + 1; });
  }
  cluster_.put(kube::kControllerRevisions,
               {{"metadata", owned_metadata(ref.name, hash_, set.at("metadata").at("uid"))},
                {"revision", newest + 1}});
}

void CalicoWorld::run_controller() {
  const auto set = daemon_set();
  const auto now = cluster_.clock().now();
  if (template_hash(set) != hash_ || !set.contains("status") ||
      set.at("status").at("observedGeneration") != set.at("metadata").at("generation")) {
    if (!change_seen_at_) change_seen_at_ = now;
    timers_run_ = true;
    if (now < *change_seen_at_ + controller_delay) return;
    change_seen_at_.reset();
    make_revision(set);
  }
  const auto before = pods();
  for (const auto& node : nodes_)
    if (std::none_of(before.begin(), before.end(),
                     [&](const auto& pod) { return node_of(pod) == node; }))
      make_pod(set, node);
  if (set.at("spec").at("updateStrategy").at("type") == "RollingUpdate") replace_one(pods());
  write_status(set);
}

void CalicoWorld::make_pod(const json::object& set, const std::string& node) {
  const auto name = fmt::format("calico-node-{:05}", ++pods_made_);
  json::object spec = set.at("spec").at("template").at("spec").as_object();
  spec["nodeName"] = node;
  cluster_.put(kube::kPods,
               {{"metadata", owned_metadata(name, hash_, set.at("metadata").at("uid"))},
                {"spec", std::move(spec)},
                {"status",
                 {{"phase", "Pending"},
                  {"conditions", json::array{ready_condition(false)}},
                  {"containerStatuses",
                   json::array{json::object{
                       {"name", "calico-node"},
                       {"state", {{"waiting", {{"reason", "ContainerCreating"}}}}}}}}}}});
  ready_at_[name] = cluster_.clock().now() + pod_start;
}

void CalicoWorld::replace_one(const std::vector<json::object>& pods) {
  // maxUnavailable 1: nothing goes while another is not there.
  for (const auto& pod : pods)
    if (!is_ready(pod)) return;
  for (const auto& pod : pods) {
    if (hash_of(pod) == hash_) continue;
    felix_.erase(name_of(pod));
    cluster_.erase({kube::kPods, "kube-system", name_of(pod)});
    return;
  }
}

void CalicoWorld::write_status(const json::object& set) {
  std::int64_t updated = 0;
  std::int64_t available = 0;
  for (const auto& pod : pods()) {
    if (hash_of(pod) == hash_) ++updated;
    if (is_ready(pod)) ++available;
  }
  const auto desired = static_cast<std::int64_t>(nodes_.size());
  cluster_.edit(kCalicoNode, [&](json::object& object) {
    object["status"] = {{"observedGeneration", set.at("metadata").at("generation")},
                        {"desiredNumberScheduled", desired},
                        {"updatedNumberScheduled", updated},
                        {"numberAvailable", available},
                        {"numberUnavailable", desired - available}};
  });
}

void CalicoWorld::run_kubelets() {
  const auto now = cluster_.clock().now();
  for (const auto& pod : pods()) {
    const auto name = name_of(pod);
    if (is_ready(pod) || stuck.contains(node_of(pod))) continue;
    timers_run_ = true;
    if (now < ready_at_[name]) continue;
    cluster_.edit({kube::kPods, "kube-system", name}, [&](json::object& object) {
      auto& status = object["status"].as_object();
      status["phase"] = "Running";
      status["conditions"] = json::array{ready_condition(true)};
      status["containerStatuses"] =
          json::array{json::object{{"name", "calico-node"},
                                   {"ready", true},
                                   {"state", {{"running", {{"startedAt", to_rfc3339(now)}}}}}}};
    });
    felix_[name] = {.listens = resolved(pod), .started = now};
    ++starts_[node_of(pod)];
  }
}

bool CalicoWorld::resolved(const json::object& pod) const {
  if (const auto env = env_value(container_of(pod.at("spec").as_object()))) return *env;
  const auto* configuration = cluster_.find(kDefault);
  const auto* spec = configuration == nullptr ? nullptr : configuration->if_contains("spec");
  const auto* enabled =
      spec == nullptr ? nullptr : spec->as_object().if_contains("prometheusMetricsEnabled");
  return enabled != nullptr && *enabled == json::value(true);
}

void CalicoWorld::run_felix() {
  const auto now = cluster_.clock().now();
  for (const auto& pod : pods()) {
    const auto found = felix_.find(name_of(pod));
    if (found == felix_.end()) continue;
    auto& felix = found->second;
    if (!felix.restart_at && resolved(pod) != felix.listens)
      felix.restart_at = now + std::chrono::milliseconds{2400};
    if (!felix.restart_at) continue;
    timers_run_ = true;
    if (now < *felix.restart_at) continue;
    felix = {.listens = resolved(pod), .started = now};
    ++starts_[node_of(pod)];
  }
}

int CalicoWorld::most_starts() const {
  int most = 0;
  for (const auto& [node, count] : starts_) most = std::max(most, count);
  return most;
}

bool CalicoWorld::open(const std::string& node) const {
  const auto all = pods();
  return std::any_of(all.begin(), all.end(), [&](const json::object& pod) {
    const auto felix = felix_.find(name_of(pod));
    return node_of(pod) == node && felix != felix_.end() && felix->second.listens;
  });
}

int CalicoWorld::open_nodes() const {
  return static_cast<int>(
      std::count_if(nodes_.begin(), nodes_.end(), [this](const auto& node) { return open(node); }));
}

DaemonSetFacts CalicoWorld::daemon_set_facts() const {
  const auto& set = daemon_set();
  return {.namespace_ = "kube-system",
          .name = "calico-node",
          .uid = text(set.at("metadata").at("uid")),
          .resource_version = text(set.at("metadata").at("resourceVersion")),
          .felix_container = "calico-node",
          .selector = "k8s-app=calico-node",
          .generation = set.at("metadata").at("generation").to_number<std::int64_t>(),
          .desired = static_cast<int>(nodes_.size()),
          .on_delete = set.at("spec").at("updateStrategy").at("type") == "OnDelete",
          .current_hash = hash_,
          .object = set};
}

PodFacts CalicoWorld::pod_facts(const json::object& pod) const {
  PodFacts facts{.namespace_ = "kube-system",
                 .name = name_of(pod),
                 .uid = text(pod.at("metadata").at("uid")),
                 .node = node_of(pod),
                 .daemon_set = "calico-node",
                 .template_hash = hash_of(pod),
                 .phase = text(pod.at("status").at("phase")),
                 .ready = is_ready(pod),
                 .stale = hash_of(pod) != template_hash(daemon_set()),
                 .felix_container = "calico-node"};
  if (const auto felix = felix_.find(facts.name); felix != felix_.end()) {
    facts.felix_running = true;
    facts.felix_started = felix->second.started;
  }
  auto& enabled = facts.declared.enabled;
  const bool by_env = env_value(container_of(pod.at("spec").as_object())).has_value();
  enabled.value = resolved(pod);
  enabled.raw = *enabled.value ? "true" : "false";
  enabled.layer = by_env ? Layer::env : *enabled.value ? Layer::fc_default : Layer::compiled;
  facts.declared.port.value = 9091;
  facts.declared.host.value = "";
  facts.declared.tls.value = false;
  return facts;
}

ClusterFacts CalicoWorld::facts() const {
  ClusterFacts facts{.cluster_name = "test", .read_at = cluster_.clock().now()};
  int i = 0;
  for (const auto& node : nodes_) {
    const auto address = IpAddress::v4({10, 0, 0, static_cast<std::uint8_t>(++i)});
    facts.nodes.push_back({.name = node, .addresses = {{address, "InternalIP"}}, .ready = true});
  }
  facts.daemon_sets.push_back(daemon_set_facts());
  for (const auto& pod : pods()) facts.pods.push_back(pod_facts(pod));
  return facts;
}

Look CalicoWorld::look() const {
  const auto now = cluster_.clock().now();
  Look look{.started = now, .finished = now};
  for (const auto& node : facts().nodes) {
    const auto address = node.addresses[0].address;
    Reach reach{.vantage = "direct",
                .node = node.name,
                .endpoint = {address, 9091},
                .outcome = Outcome::refused,
                .at = now};
    if (open(node.name)) {
      reach.outcome = Outcome::open;
      reach.identity = Identity::felix;
      reach.felix_host = node.name;
      reach.http_status = 200;
    }
    look.reached.push_back(std::move(reach));
    look.controls.push_back(
        {.vantage = "direct", .address = address, .outcome = Outcome::open, .at = now});
  }
  return look;
}

json::object CalicoWorld::snapshot() const {
  json::object all;
  for (const auto& ref : {kCalicoNode, kDefault}) {
    json::object object = *cluster_.find(ref);
    object.erase("status");
    auto& metadata = object["metadata"].as_object();
    metadata.erase("resourceVersion");
    metadata.erase("generation");
    all[ref.name] = std::move(object);
  }
  return all;
}

Step env_step(const ClusterFacts& facts, const std::string& after) {
  const auto& set = facts.daemon_sets.at(0);
  const auto& container = container_of(set.object.at("spec").at("template").at("spec").as_object());
  const auto* env = container.if_contains("env");
  Step step{.id = "disable-env", .restart = Restart::rolling};
  step.change = {
      .target = {"apps/v1", "DaemonSet", set.namespace_, set.name, set.uid, "calico-node", "env"},
      .before = env == nullptr ? json::value{} : *env,
      .after = json::parse(after),
      .resource_version = set.resource_version};
  for (const auto& node : facts.nodes) step.nodes.push_back(node.name);
  return step;
}

Step felix_configuration_step(const kube::FakeCluster& cluster, const json::value& after,
                              Restart restart) {
  const auto& object = *cluster.find(kDefault);
  const auto* spec = object.if_contains("spec");
  const auto* before =
      spec == nullptr ? nullptr : spec->as_object().if_contains("prometheusMetricsEnabled");
  Step step{.id = "disable-felixconfiguration-default", .restart = restart};
  step.change = {
      .target = {"crd.projectcalico.org/v1", "FelixConfiguration", "", "default",
                 text(object.at("metadata").at("uid")), "", "spec.prometheusMetricsEnabled"},
      .before = before == nullptr ? json::value{} : *before,
      .after = after};
  return step;
}

}  // namespace catflap::test
