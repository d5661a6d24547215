#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "look/read_daemon_set.hpp"
#include "look/read_node.hpp"
#include "look/read_pod.hpp"
#include "support/look_cluster.hpp"

namespace catflap::look {
namespace {

std::string addresses_of(const NodeFacts& node) {
  std::string text;
  for (const auto& [address, type] : node.addresses) {
    text += (text.empty() ? "" : " ") + type + ":" + address.to_string();
  }
  return text;
}

TEST(ReadNode, DualStackWithTunnels) {
  const auto node = read_node(parse_object(R"({
    "metadata":{"name":"n1","uid":"u","labels":{"kubernetes.io/os":"linux"},"annotations":{
      "projectcalico.org/IPv4Address":"10.0.0.1/24","projectcalico.org/IPv6Address":"fd00::1/64",
      "projectcalico.org/IPv4VXLANTunnelAddr":"192.168.9.0","projectcalico.org/ASNumber":"64512",
      "projectcalico.org/IPv4IPIPTunnelAddr":"not an address"}},
    "status":{"addresses":[{"type":"ExternalIP","address":"203.0.113.7"},{"type":"Hostname","address":"n1"},
      {"type":"InternalIP","address":"10.0.0.1"},{"type":"InternalIP","address":"fd00:0::1"},
      {"type":"InternalDNS","address":"10.0.0.9"},{"type":"InternalIP","address":"10.0.0.1"}]}})"));
  EXPECT_EQ(addresses_of(node),
            "InternalIP:10.0.0.1 InternalIP:fd00::1 ExternalIP:203.0.113.7 Tunnel:192.168.9.0");
}

TEST(ReadNode, AnInterfaceOfCalicosOwnIsAnAddressToo) {
  const auto node = read_node(parse_object(R"({"metadata":{"name":"n1","annotations":{
      "projectcalico.org/IPv4Address":"172.16.0.1/16"}},
    "status":{"addresses":[{"type":"InternalIP","address":"10.0.0.1"}]}})"));
  EXPECT_EQ(addresses_of(node), "InternalIP:10.0.0.1 CalicoIP:172.16.0.1");
}

TEST(ReadNode, NotReadyUntilItSaysSo) {
  EXPECT_FALSE(read_node(parse_object(R"({"metadata":{"name":"n"}})")).ready);
  const auto node = read_node(parse_object(R"({"metadata":{"name":"n"},"spec":{"unschedulable":true,
      "taints":[{"key":"k","value":"v","effect":"NoSchedule"}]},
    "status":{"conditions":[{"type":"MemoryPressure","status":"True"},
      {"type":"Ready","status":"Unknown","reason":"NodeStatusUnknown","message":"Kubelet stopped\nposting"}]}})"));
  EXPECT_FALSE(node.ready);
  EXPECT_EQ(node.not_ready_reason, "NodeStatusUnknown: Kubelet stopped\\x0aposting");
  EXPECT_TRUE(node.unschedulable);
  EXPECT_EQ(node.taints, (std::vector<Taint>{{"k", "v", "NoSchedule"}}));
}

TEST(ReadNode, Windows) {
  EXPECT_TRUE(
      read_node(parse_object(R"({"metadata":{"labels":{"kubernetes.io/os":"windows"}}})")).windows);
  EXPECT_TRUE(
      read_node(parse_object(R"({"status":{"nodeInfo":{"operatingSystem":"windows"}}})")).windows);
  EXPECT_FALSE(read_node(node_json("n1", 1)).windows);
}

PodFacts pod_with_status(std::string_view status) {
  auto pod = pod_json(daemon_set_json("ds", container_json("")), "p", "n1");
  pod["status"] = json::parse(status);
  return read_pod(pod, "calico-node");
}

