// The sources of a pod's configuration other than FelixConfigurations: references and felix.cfg.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "support/look_cluster.hpp"

namespace catflap::look {
namespace {

using testing::HasSubstr;
using testing::Not;

// Sources of the environment.

constexpr const char* kFromSecret =
    R"({"name":"FELIX_PROMETHEUSMETRICSENABLED","valueFrom":{"secretKeyRef":{"name":"s","key":"on"}}})";
constexpr const char* kEnvFrom =
    R"(,"envFrom":[{"configMapRef":{"name":"endpoint","optional":true}}])";

json::object secret_json(const char* changed = "2025-12-01T00:00:00Z") {
  return parse_object(fmt::format(R"({{"metadata":{{"name":"s","namespace":"kube-system",
      "creationTimestamp":"{}"}},"data":{{"on":"dHJ1ZQ=="}}}})",
                                  changed));
}

json::object config_map_json(const char* value, const char* changed = "2025-12-01T00:00:00Z") {
  return parse_object(fmt::format(R"({{"metadata":{{"name":"endpoint","namespace":"kube-system",
      "creationTimestamp":"{}"}},"data":{{"FELIX_PROMETHEUSMETRICSENABLED":"{}"}}}})",
                                  changed, value));
}

TEST(DiscoverReferences, SecretIsReadOnce) {
  TestCluster cluster{container_json(kFromSecret)};
  cluster.put(kube::kSecrets, secret_json());
  const auto facts = discovered(cluster);
  EXPECT_EQ(facts.pods[1].declared.enabled.value, true);
  const auto lines = requests_of(cluster.api);
  EXPECT_EQ(
      std::ranges::count_if(
          lines, [](const std::string& line) { return line.find("secrets") != std::string::npos; }),
      1);
}

TEST(DiscoverReferences, ForbiddenSecretIsUnknownUntilTheContainerTells) {
  TestCluster cluster{container_json(kFromSecret)};
  cluster.api.deny("get", "secrets");
  auto facts = discovered(cluster);
  EXPECT_EQ(enabled_switch(facts.pods[0].declared), Switch::undecided);
  ASSERT_NE(facts.pods[0].unresolved, nullptr);

  Look look;
  look.inside.push_back(
      {.pod_uid = facts.pods[0].uid,
       .complete = true,
       .felix = {{.pid = 7, .environment = {{"FELIX_PROMETHEUSMETRICSENABLED", "no"}}}}});
  look.inside.push_back(
      {.pod_uid = facts.pods[1].uid,
       .complete = false,
       .felix = {{.pid = 7, .environment = {{"FELIX_PROMETHEUSMETRICSENABLED", "no"}}}}});
  apply_inside(facts, look);
  EXPECT_EQ(facts.pods[0].declared.enabled.value, false);
  EXPECT_EQ(facts.pods[0].declared.enabled.raw, "no");
  EXPECT_EQ(enabled_switch(facts.pods[1].declared), Switch::undecided);
}

TEST(DiscoverReferences, ASecretThatCannotMatterIsNotRead) {
  TestCluster cluster{container_json(
      R"({"name":"ETCD_PASSWORD","valueFrom":{"secretKeyRef":{"name":"s","key":"on"}}})")};
  EXPECT_EQ(enabled_switch(discovered(cluster).pods[0].declared), Switch::off);
  EXPECT_THAT(requests_of(cluster.api), Not(testing::Contains(HasSubstr("secrets"))));
}

TEST(DiscoverReferences, EnvFromCounts) {
  TestCluster cluster{container_json("", kEnvFrom)};
  cluster.put(kube::kConfigMaps, config_map_json("true"));
  EXPECT_EQ(discovered(cluster).pods[0].declared.enabled.value, true);
}

TEST(DiscoverReferences, AbsentAndOptionalSetsNothing) {
  TestCluster cluster{container_json("", kEnvFrom)};
  EXPECT_EQ(enabled_switch(discovered(cluster).pods[0].declared), Switch::off);
}

TEST(DiscoverReferences, ASourceThatIsGoneMayHaveSetAnotherSpelling) {
  TestCluster cluster{container_json(R"({"name":"FELIX_PROMETHEUSMETRICSENABLED","value":"false"})",
                                     R"(,"envFrom":[{"configMapRef":{"name":"gone"}}])")};
  auto facts = discovered(cluster);
  EXPECT_EQ(enabled_switch(facts.pods[0].declared), Switch::undecided);
  Look look;
  look.inside.push_back(
      {.pod_uid = facts.pods[0].uid,
       .complete = true,
       .felix = {{.pid = 7, .environment = {{"FELIX_PROMETHEUSMETRICSENABLED", "false"}}}}});
  apply_inside(facts, look);
  EXPECT_EQ(enabled_switch(facts.pods[0].declared), Switch::off);
}

