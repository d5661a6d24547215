#include "sim/scenario.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/edits.hpp"
#include "sim/embedded.hpp"
#include "sim/yaml.hpp"

namespace catflap::sim {
namespace {

using testing::HasSubstr;

struct Loaded {
  ManualClock clock;
  Store store{clock};
  Result<Settings> settings;

  explicit Loaded(const std::string& text)
      : settings(load_scenario(text, "x.yaml", store, [](const IpAddress& address) {
          return address.is_v6() ? std::nullopt : std::optional{address};
        })) {}
  [[nodiscard]] json::object container() const {
    const auto* set = store.find({kube::kDaemonSets, "kube-system", "calico-node"});
    return *named(array_at(*set, {"spec", "template", "spec", "containers"}), "calico-node");
  }
};

std::string refusal(const std::string& text) {
  const Loaded loaded(text);
  return loaded.settings.has_value() ? "" : to_string(loaded.settings.error());
}

TEST(Scenario, EmptyMeansThreeNodesOfAManifestInstall) {
  const Loaded loaded("cluster: {}");
  ASSERT_TRUE(loaded.settings.has_value()) << to_string(loaded.settings.error());
  EXPECT_THAT(loaded.settings->nodes, testing::ElementsAre("n1", "n2", "n3"));
  EXPECT_EQ(loaded.settings->addresses.at("n3").front().to_string(), "10.91.0.13");
  EXPECT_THAT(loaded.settings->roles, testing::ElementsAre("closer", "verifier"));
  EXPECT_THAT(text_at(loaded.container(), {"image"}), HasSubstr(":v3.30.1"));
  EXPECT_NE(loaded.store.find({kube::kNamespaces, "", "kube-system"}), nullptr);
}

TEST(Scenario, EnvAsAMapSetsByNameAsAListKeepsDuplicates) {
  const Loaded map("cluster: {env: {FELIX_A: \"1\", DATASTORE_TYPE: other}, calico: v3.29.0}");
  ASSERT_TRUE(map.settings.has_value());
  const auto env = array_at(map.container(), {"env"});
  EXPECT_EQ(text_at(*named(env, "FELIX_A"), {"value"}), "1");
  EXPECT_EQ(text_at(*named(env, "DATASTORE_TYPE"), {"value"}), "other");
  EXPECT_THAT(text_at(map.container(), {"image"}), HasSubstr(":v3.29.0"));
  const Loaded list("cluster: {env: [{name: X, value: a}, {name: X, value: b}]}");
  ASSERT_TRUE(list.settings.has_value());
  const auto both = array_at(list.container(), {"env"});
  ASSERT_GE(both.size(), 2u);
  EXPECT_EQ(text_at(both[both.size() - 2].as_object(), {"value"}), "a");
  EXPECT_EQ(text_at(both[both.size() - 1].as_object(), {"value"}), "b");
}

TEST(Scenario, NodesObjectsPatchesAndRights) {
  const Loaded loaded(R"(
scenario: x
cluster:
  kubernetes: "1.28"
  nodes:
    - {name: a, addresses: [10.91.0.50, "fd91::50", {type: ExternalIP, address: 203.0.113.7}], labels: {zone: z}, ready: false}
  objects:
    - {apiVersion: v1, kind: Secret, metadata: {name: s, namespace: kube-system}, stringData: {k: v}}
  patches:
    - {target: secret/kube-system/s, merge: {type: Opaque}}
  rbac: [reader]
  deny: [{verb: get, resource: secrets}]
)");
  ASSERT_TRUE(loaded.settings.has_value()) << to_string(loaded.settings.error());
  EXPECT_EQ(loaded.settings->addresses.at("a").size(), 1u) << "no IPv6 here";
  EXPECT_TRUE(loaded.settings->not_ready.contains("a"));
  const auto& node = *loaded.store.find({kube::kNodes, "", "a"});
  EXPECT_EQ(text_at(node, {"metadata", "labels", "zone"}), "z");
  EXPECT_EQ(objects_at(node, {"status", "addresses"}).size(), 3u) << "Hostname is the third";
  const auto& secret = *loaded.store.find({kube::kSecrets, "kube-system", "s"});
  EXPECT_EQ(text_at(secret, {"data", "k"}), "dg==");
  EXPECT_EQ(text_at(secret, {"type"}), "Opaque");
  EXPECT_THAT(loaded.settings->roles, testing::ElementsAre("reader"));
  EXPECT_EQ(loaded.settings->deny.front().resource, "secrets");
}

TEST(Scenario, WhatIsWrongIsNamedWithTheFile) {
  EXPECT_THAT(refusal("cluster: {colour: red}"),
              testing::AllOf(HasSubstr("x.yaml"), HasSubstr("colour")));
  EXPECT_THAT(refusal("cluster: {nodes: [{name: a, adresses: []}]}"), HasSubstr("adresses"));
  EXPECT_THAT(refusal("cluster: {install: nosuch}"), HasSubstr("nosuch"));
  EXPECT_THAT(refusal("cluster: {pods: {n9: {ready: false}}}"), HasSubstr("n9"));
  EXPECT_THAT(refusal("cluster: {pods: {n1: {reddy: false}}}"), HasSubstr("reddy"));
  EXPECT_THAT(refusal("cluster: {listeners: {n1: [{port: 1, serves: tea}]}}"), HasSubstr("tea"));
  EXPECT_THAT(refusal("cluster: {listeners: {n1: [{serves: felix}]}}"), HasSubstr("port"));
  EXPECT_THAT(refusal("cluster: {nodes: many}"), HasSubstr("nodes"));
  EXPECT_THAT(refusal("cluster: {patches: [{target: daemonset/x/y, merge: {}}]}"),
              HasSubstr("daemonset/x/y"));
  EXPECT_THAT(refusal("cluster: {objects: [{kind: Pod}]}"), HasSubstr("apiVersion"));
  EXPECT_THAT(refusal("cluster: {"), HasSubstr("x.yaml"));
  EXPECT_THAT(refusal("[]"), HasSubstr("one map"));
  EXPECT_NE(refusal(std::string(3000, '[')), "");
}

TEST(Scenario, EveryInstallLoads) {
  for (const auto& [name, text] : installs()) {
    const Loaded loaded("cluster: {install: " + std::string{name} + "}");
    EXPECT_TRUE(loaded.settings.has_value()) << name << to_string(loaded.settings.error());
  }
}

}  // namespace
}  // namespace catflap::sim
