#include "core/plan/world_for_test.hpp"

#include <gtest/gtest.h>

#include "base/json_read.hpp"
#include "core/plan/by_hand.hpp"

namespace catflap {
namespace {

constexpr const char* kDaemonSet = R"({
  "apiVersion": "apps/v1", "kind": "DaemonSet",
  "metadata": {"name": "calico-node", "namespace": "kube-system", "uid": "ds-1", "resourceVersion": "100",
               "labels": {}, "annotations": {}},
  "spec": {"template": {"metadata": {"labels": {"k8s-app": "calico-node"}},
    "spec": {"containers": [
      {"name": "calico-node", "image": "calico/node:v3.30.1", "env": []},
      {"name": "other", "env": [{"name": "FELIX_PROMETHEUSMETRICSENABLED", "value": "not Felix"}]}]}}}})";

json::object& at(json::object& root, std::initializer_list<const char*> path) {
  json::object* object = &root;
  for (const char* name : path) object = &object->at(name).as_object();
  return *object;
}

json::array parse_env(const std::string& entries) {
  const std::string tail = entries.empty() ? "" : "," + entries;
  return json::parse(R"([{"name":"DATASTORE_TYPE","value":"kubernetes"},
      {"name":"NODENAME","valueFrom":{"fieldRef":{"fieldPath":"spec.nodeName"}}})" +
                     tail + "]")
      .as_array();
}

Lookups lookups(const std::map<std::string, std::map<std::string, std::string>>& maps) {
  Lookups found;
  for (const auto& [name, data] : maps) found[name] = {.state = Lookup::State::found, .data = data};
  return found;
}

}  // namespace

World::World(const std::string& env) : daemon_set(json::parse(kDaemonSet).as_object()) {
  container()["env"] = parse_env(env);
}

json::object& World::container() {
  return at(daemon_set, {"spec", "template", "spec"}).at("containers").as_array().at(0).as_object();
}

void World::add(const std::string& text) {
  felix_configurations.push_back(json::parse(text).as_object());
}

void World::operate(const json::object& installations) {
  auto& metadata = daemon_set.at("metadata").as_object();
  metadata["namespace"] = "calico-system";
  metadata["ownerReferences"] = json::parse(
      R"([{"apiVersion":"operator.tigera.io/v1","kind":"Installation","name":"default","controller":true}])");
  tigera_operator.emplace();
  tigera_operator->wanted = tigera_operator->available = 1;
  for (const auto& [name, port] : installations) {
    json::object spec;
    if (!port.is_null()) spec["nodeMetricsPort"] = port;
    tigera_operator->installations.push_back(
        {{"apiVersion", "operator.tigera.io/v1"},
         {"kind", "Installation"},
         {"metadata", {{"name", name}, {"uid", "in-" + std::string{name}}, {"generation", 3}}},
         {"spec", spec}});
  }
}

void World::set_env(const json::value& env) {
  container()["env"] = env;
}

void World::set_env_from(const std::string& env_from) {
  container()["envFrom"] = json::parse(env_from);
}

void World::set_metadata(const std::string& key, const std::string& value) {
  daemon_set.at("metadata").as_object()[key] = json::parse(value);
}

ClusterFacts World::facts() const {
  ClusterFacts facts;
  facts.uid = "cluster";
  facts.calico_version = calico_version;
  facts.calico_api = CalicoApi::v1_crd;
  facts.felix_configurations = felix_configurations;
  facts.felix_configurations_state = felix_configurations_state;
  facts.tigera_operator = tigera_operator;

  const json::object& metadata = daemon_set.at("metadata").as_object();
  DaemonSetFacts ds{.namespace_ = text_at(metadata, {"namespace"}),
                    .name = text_at(metadata, {"name"}),
                    .uid = text_at(metadata, {"uid"}),
                    .resource_version = text_at(metadata, {"resourceVersion"}),
                    .felix_container = "calico-node",
                    .generation = generation,
                    .observed_generation = observed_generation,
                    .desired = static_cast<int>(nodes.size()),
                    .unavailable = unavailable,
                    .on_delete = on_delete,
                    .max_unavailable = max_unavailable,
                    .current_hash = current_hash,
                    .object = daemon_set};
  const json::object spec = daemon_set.at("spec").at("template").at("spec").as_object();
  ResolveInput input{.felix_container = "calico-node",
                     .config_maps = lookups(config_maps),
                     .file = file,
                     .felix_configurations = &facts.felix_configurations,
                     .felix_configurations_state = felix_configurations_state,
                     .calico_version = calico_version};
  input.pod = {{"metadata", {{"namespace", ds.namespace_}}}, {"spec", spec}};
  ds.template_declared = resolve(input);

  for (const auto& node : nodes) {
    const bool ready = std::ranges::find(not_ready, node) == not_ready.end();
    facts.nodes.push_back({.name = node, .ready = ready});
    const auto found = odd.find(node);
    const Odd own = found == odd.end() ? Odd{} : found->second;
    input.node = node;
    input.pod["spec"] = spec;
    input.pod["spec"].as_object()["nodeName"] = node;
    if (!own.env.empty()) {
      input.pod["spec"].at("containers").as_array().at(0).as_object()["env"] = parse_env(own.env);
    }
    facts.pods.push_back({.namespace_ = ds.namespace_,
                          .name = ds.name + "-" + node,
                          .uid = "pod-" + node,
                          .node = node,
                          .daemon_set = ds.name,
                          .ready = ready,
                          .terminating = own.terminating,
                          .stale = own.stale,
                          .declared = resolve(input)});
  }
  facts.daemon_sets.push_back(std::move(ds));
  return facts;
}

void World::carry_out(const Plan& plan) {
  for (const Step& step : plan.steps) {
    const Change& change = step.change;
    if (change.target.field == "env") {
      const json::value* now = container().if_contains("env");
      EXPECT_EQ(now == nullptr ? json::value{} : *now, change.before) << step.id;
      container()["env"] = change.after;
      continue;
    }
    for (json::object& object : felix_configurations) {
      if (object.at("metadata").at("name") != json::value(change.target.name)) continue;
      const std::string key = annotation_key(change.target.field);
      json::object& parent =
          key.empty() ? at(object, {"spec"}) : at(object, {"metadata", "annotations"});
      const std::string member = key.empty() ? change.target.field.substr(5) : key;
      EXPECT_EQ(parent.at(member), change.before) << step.id;
      parent[member] = change.after;
    }
  }
  odd.clear();
  observed_generation = generation;
}

std::string felix_configuration(const std::string& name, const std::string& spec,
                                const std::string& annotations) {
  return R"({"apiVersion":"crd.projectcalico.org/v1","kind":"FelixConfiguration","metadata":{"name":")" +
         name + R"(","uid":"fc-)" + name + R"(","resourceVersion":"5","annotations":)" +
         annotations + R"(},"spec":)" + spec + "}";
}

ClusterVerdict answering(const std::vector<std::string>& nodes) {
  ClusterVerdict verdict;
  for (const auto& node : nodes) {
    verdict.nodes.push_back({.name = node,
                             .verdict = Verdict::unknown,
                             .reachable = {{.vantage = "direct",
                                            .node = node,
                                            .outcome = Outcome::open,
                                            .identity = Identity::felix,
                                            .felix_host = node}}});
  }
  return verdict;
}

}  // namespace catflap
