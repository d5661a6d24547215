// Clusters to render: made by hand, not by prove(), so that a view is tested for what it is given.
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "core/model/plan.hpp"
#include "core/model/verdict.hpp"
#include "render/change.hpp"
#include "render/verdict_text.hpp"

namespace catflap::test {

inline const TimePoint kNow{std::chrono::seconds{1'790'000'000}};

struct Sample {
  ClusterFacts facts;
  ClusterVerdict verdict;
  std::vector<Look> looks;
  [[nodiscard]] render::Seen seen() const { return {facts, verdict, looks}; }
};

inline Source env_source() {
  return {"DaemonSet", "kube-system", "calico-node", "env FELIX_PROMETHEUSMETRICSENABLED"};
}

inline Declared declared_by_env(const std::string& raw, bool value) {
  Declared declared;
  declared.enabled.value = value;
  declared.enabled.raw = raw;
  declared.enabled.layer = Layer::env;
  declared.enabled.source = env_source();
  declared.enabled.masked = {
      {Layer::fc_default,
       {"FelixConfiguration", "", "default", "spec.prometheusMetricsEnabled"},
       "true"}};
  declared.port.value = 9091;
  declared.host.value = "";
  declared.tls.value = false;
  declared.client_auth.value = ClientAuth::no_client_cert;
  return declared;
}

inline IpAddress address_of(std::size_t i) {
  return IpAddress::v4(
      {10, 91, static_cast<std::uint8_t>(i / 250), static_cast<std::uint8_t>(i % 250 + 1)});
}

inline Reach felix_answer(const std::string& node, const IpAddress& address) {
  Reach reach{
      .vantage = "direct", .node = node, .endpoint = {address, 9091}, .outcome = Outcome::open};
  reach.identity = Identity::felix;
  reach.felix_host = node;
  reach.http_status = 200;
  reach.bytes = 18'412;
  reach.excerpt = "felix_host{host=\"" + node + "\"} 1";
  reach.at = kNow;
  reach.took = Duration{12};
  return reach;
}

inline NodeVerdict exposed_node(const std::string& name, std::size_t i) {
  NodeVerdict node{
      .name = name, .addresses = {{address_of(i), "InternalIP"}}, .verdict = Verdict::exposed};
  node.reasons = {{"anonymous-read", {{"endpoint", address_of(i).to_string() + ":9091"}}}};
  node.declared = declared_by_env("true", true);
  node.pods = {
      {"kube-system", "calico-node-" + name, "uid-" + name, true, false, false, *node.declared}};
  node.reachable = {felix_answer(name, address_of(i))};
  node.coverage.tested = {{address_of(i), 9091}};
  node.findings = {{"CF0001", {{"endpoint", address_of(i).to_string() + ":9091"}}}};
  return node;
}

inline NodeVerdict closed_node(const std::string& name, std::size_t i) {
  NodeVerdict node{
      .name = name, .addresses = {{address_of(i), "InternalIP"}}, .verdict = Verdict::closed};
  node.basis = Basis::inside;
  node.accepted = true;
  node.reasons = {{"inside-clean", {}}};
  node.declared = declared_by_env("false", false);
  node.pods = {
      {"kube-system", "calico-node-" + name, "uid-" + name, true, false, false, *node.declared}};
  Reach refused{.vantage = "direct",
                .node = name,
                .endpoint = {address_of(i), 9091},
                .outcome = Outcome::refused};
  refused.detail = "Connection refused";
  refused.at = kNow;
  node.reachable = {refused};
  node.listening = {{.endpoint = {address_of(i), 10250}, .pid = 71, .comm = "kubelet"}};
  node.coverage.tested = {{address_of(i), 9091}};
  return node;
}

inline NodeVerdict unknown_node(const std::string& name, std::size_t i) {
  NodeVerdict node{
      .name = name, .addresses = {{address_of(i), "InternalIP"}}, .verdict = Verdict::unknown};
  node.reasons = {
      {"node-not-ready", {{"why", "NodeStatusUnknown: Kubelet stopped posting node status."}}},
      {"timeout", {{"endpoint", address_of(i).to_string() + ":9091"}}}};
  node.declared = declared_by_env("false", false);
  return node;
}

inline ClusterFacts sample_facts() {
  ClusterFacts facts{
      .cluster_name = "lab", .server = "https://10.90.0.1:6443", .user = "admin", .uid = "c0ffee"};
  facts.kubernetes_version = "v1.33.0";
  facts.calico_version = "v3.30.1";
  facts.clock_skew = Duration{-40};
  facts.daemon_sets.push_back({.namespace_ = "kube-system",
                               .name = "calico-node",
                               .uid = "ds-1",
                               .felix_container = "calico-node",
                               .image = "quay.io/calico/node:v3.30.1"});
  facts.daemon_sets[0].object = {
      {"metadata", {{"name", "calico-node"}, {"namespace", "kube-system"}}}};
  return facts;
}

inline Look sample_look(const std::vector<NodeVerdict>& nodes, TimePoint at) {
  Look look{.started = at, .finished = at + std::chrono::seconds{1}};
  for (const NodeVerdict& node : nodes) {
    for (const Reach& reach : node.reachable) look.reached.push_back(reach);
    for (const NodeAddress& address : node.addresses) {
      look.controls.push_back(
          {.vantage = "direct", .address = address.address, .outcome = Outcome::open, .at = at});
    }
  }
  return look;
}

/// Counts and looks follow from the nodes.
inline Sample sample_of(std::vector<NodeVerdict> nodes) {
  Sample sample{.facts = sample_facts()};
  sample.looks = {sample_look(nodes, kNow)};
  for (const NodeVerdict& node : nodes) ++sample.verdict.counts[node.verdict];
  for (Verdict which : {Verdict::closed, Verdict::not_felix, Verdict::protected_, Verdict::unknown,
                        Verdict::armed, Verdict::exposed}) {
    if (sample.verdict.counts.count(which) != 0) sample.verdict.verdict = which;
  }
  sample.verdict.population.total = static_cast<int>(nodes.size());
  sample.verdict.population.tested = static_cast<int>(nodes.size());
  sample.verdict.stability.looks = {kNow};
  sample.verdict.nodes = std::move(nodes);
  return sample;
}

inline Sample three_exposed() {
  return sample_of({exposed_node("n1", 0), exposed_node("n2", 1), exposed_node("n3", 2)});
}

inline Sample three_closed() {
  Sample sample = sample_of({closed_node("n1", 0), closed_node("n2", 1), closed_node("n3", 2)});
  sample.verdict.stability = {.looks = {kNow, kNow + std::chrono::seconds{11}}, .settled = true};
  sample.looks.push_back(sample_look(sample.verdict.nodes, kNow + std::chrono::seconds{11}));
  for (Look& look : sample.looks) {
    for (const NodeVerdict& node : sample.verdict.nodes) {
      InsideLook inside{
          .vantage = "exec", .node = node.name, .pod_uid = "uid-" + node.name, .at = look.started};
      inside.complete = true;
      inside.listeners = node.listening;
      inside.felix = {{.pid = 91,
                       .started = kNow - std::chrono::hours{1},
                       .environment = {{"NODENAME", node.name}}}};
      inside.raw = "tcp\n  sl  local_address\n\xff";
      look.inside.push_back(inside);
    }
  }
  return sample;
}

/// 5,000 nodes in every verdict, and more reasons than a screen has lines.
inline Sample five_thousand() {
  std::vector<NodeVerdict> nodes;
  for (std::size_t i = 0; i < 5000; ++i) {
    const std::string name = fmt::format("worker-{:04}.eu-central.example.com", i);
    if (i % 100 == 7) {
      nodes.push_back(exposed_node(name, i));
    } else if (i % 100 == 8) {
      nodes.push_back(unknown_node(name, i));
    } else {
      nodes.push_back(closed_node(name, i));
    }
    if (i % 500 == 9) {
      nodes.back() = unknown_node(name, i);
      nodes.back().reasons = {{fmt::format("reason-{}", i), {}}};
    }
  }
  return sample_of(std::move(nodes));
}

inline Plan sample_plan() {
  Plan plan;
  const Target target{"apps/v1", "DaemonSet",   "kube-system", "calico-node",
                      "ds-1",    "calico-node", "env"};
  Step step{.id = "disable-env",
            .change = {target},
            .restart = Restart::rolling,
            .nodes = {"n1", "n2", "n3"}};
  step.change.before = json::parse(R"([{"name":"FELIX_PROMETHEUSMETRICSENABLED","value":"true"}])");
  step.change.after = json::parse(R"([{"name":"FELIX_PROMETHEUSMETRICSENABLED","value":"false"}])");
  step.change.resource_version = "4711";
  step.title = {"plan-disable-env",
                {{"name", "FELIX_PROMETHEUSMETRICSENABLED"},
                 {"container", "calico-node"},
                 {"daemonset", "kube-system/calico-node"}}};
  step.by_hand =
      "kubectl -n kube-system set env ds/calico-node -c calico-node "
      "FELIX_PROMETHEUSMETRICSENABLED=false";
  plan.steps = {step};
  plan.warnings = {
      {"plan-pods-restart",
       {{"daemonset", "kube-system/calico-node"}, {"pods", "3"}, {"maxUnavailable", "1"}}}};
  plan.stays_up = {{"stays-dataplane", {}}, {"stays-health", {}}};
  plan.expected = std::chrono::seconds{45};
  plan.restarting_nodes = 3;
  plan.digest = "d1";
  return plan;
}

inline render::RolloutView sample_rollout() {
  return {.namespace_ = "kube-system",
          .name = "calico-node",
          .end = "time-up",
          .desired = 3,
          .generation = 2,
          .observed_generation = 2,
          .nodes = {{"n1", "done", "calico-node-aaaaa", "", ""},
                    {"n2", "not-ready", "calico-node-bbbbb", "ImagePullBackOff",
                     "Back-off pulling image \"quay.io/calico/node:nope\"\x1b[2J"},
                    {"n3", "not-started", "calico-node-ccccc", "", ""}},
          .elapsed = std::chrono::seconds{62}};
}

}  // namespace catflap::test
