#include "look/discover.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "look/test_cluster.hpp"

namespace catflap::look {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr const char* kTrue = R"({"name":"FELIX_PROMETHEUSMETRICSENABLED","value":"true"})";

ClusterFacts discovered(TestCluster& cluster, const DiscoverOptions& options = {}) {
  auto facts = discover(cluster.api, cluster.clock, options);
  EXPECT_TRUE(facts.has_value()) << (facts.has_value() ? "" : to_string(facts.error()));
  return facts.has_value() ? std::move(facts).value() : ClusterFacts{};
}

/// "enabled=… <- …": the first word of the dump.
std::string enabled(const Declared& declared) {
  const auto text = dump(declared);
  return text.substr(0, text.find(" port="));
}

std::vector<std::string> requests_of(const kube::FakeApi& api) {
  std::vector<std::string> lines;
  for (const auto& request : api.requests()) lines.push_back(request.to_string());
  return lines;
}

TEST(Discover, ReadsAClusterWithFewRequests) {
  TestCluster cluster{container_json(kTrue)};
  const auto facts = discovered(cluster);
  EXPECT_EQ(facts.uid, "cluster-1");
  EXPECT_EQ(facts.kubernetes_version, "v1.33.13");
  EXPECT_EQ(facts.calico_version, "v3.30.1");
  EXPECT_EQ(facts.calico_api, CalicoApi::v1_crd);
  EXPECT_THAT(facts.nodes, SizeIs(2));
  ASSERT_THAT(facts.daemon_sets, SizeIs(1));
  EXPECT_EQ(facts.daemon_sets[0].current_hash, "h1");
  ASSERT_THAT(facts.pods, SizeIs(2));
  for (const auto& pod : facts.pods) {
    EXPECT_EQ(pod.declared.enabled.value, true);
    EXPECT_EQ(pod.declared.enabled.layer, Layer::env);
    EXPECT_FALSE(pod.stale);
    EXPECT_EQ(pod.unresolved, nullptr);
  }
  EXPECT_EQ(facts.daemon_sets[0].template_declared.enabled.value, true);
  EXPECT_THAT(requests_of(cluster.api), SizeIs(9));
}

TEST(Discover, NeverListsPodsWithoutASelector) {
  TestCluster cluster;
  cluster.put(kube::kPods, parse_object(R"({"metadata":{"name":"web","namespace":"kube-system",
      "uid":"w","labels":{"app":"web"}},"spec":{"nodeName":"n1"}})"));
  EXPECT_THAT(discovered(cluster).pods, SizeIs(2));
}

TEST(Discover, NoDaemonSetIsNotAnError) {
  TestCluster cluster;
  cluster.api.cluster().erase({kube::kDaemonSets, "kube-system", "calico-node"});
  const auto facts = discovered(cluster);
  EXPECT_THAT(facts.daemon_sets, IsEmpty());
  EXPECT_THAT(facts.pods, IsEmpty());
  EXPECT_THAT(facts.nodes, SizeIs(2));
}

TEST(Discover, SeveralDaemonSetsAndOneNamespace) {
  TestCluster cluster;
  auto canal = daemon_set_json("canal", container_json(kTrue), "other");
  cluster.add_daemon_set(canal);
  cluster.put(kube::kPods, pod_json(canal, "canal-1", "n1"));
  cluster.add_daemon_set(daemon_set_json(
      "node-exporter", parse_object(R"({"name":"x","image":"prom/node-exporter"})")));
  const auto all = discovered(cluster);
  EXPECT_THAT(all.daemon_sets, SizeIs(2));
  EXPECT_THAT(all.pods, SizeIs(3));
  const auto one = discovered(cluster, {.namespace_ = "other"});
  ASSERT_THAT(one.daemon_sets, SizeIs(1));
  EXPECT_EQ(one.daemon_sets[0].name, "canal");
  EXPECT_THAT(one.pods, SizeIs(1));
}

TEST(Discover, PodIsResolvedFromItsOwnSpecAndIsStale) {
  TestCluster cluster;
  auto old_pod =
      pod_json(daemon_set_json("calico-node", container_json(kTrue)), "calico-node-1", "n1", "h0");
  cluster.put(kube::kPods, old_pod);
  const auto facts = discovered(cluster);
  EXPECT_EQ(facts.pods[0].declared.enabled.value, true);
  EXPECT_TRUE(facts.pods[0].stale);
  EXPECT_EQ(facts.pods[1].declared.enabled.value, false);
  EXPECT_FALSE(facts.pods[1].stale);
}

