#include "look/discover.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/look_cluster.hpp"

namespace catflap::look {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr const char* kTrue = R"({"name":"FELIX_PROMETHEUSMETRICSENABLED","value":"true"})";

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
  }
  EXPECT_EQ(facts.daemon_sets[0].template_declared.enabled.value, true);
  EXPECT_THAT(requests_of(cluster.api), SizeIs(10));
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
  ASSERT_THAT(one.daemon_sets, SizeIs(2));
  for (const auto& set : one.daemon_sets) EXPECT_EQ(set.in_scope, set.name == "canal");
  EXPECT_THAT(one.pods, SizeIs(3)) << "they run on the same nodes";
  EXPECT_TRUE(one.daemon_sets_state.readable);
}

TEST(Discover, OneNamespaceWithoutTheRightToSeeTheOthers) {
  TestCluster cluster;
  auto canal = daemon_set_json("canal", container_json(kTrue), "other");
  cluster.add_daemon_set(canal);
  cluster.api.inject({.verb = "list",
                      .plural = "daemonsets",
                      .error = Error{.kind = ErrorKind::not_permitted, .what = "cannot list"}});
  const auto facts = discovered(cluster, {.namespace_ = "other"});
  ASSERT_THAT(facts.daemon_sets, SizeIs(1));
  EXPECT_EQ(facts.daemon_sets[0].name, "canal");
  EXPECT_TRUE(facts.daemon_sets[0].in_scope);
  EXPECT_FALSE(facts.daemon_sets_state.readable);
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

TEST(Discover, APodLeftBehindCounts) {
  TestCluster cluster;
  auto orphan = pod_json(cluster.daemon_set, "orphan", "n1");
  orphan["metadata"].as_object().erase("ownerReferences");
  cluster.put(kube::kPods, orphan);
  // Of a DaemonSet that was deleted without its pods and made anew.
  auto of_the_old = pod_json(cluster.daemon_set, "of-the-old", "n1");
  of_the_old["metadata"].at("ownerReferences").at(0).as_object()["uid"] = "the old one";
  cluster.put(kube::kPods, of_the_old);
  auto without_felix = of_the_old;
  without_felix["metadata"].as_object()["name"] = "web";
  without_felix["metadata"].as_object()["uid"] = "web";
  without_felix["spec"].as_object()["containers"] =
      json::array{{{"name", "web"}, {"image", "nginx"}}};
  cluster.put(kube::kPods, without_felix);
  const auto facts = discovered(cluster);
  ASSERT_THAT(facts.pods, SizeIs(4));
  EXPECT_EQ(facts.pods[2].name, "of-the-old");
  EXPECT_TRUE(facts.pods[2].stale);
  EXPECT_EQ(facts.pods[3].name, "orphan");
  EXPECT_TRUE(facts.pods[3].stale);
}

TEST(Discover, APodOfAnotherListedDaemonSetIsThatOnes) {
  TestCluster cluster;
  auto other = daemon_set_json("other", container_json(kTrue));
  other["spec"].at("selector").at("matchLabels").as_object()["k8s-app"] = "calico-node";
  cluster.add_daemon_set(other);
  auto pod = pod_json(other, "other-1", "n1");
  pod["metadata"].at("labels").as_object()["k8s-app"] = "calico-node";
  cluster.put(kube::kPods, pod);
  const auto facts = discovered(cluster);
  ASSERT_THAT(facts.pods, SizeIs(3));
  for (const auto& one : facts.pods) {
    EXPECT_EQ(one.daemon_set, one.name == "other-1" ? "other" : "calico-node");
    EXPECT_FALSE(one.stale);
  }
}

TEST(Discover, ANodeThatOnlyAPodNamesIsThereAndNotReady) {
  TestCluster cluster;
  cluster.put(kube::kPods, pod_json(cluster.daemon_set, "calico-node-3", "n3"));
  const auto facts = discovered(cluster);
  ASSERT_THAT(facts.nodes, SizeIs(3));
  EXPECT_EQ(facts.nodes[2].name, "n3");
  EXPECT_FALSE(facts.nodes[2].ready);
  EXPECT_THAT(facts.nodes[2].not_ready_reason, Not(IsEmpty()));
  ASSERT_THAT(facts.nodes[2].addresses, SizeIs(1));
  EXPECT_EQ(facts.nodes[2].addresses[0].type, "HostIP");
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

Error not_served() {
  return {.kind = ErrorKind::not_found, .what = "the server could not find the requested resource"};
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

TEST(DiscoverCalico, WithoutTheGroupsNothingMeansThatThereIsNone) {
  TestCluster cluster;
  cluster.api.deny("raw", "");
  cluster.api.inject({.verb = "list", .plural = "felixconfigurations", .error = not_served()});
  const auto facts = discovered(cluster);
  EXPECT_FALSE(facts.felix_configurations_state.readable);
  EXPECT_EQ(enabled_switch(facts.pods[0].declared), Switch::undecided);
}

TEST(DiscoverCalico, NotServedIsNone) {
  TestCluster cluster;
  cluster.api.inject({.verb = "list", .plural = "felixconfigurations", .error = not_served()});
  const auto facts = discovered(cluster);
  EXPECT_TRUE(facts.felix_configurations_state.readable);
  EXPECT_EQ(facts.calico_api, CalicoApi::none);
}

TEST(DiscoverCalico, AServerThatGoesAwayEndsTheRun) {
  TestCluster cluster;
  cluster.api.inject(
      {.verb = "list", .plural = "felixconfigurations", .error = kube::fake_unreachable()});
  const auto facts = discover(cluster.api, cluster.clock, {});
  ASSERT_FALSE(facts.has_value());
  EXPECT_EQ(facts.error().kind, ErrorKind::unreachable);
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

TEST(DiscoverCalico, APodOfANewerImageThanTheClusterSaysHasTheSelectorLayer) {
  auto container = container_json("");
  container["image"] = "docker.io/calico/node:v3.32.0";
  TestCluster cluster{container};
  cluster.put(
      {"crd.projectcalico.org", "v1", "clusterinformations"},
      parse_object(R"({"metadata":{"name":"default"},"spec":{"calicoVersion":"v3.31.0"}})"));
  cluster.put(
      kFelixConfigurationsV1,
      felix_configuration_json(
          "linux",
          R"({"prometheusMetricsEnabled":true,"nodeSelector":"kubernetes.io/os == 'linux'"})"));
  EXPECT_EQ(enabled_switch(discovered(cluster).pods[0].declared), Switch::undecided);
}

TEST(DiscoverCalico, SelectorsSeeCalicosOwnLabelsBelowThoseOfKubernetes) {
  auto container = container_json("");
  container["image"] = "docker.io/calico/node:v3.32.0";
  for (const auto* selector : {"rack == 'a'", "has(rack) && kubernetes.io/os == 'linux'"}) {
    TestCluster cluster{container};
    auto node = node_json("n1", 1);
    node["metadata"].as_object()["annotations"] = {
        {"projectcalico.org/labels", R"({"rack":"a","kubernetes.io/os":"plan9"})"}};
    cluster.put(kube::kNodes, node);
    cluster.put(
        kFelixConfigurationsV1,
        felix_configuration_json(
            "racks",
            fmt::format(R"({{"prometheusMetricsEnabled":true,"nodeSelector":"{}"}})", selector)));
    const auto facts = discovered(cluster);
    EXPECT_EQ(facts.pods[0].declared.enabled.layer, Layer::fc_selector) << selector;
    EXPECT_EQ(enabled_switch(facts.pods[1].declared), Switch::off) << selector;
    EXPECT_FALSE(facts.nodes[0].labels.contains("rack")) << "the scheduler does not see them";
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