TEST(DiscoverReferences, AChangeAfterTheContainersStartIsNotWhatItRunsWith) {
  TestCluster cluster{container_json("", kEnvFrom)};
  cluster.put(kube::kConfigMaps, config_map_json("false", "2026-01-02T00:00:00Z"));
  const auto facts = discovered(cluster);
  EXPECT_EQ(enabled_switch(facts.pods[0].declared), Switch::undecided);
  EXPECT_EQ(facts.daemon_sets[0].template_declared.enabled.value, false);
}

// felix.cfg.

json::object with_volume(json::object container, const std::string& mount,
                         const std::string& volume) {
  container["volumeMounts"] = json::array{parse_object(mount)};
  auto daemon_set = daemon_set_json("calico-node", container);
  daemon_set["spec"].at("template").at("spec").as_object()["volumes"] =
      json::array{parse_object(volume)};
  return daemon_set;
}

ClusterFacts discovered_with(const json::object& daemon_set, TestCluster& cluster) {
  cluster.add_daemon_set(daemon_set);
  cluster.put(kube::kPods, pod_json(daemon_set, "calico-node-1", "n1"));
  cluster.put(kube::kPods, pod_json(daemon_set, "calico-node-2", "n2"));
  return discovered(cluster);
}

TEST(DiscoverFile, HostPathIsUnreadableUntilTheContainerTells) {
  TestCluster cluster;
  auto facts =
      discovered_with(with_volume(container_json(""), R"({"name":"v","mountPath":"/etc/calico/"})",
                                  R"({"name":"v","hostPath":{"path":"/etc/calico"}})"),
                      cluster);
  EXPECT_EQ(enabled_switch(facts.pods[0].declared), Switch::undecided);
  Look look;
  look.inside.push_back({.pod_uid = facts.pods[0].uid,
                         .complete = true,
                         .config_file = "[global]\nPrometheusMetricsEnabled = true\n"});
  look.inside.push_back({.pod_uid = facts.pods[1].uid, .complete = true});
  apply_inside(facts, look);
  EXPECT_EQ(facts.pods[0].declared.enabled.layer, Layer::file);
  EXPECT_EQ(facts.pods[0].declared.enabled.value, true);
  EXPECT_EQ(enabled_switch(facts.pods[1].declared), Switch::off);  // there is no such file
}

TEST(DiscoverFile, AnUnreadableFileStaysUnreadable) {
  TestCluster cluster;
  auto facts = discovered_with(with_volume(container_json(""), R"({"name":"v","mountPath":"/etc"})",
                                           R"({"name":"v","hostPath":{"path":"/etc"}})"),
                               cluster);
  Look look;
  look.inside.push_back(
      {.pod_uid = facts.pods[0].uid, .complete = true, .config_file_readable = false});
  apply_inside(facts, look);
  EXPECT_EQ(enabled_switch(facts.pods[0].declared), Switch::undecided);
}

TEST(DiscoverFile, ConfigMapWithSubPathIsReadDirectly) {
  TestCluster cluster;
  cluster.put(kube::kConfigMaps,
              parse_object(R"({"metadata":{"name":"cfg","namespace":"kube-system"},
      "data":{"felix":"[g]\nprometheusmetricsenabled=1\n"}})"));
  const auto facts = discovered_with(
      with_volume(
          container_json(""),
          R"({"name":"v","mountPath":"/etc/calico/felix.cfg","subPath":"my.cfg"})",
          R"({"name":"v","configMap":{"name":"cfg","items":[{"key":"felix","path":"my.cfg"}]}})"),
      cluster);
  EXPECT_EQ(facts.pods[0].declared.enabled.value, true);
  EXPECT_EQ(facts.pods[0].declared.enabled.layer, Layer::file);
}

TEST(DiscoverFile, WhatTheImageBringsCountsOnceSeen) {
  TestCluster cluster;
  auto facts = discovered(cluster);
  Look look;
  look.inside.push_back({.pod_uid = facts.pods[0].uid,
                         .complete = true,
                         .config_file = "[global]\nPrometheusMetricsEnabled = true\n"});
  look.inside.push_back({.pod_uid = facts.pods[1].uid,
                         .complete = true,
                         .config_file = "[global]\nMetadataAddr = None\n"});
  apply_inside(facts, look);
  EXPECT_EQ(facts.pods[0].declared.enabled.layer, Layer::file);
  EXPECT_EQ(facts.pods[0].declared.enabled.value, true);
  EXPECT_EQ(facts.pods[1].declared.enabled.layer, Layer::compiled);
}

TEST(DiscoverFile, OtherMountsDoNotMatter) {
  for (const auto* path :
       {"/etc/calico/certs", "/etc/calicoctl", "/var/lib/calico", "/etc/calico/felix.cfg.d"}) {
    TestCluster cluster;
    const auto facts = discovered_with(
        with_volume(container_json(""), fmt::format(R"({{"name":"v","mountPath":"{}"}})", path),
                    R"({"name":"v","hostPath":{"path":"/x"}})"),
        cluster);
    EXPECT_EQ(enabled_switch(facts.pods[0].declared), Switch::off) << path;
  }
}

}  // namespace
}  // namespace catflap::look