TEST(Discover, AfterARollbackTheNewestRevisionIsNotAlwaysTheCurrentOne) {
  TestCluster cluster;
  const auto other = daemon_set_json("calico-node", container_json(kTrue));
  cluster.put(kube::kControllerRevisions, revision_json(other, "h2", 2));
  EXPECT_EQ(discovered(cluster).daemon_sets[0].current_hash, "h1");
}

TEST(Discover, BeforeTheControllerSawTheChangeEveryPodIsStale) {
  TestCluster cluster;
  auto changed = daemon_set_json("calico-node", container_json(kTrue));
  changed["metadata"].as_object()["generation"] = 2;
  cluster.put(kube::kDaemonSets, changed);
  const auto facts = discovered(cluster);
  EXPECT_EQ(facts.daemon_sets[0].current_hash, "");
  EXPECT_TRUE(facts.pods[0].stale);
  EXPECT_TRUE(facts.pods[1].stale);
}

TEST(Discover, WithoutControllerRevisionsContainersAreCompared) {
  TestCluster cluster;
  cluster.api.deny("list", "controllerrevisions");
  cluster.put(kube::kPods, pod_json(daemon_set_json("calico-node", container_json(kTrue)),
                                    "calico-node-1", "n1", "h1"));
  const auto facts = discovered(cluster);
  EXPECT_FALSE(facts.daemon_sets[0].revisions_state.readable);
  EXPECT_THAT(facts.daemon_sets[0].revisions_state.why, HasSubstr("cannot list"));
  EXPECT_TRUE(facts.pods[0].stale);
  EXPECT_FALSE(facts.pods[1].stale);
}

TEST(Discover, APodLeftBehindCountsAndAForeignOneDoesNot) {
  TestCluster cluster;
  auto orphan = pod_json(cluster.daemon_set, "orphan", "n1");
  orphan["metadata"].as_object().erase("ownerReferences");
  cluster.put(kube::kPods, orphan);
  auto foreign = pod_json(cluster.daemon_set, "foreign", "n1");
  foreign["metadata"].at("ownerReferences").at(0).as_object()["uid"] = "somebody else";
  cluster.put(kube::kPods, foreign);
  const auto facts = discovered(cluster);
  ASSERT_THAT(facts.pods, SizeIs(3));
  EXPECT_EQ(facts.pods[2].name, "orphan");
  EXPECT_TRUE(facts.pods[2].stale);
}

TEST(Discover, WhatIsNeededAndForbiddenIsAnError) {
  for (const auto* plural : {"daemonsets", "nodes", "pods"}) {
    TestCluster cluster;
    cluster.api.deny("list", plural);
    const auto facts = discover(cluster.api, cluster.clock, {});
    ASSERT_FALSE(facts.has_value()) << plural;
    EXPECT_EQ(facts.error().kind, ErrorKind::not_permitted);
    EXPECT_THAT(facts.error().context, Not(IsEmpty()));
  }
}

TEST(Discover, WhatIsNotNeededAndForbiddenIsNot) {
  TestCluster cluster;
  cluster.api.deny("get", "namespaces");
  cluster.api.deny("get", "clusterinformations");
  cluster.api.deny("raw", "");
  const auto facts = discovered(cluster);
  EXPECT_EQ(facts.uid, "");
  EXPECT_EQ(facts.kubernetes_version, "");
  EXPECT_EQ(facts.calico_version, "v3.30.1");
  EXPECT_EQ(facts.calico_api, CalicoApi::v1_crd);
  EXPECT_THAT(facts.pods, SizeIs(2));
}

TEST(Discover, AnUnreachableServerIsSaidAtOnce) {
  TestCluster cluster;
  cluster.api.inject({.times = 0, .error = kube::fake_unreachable()});
  const auto facts = discover(cluster.api, cluster.clock, {});
  ASSERT_FALSE(facts.has_value());
  EXPECT_EQ(facts.error().kind, ErrorKind::unreachable);
  EXPECT_THAT(cluster.api.requests(), SizeIs(1));
}

// FelixConfigurations.

TEST(DiscoverCalico, ForbiddenIsUnreadableAndNeverOff) {
  TestCluster cluster;
  cluster.api.deny("list", "felixconfigurations");
  const auto facts = discovered(cluster);
  EXPECT_FALSE(facts.felix_configurations_state.readable);
  EXPECT_EQ(enabled_switch(facts.pods[0].declared), Switch::undecided);
}

