#include "look/surroundings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "look/consumers.hpp"
#include "look/managed_fields.hpp"
#include "look/migration.hpp"
#include "look/platform.hpp"
#include "support/look_cluster.hpp"

namespace catflap::look {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const kube::Resource kServices{"", "v1", "services"};
const kube::Resource kServiceMonitors{"monitoring.coreos.com", "v1", "servicemonitors"};
const kube::Resource kReleases{"apps.example", "v1", "appreleases"};
const kube::Resource kPatches{"apps.example", "v1", "resourcepatches"};
const kube::Resource kMigrations{"migration.projectcalico.org", "v1", "datastoremigrations"};
const kube::Resource kApplications{"argoproj.io", "v1alpha1", "applications"};

Surroundings around(TestCluster& cluster) {
  const auto facts = discovered(cluster);
  auto read = read_surroundings(cluster.api, facts);
  EXPECT_TRUE(read.has_value()) << (read.has_value() ? "" : to_string(read.error()));
  return read.has_value() ? std::move(read).value() : Surroundings{};
}

/// "Service kube-system/felix 9091"
std::vector<std::string> lines_of(const Surroundings& surroundings) {
  std::vector<std::string> lines;
  for (const auto& one : surroundings.consumers)
    lines.push_back(one.kind + " " + one.namespace_ + "/" + one.name + " " + one.port);
  return lines;
}

json::object service_json(const char* name, const char* spec) {
  return parse_object(fmt::format(
      R"({{"metadata":{{"name":"{}","namespace":"kube-system","labels":{{"app":"felix"}}}},"spec":{}}})",
      name, spec));
}

// --- who reads it --------------------------------------------------------------------------------

TEST(Consumers, AServiceCountsByItsTargetPort) {
  TestCluster cluster;
  constexpr const char* kWay = R"({{"selector":{{"k8s-app":"{}"}},"ports":[{}]}})";
  const auto put = [&](const char* name, const char* app, const char* port) {
    cluster.put(kServices, service_json(name, fmt::format(fmt::runtime(kWay), app, port).c_str()));
  };
  put("plain", "calico-node", R"({"port":9091})");
  put("moved", "calico-node", R"({"port":80,"targetPort":9091})");
  put("other-port", "calico-node", R"({"port":9091,"targetPort":9099})");
  put("other-pods", "web", R"({"port":9091})");
  put("name-of-no-port", "calico-node", R"({"port":9091,"targetPort":"metrics"})");
  EXPECT_THAT(lines_of(around(cluster)),
              testing::UnorderedElementsAre("Service kube-system/plain 9091",
                                            "Service kube-system/moved 9091"));
}

TEST(Consumers, MonitorsAreAskedForWhereTheyAreServed) {
  TestCluster cluster;
  cluster.put(kServices, service_json("felix", R"({"selector":{"k8s-app":"calico-node"},
                                                   "ports":[{"name":"m","port":9091}]})"));
  cluster.put(kServiceMonitors, parse_object(R"({"metadata":{"name":"a","namespace":"kube-system"},
      "spec":{"selector":{"matchLabels":{"app":"felix"}},"endpoints":[{"port":"m"}]}})"));
  EXPECT_THAT(lines_of(around(cluster)), ElementsAre("Service kube-system/felix 9091"));
  EXPECT_THAT(requests_of(cluster.api), Not(Contains(HasSubstr("servicemonitors"))));
  cluster.serve_groups({"crd.projectcalico.org", "monitoring.coreos.com"});
  EXPECT_THAT(lines_of(around(cluster)),
              ElementsAre("Service kube-system/felix 9091", "ServiceMonitor kube-system/a m"));
}

TEST(Consumers, WhatMayNotBeReadIsNotKnown) {
  TestCluster cluster;
  cluster.api.deny("list", "services");
  const auto read = around(cluster);
  EXPECT_THAT(read.consumers, IsEmpty());
  ASSERT_THAT(read.consumers_not_known, SizeIs(1));
  EXPECT_EQ(read.consumers_not_known[0].kind, "Service");
}

TEST(Consumers, SelectorsChooseAsKubernetesDoes) {
  const auto labels = parse_object(R"({"app":"felix","tier":"net"})");
  const auto chosen = [&](const char* text) {
    const auto selector = parse_object(text);
    return selects(&selector, &labels);
  };
  EXPECT_TRUE(selects(nullptr, &labels));
  EXPECT_TRUE(chosen("{}"));
  EXPECT_TRUE(chosen(R"({"matchLabels":{"app":"felix"}})"));
  EXPECT_FALSE(chosen(R"({"matchLabels":{"app":"felix","x":"y"}})"));
  EXPECT_TRUE(
      chosen(R"({"matchExpressions":[{"key":"app","operator":"In","values":["a","felix"]}]})"));
  EXPECT_FALSE(
      chosen(R"({"matchExpressions":[{"key":"app","operator":"NotIn","values":["felix"]}]})"));
  EXPECT_TRUE(chosen(R"({"matchExpressions":[{"key":"x","operator":"DoesNotExist"}]})"));
  EXPECT_FALSE(chosen(R"({"matchExpressions":[{"key":"app","operator":"Matches"}]})"));
}

// --- the platform --------------------------------------------------------------------------------

void serve_platform(TestCluster& cluster) {
  cluster.serve_groups({"crd.projectcalico.org", "apps.example"});
  cluster.put(kube::kNamespaces, parse_object(R"({"metadata":{"name":"cpaas-system"}})"));
  cluster.api.raw["/apis/apps.example"] = json::parse(R"({"preferredVersion":{"version":"v1"}})");
  cluster.api.raw["/apis/apps.example/v1"] =
      json::parse(R"({"resources":[{"name":"appreleases"},{"name":"resourcepatches"}]})");
}

TEST(Platform, IsFoundByDiscovery) {
  TestCluster cluster;
  serve_platform(cluster);
  cluster.put(kReleases,
              parse_object(R"({"metadata":{"name":"cni-calico","namespace":"cpaas-system"}})"));
  cluster.put(kPatches, parse_object(R"({"metadata":{"name":"p"},"spec":{"name":"calico-node"}})"));
  cluster.put(kPatches,
              parse_object(R"({"metadata":{"name":"q"},"spec":{"name":"calico-node-windows"}})"));
  const auto read = around(cluster).platform;
  EXPECT_EQ(read.release, "AppRelease cpaas-system/cni-calico");
  ASSERT_THAT(read.patches, SizeIs(1));
  EXPECT_EQ(read.patches[0].name, "p");
  EXPECT_EQ(read.patch_resource, "resourcepatches.apps.example");
  EXPECT_EQ(read.patches[0].object, "DaemonSet kube-system/calico-node");
}

TEST(Platform, ElsewhereNobodyWalksThroughTheGroups) {
  TestCluster cluster;
  cluster.serve_groups({"crd.projectcalico.org", "apps.example"});
  EXPECT_EQ(around(cluster).platform.release, "");
  EXPECT_THAT(requests_of(cluster.api), Not(Contains(HasSubstr("/apis/apps.example"))));
}

TEST(Platform, AMissingRightIsSaid) {
  TestCluster cluster;
  serve_platform(cluster);
  cluster.api.deny("list", "resourcepatches");
  const auto read = around(cluster).platform;
  EXPECT_THAT(read.patches, IsEmpty());
  ASSERT_THAT(read.not_known, SizeIs(1));
  EXPECT_EQ(read.not_known[0].kind, "ResourcePatch");
}

TEST(Platform, ANameIsAWordOfItsOwn) {
  EXPECT_TRUE(names_object(R"("name":"calico-node")", "calico-node"));
  EXPECT_TRUE(names_object("calico-node-windows, calico-node", "calico-node"));
  EXPECT_FALSE(names_object("calico-node-windows", "calico-node"));
  EXPECT_FALSE(names_object("my-calico-node", "calico-node"));
  EXPECT_FALSE(names_object("anything", ""));
}

// --- Argo CD, the migration, who wrote -----------------------------------------------------------

TEST(Applications, OnlyThoseThatDeployHere) {
  auto set = daemon_set_json("calico-node", container_json(""));
  set["metadata"].as_object()["labels"] = json::parse(R"({"argocd.argoproj.io/instance":"net"})");
  TestCluster cluster;
  cluster.put(kube::kDaemonSets, set);
  const auto application = [](const char* namespace_, const char* spec) {
    return parse_object(fmt::format(R"({{"metadata":{{"name":"net","namespace":"{}"}},"spec":{}}})",
                                    namespace_, spec));
  };
  cluster.put(kApplications, application("a", R"({"destination":{"name":"in-cluster"},
      "syncPolicy":{"automated":{"selfHeal":true}}})"));
  cluster.put(kApplications, application("b", R"({"syncPolicy":{"automated":{}}})"));
  cluster.put(kApplications, application("c", R"({"destination":{"server":"https://10.1.1.1"}})"));
  cluster.put(kApplications, application("d", R"({"syncPolicy":{"automated":{"enabled":false,
      "selfHeal":true}}})"));
  std::vector<std::string> found;
  for (const auto& one : around(cluster).applications)
    found.push_back(one.namespace_ + (one.heals_itself ? " heals" : " leaves"));
  EXPECT_THAT(found, testing::UnorderedElementsAre("a heals", "b leaves", "d leaves"));
}

TEST(Migration, CompleteAndAbsentAreNone) {
  TestCluster cluster;
  EXPECT_FALSE(discovered(cluster).migration.has_value());
  const auto put = [&](const char* phase) {
    cluster.put(kMigrations,
                parse_object(fmt::format(
                    R"({{"metadata":{{"name":"v1-to-v3"}},"status":{{"phase":"{}"}}}})", phase)));
  };
  put("Complete");
  EXPECT_FALSE(discovered(cluster).migration.has_value());
  put("Converged");
  ASSERT_TRUE(discovered(cluster).migration.has_value());
  EXPECT_EQ(discovered(cluster).migration->phase, "Converged");
}

TEST(Migration, UnreadableOnlyWhereItIsServed) {
  TestCluster cluster;
  cluster.api.deny("get", "datastoremigrations");
  EXPECT_FALSE(discovered(cluster).migration.has_value());
  cluster.api.raw["/apis/migration.projectcalico.org"] = json::object{};
  ASSERT_TRUE(discovered(cluster).migration.has_value());
  EXPECT_FALSE(discovered(cluster).migration->state.readable);
}

TEST(ManagedFields, OnlyWritersOfTheSpecAreKept) {
  auto object = parse_object(R"({"metadata":{"managedFields":[
      {"manager":"helm","operation":"Update","fieldsV1":{"f:spec":{"f:template":{}}}},
      {"manager":"argocd-controller","operation":"Apply","fieldsV1":{"f:metadata":{}}},
      {"manager":"kube-controller-manager","operation":"Update","subresource":"status",
       "fieldsV1":{"f:status":{}}},
      7,{"manager":"x","fieldsV1":5}]}})");
  keep_writers(object);
  EXPECT_EQ(json::serialize(object),
            R"({"metadata":{"managedFields":[{"manager":"helm","operation":"Update"}]}})");
}

}  // namespace
}  // namespace catflap::look