TEST(ReadPod, Running) {
  const auto pod =
      read_pod(pod_json(daemon_set_json("ds", container_json("")), "p", "n1"), "calico-node");
  EXPECT_TRUE(pod.felix_running);
  EXPECT_TRUE(pod.ready);
  EXPECT_TRUE(pod.host_network);
  EXPECT_FALSE(pod.terminating);
  EXPECT_EQ(pod.felix_restarts, 2);
  EXPECT_EQ(pod.felix_started, parse_rfc3339("2026-01-01T00:01:00Z"));
  EXPECT_EQ(pod.image, "docker.io/calico/node:v3.30.1");
  EXPECT_EQ(pod.node, "n1");
  EXPECT_TRUE(pod.troubles.empty());
}

TEST(ReadPod, Terminating) {
  auto object = pod_json(daemon_set_json("ds", container_json("")), "p", "n1");
  object["metadata"].as_object()["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  EXPECT_TRUE(read_pod(object, "calico-node").terminating);
}

std::string troubles_of(const PodFacts& pod) {
  std::string text;
  for (const auto& trouble : pod.troubles) {
    text += fmt::format("[{} {}: {}]", trouble.container, trouble.reason, trouble.message);
  }
  return text;
}

TEST(ReadPod, Troubles) {
  EXPECT_EQ(troubles_of(pod_with_status(R"({"initContainerStatuses":[
      {"name":"install-cni","state":{"waiting":{"reason":"ImagePullBackOff","message":"no such image"}}}],
    "containerStatuses":[{"name":"calico-node","state":{"waiting":{"reason":"PodInitializing"}}}]})")),
            "[install-cni ImagePullBackOff: no such image]");
  EXPECT_EQ(troubles_of(pod_with_status(R"({"containerStatuses":[{"name":"calico-node",
      "state":{"waiting":{"reason":"CrashLoopBackOff","message":"back-off 10s"}},
      "lastState":{"terminated":{"reason":"Error","exitCode":1,"message":"panic"}}}]})")),
            "[calico-node CrashLoopBackOff: back-off 10s (last: exit code 1: panic)]");
  EXPECT_EQ(
      troubles_of(pod_with_status(R"({"containerStatuses":[{"name":"calico-node","ready":false,
      "state":{"running":{}},"lastState":{"terminated":{"reason":"OOMKilled","exitCode":137}}}]})")),
      "[calico-node OOMKilled: exit code 137]");
  const auto waiting = pod_with_status(R"({"conditions":[{"type":"PodScheduled","status":"False",
      "message":"0/3 nodes are available"}]})");
  EXPECT_EQ(waiting.unschedulable_message, "0/3 nodes are available");
  EXPECT_FALSE(waiting.felix_running);
}

TEST(ReadPod, AnotherContainerRunningIsNotFelixRunning) {
  EXPECT_FALSE(
      pod_with_status(R"({"containerStatuses":[{"name":"kube-flannel","state":{"running":{}}},
      {"name":"calico-node","state":{"terminated":{"reason":"Error","exitCode":2}}}]})")
          .felix_running);
}

TEST(ReadDaemonSet, RefusesASelectorThatWouldListEverything) {
  auto object = daemon_set_json("ds", container_json(""));
  object["spec"].as_object()["selector"] = json::object{};
  const auto read = read_daemon_set(std::move(object), "calico-node");
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().kind, ErrorKind::malformed_input);
}

TEST(ReadDaemonSet, KeepsTheObjectWithoutManagedFields) {
  auto object = daemon_set_json("ds", container_json(""));
  object["spec"].as_object()["updateStrategy"] = {{"type", "OnDelete"}};
  const auto read = read_daemon_set(std::move(object), "calico-node");
  ASSERT_TRUE(read.has_value());
  EXPECT_TRUE(read->on_delete);
  EXPECT_EQ(read->selector, "k8s-app=ds");
  EXPECT_FALSE(read->object.at("metadata").as_object().contains("managedFields"));
  EXPECT_EQ(text_at(read->object, {"metadata", "uid"}), "uid-ds");
}

}  // namespace
}  // namespace catflap::look