TEST(DiscoverCalico, DefaultIsReadWithItsTimeAndKind) {
  TestCluster cluster;
  auto object = felix_configuration_json("default", R"({"prometheusMetricsEnabled":true})");
  object["metadata"].as_object()["managedFields"] = json::parse(
      R"([{"time":"2026-02-01T00:00:00Z"},{"time":"2026-03-01T00:00:00Z"},{"time":"2026-01-01T00:00:00Z"}])");
  cluster.put(kFelixConfigurationsV1, object);
  const auto facts = discovered(cluster);
  ASSERT_THAT(facts.felix_configurations, SizeIs(1));
  EXPECT_EQ(text_at(facts.felix_configurations[0], {"kind"}), "FelixConfiguration");
  EXPECT_EQ(text_at(facts.felix_configurations[0], {"apiVersion"}), "crd.projectcalico.org/v1");
  EXPECT_EQ(facts.felix_configurations_changed, parse_rfc3339("2026-03-01T00:00:00Z"));
  EXPECT_EQ(facts.pods[0].declared.enabled.layer, Layer::fc_default);
  EXPECT_EQ(facts.pods[0].declared.enabled.value, true);
}

/// Which group is read, as Felix would pick it.
struct ApiRow {
  const char* env;
  std::initializer_list<const char*> groups;
  CalicoApi expected;
};

TEST(DiscoverCalico, ApiGroupIsPickedAsFelixDoes) {
  const std::string v3_env = R"({"name":"CALICO_API_GROUP","value":"ProjectCalico.org/v3"})";
  const std::string v1_env = R"({"name":"CALICO_API_GROUP","value":"crd.projectcalico.org/v1"})";
  const ApiRow rows[] = {
      {"", {"crd.projectcalico.org"}, CalicoApi::v1_crd},
      {"", {"projectcalico.org"}, CalicoApi::v3_crd},
      {"", {"projectcalico.org", "crd.projectcalico.org"}, CalicoApi::v1_crd},
      {"", {"apps"}, CalicoApi::none},
      {v3_env.c_str(), {"projectcalico.org", "crd.projectcalico.org"}, CalicoApi::v3_crd},
      {v1_env.c_str(), {"projectcalico.org"}, CalicoApi::v1_crd},
  };
  for (const auto& row : rows) {
    TestCluster cluster{container_json(row.env)};
    cluster.serve_groups(row.groups);
    cluster.put(kFelixConfigurationsV1,
                felix_configuration_json("default", R"({"prometheusMetricsEnabled":false})"));
    cluster.put(kFelixConfigurationsV3,
                felix_configuration_json("default", R"({"prometheusMetricsEnabled":true})"));
    const auto facts = discovered(cluster);
    EXPECT_EQ(facts.calico_api, row.expected) << row.env;
    EXPECT_EQ(facts.pods[0].declared.enabled.value, row.expected == CalicoApi::v3_crd) << row.env;
  }
}

TEST(DiscoverCalico, EtcdDatastoreIsNotReadableHere) {
  for (const auto* env :
       {R"({"name":"DATASTORE_TYPE","value":"etcdv3"})",
        R"({"name":"FELIX_DatastoreType","value":"ETCDV3"},{"name":"DATASTORE_TYPE","value":""})",
        R"({"name":"DATASTORE_TYPE","value":""},
                             {"name":"ETCD_ENDPOINTS","valueFrom":{"configMapKeyRef":{"name":"c","key":"e"}}})"}) {
    TestCluster cluster{container_json(env)};
    const auto facts = discovered(cluster);
    EXPECT_EQ(facts.calico_api, CalicoApi::none) << env;
    EXPECT_FALSE(facts.felix_configurations_state.readable) << env;
    EXPECT_THAT(facts.felix_configurations, IsEmpty()) << env;
    EXPECT_EQ(enabled_switch(facts.pods[0].declared), Switch::undecided) << env;
  }
}

TEST(DiscoverCalico, VersionOfClusterInformationComesFirst) {
  TestCluster cluster;
  cluster.put(
      {"crd.projectcalico.org", "v1", "clusterinformations"},
      parse_object(R"({"metadata":{"name":"default"},"spec":{"calicoVersion":"v3.29.9"}})"));
  EXPECT_EQ(discovered(cluster).calico_version, "v3.29.9");
}

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
  EXPECT_EQ(enabled(facts.pods[0].declared).substr(0, 12), "enabled=true");
  EXPECT_EQ(facts.pods[0].declared.enabled.layer, Layer::file);
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

TEST(Discover, HostIpsOfPodsAreAddressesOfTheNode) {
  TestCluster cluster;
  const auto facts = discovered(cluster);
  ASSERT_THAT(facts.nodes[0].addresses, SizeIs(2));
  EXPECT_EQ(facts.nodes[0].addresses[1], (NodeAddress{*IpAddress::parse("10.9.9.9"), "HostIP"}));
}

TEST(Discover, ClockSkewIsTheServers) {
  TestCluster cluster;
  cluster.api.skew = Duration{5000};
  EXPECT_EQ(discovered(cluster).clock_skew, Duration{5000});
}

}  // namespace
}  // namespace catflap::look
