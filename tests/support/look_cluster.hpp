// Objects for the tests of src/look, as small as Kubernetes would serve them.
#pragma once

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/json_read.hpp"
#include "look/discover.hpp"
#include "support/fake_api.hpp"

namespace catflap::look {

inline json::object parse_object(std::string_view text) {
  return json::parse(text).as_object();
}

/// A node on 10.0.0.`last`.
inline json::object node_json(const std::string& name, int last) {
  return parse_object(fmt::format(
      R"({{"metadata":{{"name":"{}","uid":"uid-{}","labels":{{"kubernetes.io/os":"linux"}}}},
          "status":{{"addresses":[{{"type":"InternalIP","address":"10.0.0.{}"}},{{"type":"Hostname","address":"{}"}}],
                    "conditions":[{{"type":"Ready","status":"True"}}]}}}})",
      name, name, last, name));
}

inline json::object container_json(const std::string& env, const std::string& more = "") {
  return parse_object(fmt::format(
      R"({{"name":"calico-node","image":"docker.io/calico/node:v3.30.1","env":[
           {{"name":"DATASTORE_TYPE","value":"kubernetes"}}{}{}]{}}})",
      env.empty() ? "" : ",", env, more));
}

/// A DaemonSet kube-system/NAME with one template container and its ControllerRevision's hash "h1".
inline json::object daemon_set_json(const std::string& name, const json::object& container,
                                    const std::string& namespace_ = "kube-system") {
  auto object = parse_object(fmt::format(
      R"({{"metadata":{{"name":"{0}","namespace":"{1}","uid":"uid-{0}","generation":1,
                        "managedFields":[{{"manager":"kubectl","time":"2026-01-01T00:00:00Z"}}]}},
          "spec":{{"selector":{{"matchLabels":{{"k8s-app":"{0}"}}}},
                  "updateStrategy":{{"type":"RollingUpdate","rollingUpdate":{{"maxUnavailable":1}}}},
                  "template":{{"metadata":{{"labels":{{"k8s-app":"{0}"}}}},"spec":{{"hostNetwork":true}}}}}},
          "status":{{"observedGeneration":1}}}})",
      name, namespace_));
  object["spec"].at("template").at("spec").as_object()["containers"] = json::array{container};
  return object;
}

inline json::object revision_json(const json::object& daemon_set, const std::string& hash,
                                  int revision) {
  const auto name = text_at(daemon_set, {"metadata", "name"});
  auto object = parse_object(fmt::format(
      R"({{"metadata":{{"name":"{0}-{1}","namespace":"{2}",
            "labels":{{"controller-revision-hash":"{1}","k8s-app":"{0}"}},
            "ownerReferences":[{{"kind":"DaemonSet","name":"{0}","uid":"uid-{0}","controller":true}}]}},
          "revision":{3}}})",
      name, hash, text_at(daemon_set, {"metadata", "namespace"}), revision));
  auto kept = daemon_set.at("spec").at("template").as_object();
  kept["$patch"] = "replace";
  kept["metadata"].as_object()["creationTimestamp"] = nullptr;
  object["data"] = {{"spec", {{"template", kept}}}};
  return object;
}

/// A running, ready pod NAME of that DaemonSet on that node, made from its template.
inline json::object pod_json(const json::object& daemon_set, const std::string& name,
                             const std::string& node, const std::string& hash = "h1") {
  const auto owner = text_at(daemon_set, {"metadata", "name"});
  auto object = parse_object(fmt::format(
      R"({{"metadata":{{"name":"{0}","namespace":"{1}","uid":"uid-{0}","creationTimestamp":"2026-01-01T00:00:00Z",
            "labels":{{"k8s-app":"{2}","controller-revision-hash":"{3}"}},
            "ownerReferences":[{{"kind":"DaemonSet","name":"{2}","uid":"uid-{2}","controller":true}}]}},
          "status":{{"phase":"Running","hostIP":"10.9.9.9",
            "conditions":[{{"type":"Ready","status":"True"}}],
            "containerStatuses":[{{"name":"calico-node","ready":true,"restartCount":2,
              "state":{{"running":{{"startedAt":"2026-01-01T00:01:00Z"}}}}}}]}}}})",
      name, text_at(daemon_set, {"metadata", "namespace"}), owner, hash));
  object["spec"] = daemon_set.at("spec").at("template").at("spec");
  object["spec"].as_object()["nodeName"] = node;
  return object;
}

inline const kube::Resource kFelixConfigurationsV1{"crd.projectcalico.org", "v1",
                                                   "felixconfigurations"};
inline const kube::Resource kFelixConfigurationsV3{"projectcalico.org", "v3",
                                                   "felixconfigurations"};

inline json::object felix_configuration_json(const std::string& name, const std::string& spec) {
  return parse_object(fmt::format(R"({{"metadata":{{"name":"{}","uid":"uid-fc-{}"}},"spec":{}}})",
                                  name, name, spec));
}

/// Two nodes, calico-node on both, FelixConfiguration default without an opinion.
struct TestCluster {
  ManualClock clock;
  kube::FakeApi api{clock};
  json::object daemon_set;

  explicit TestCluster(const json::object& container = container_json(""))
      : daemon_set(daemon_set_json("calico-node", container)) {
    api.raw["/version"] = {{"gitVersion", "v1.33.13"}};
    serve_groups({"crd.projectcalico.org"});
    put(kube::kNamespaces,
        parse_object(R"({"metadata":{"name":"kube-system","uid":"cluster-1"}})"));
    put(kube::kNodes, node_json("n1", 1));
    put(kube::kNodes, node_json("n2", 2));
    add_daemon_set(daemon_set);
    put(kube::kPods, pod_json(daemon_set, "calico-node-1", "n1"));
    put(kube::kPods, pod_json(daemon_set, "calico-node-2", "n2"));
    put(kFelixConfigurationsV1, felix_configuration_json("default", "{}"));
  }

  void put(const kube::Resource& resource, const json::object& object) {
    api.cluster().put(resource, object);
  }
  void add_daemon_set(const json::object& object) {
    put(kube::kDaemonSets, object);
    put(kube::kControllerRevisions, revision_json(object, "h1", 1));
  }
  void serve_groups(std::initializer_list<const char*> names) {
    json::array groups;
    for (const auto* name : names) groups.push_back(json::object{{"name", name}});
    api.raw["/apis"] = {{"groups", groups}};
  }
};

/// The facts, or a failed test.
inline ClusterFacts discovered(TestCluster& cluster, const DiscoverOptions& options = {}) {
  auto facts = discover(cluster.api, cluster.clock, options);
  EXPECT_TRUE(facts.has_value()) << (facts.has_value() ? "" : to_string(facts.error()));
  return facts.has_value() ? std::move(facts).value() : ClusterFacts{};
}

/// What the API was asked for, a line each.
inline std::vector<std::string> requests_of(const kube::FakeApi& api) {
  std::vector<std::string> lines;
  for (const auto& request : api.requests()) lines.push_back(request.to_string());
  return lines;
}

}  // namespace catflap::look
