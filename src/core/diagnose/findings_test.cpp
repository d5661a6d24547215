// Which findings a diagnosis carries: a row each, one line of codes.
#include "core/diagnose/findings.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "core/catalogue.hpp"

namespace catflap {
namespace {

struct Diagnosis {
  ClusterFacts facts;
  ClusterVerdict cluster;
  std::vector<Look> looks{1};
};

/// Three lines of world: node n1 with one calico-node pod that is declared off in its environment,
/// and refuses.
Diagnosis quiet() {
  Diagnosis diagnosis;
  auto& facts = diagnosis.facts;
  facts.calico_api = CalicoApi::v1_crd;
  facts.nodes = {{.name = "n1", .ready = true}};
  facts.daemon_sets = {{.namespace_ = "kube-system", .name = "calico-node"}};
  NodeVerdict node{.name = "n1", .verdict = Verdict::unknown};
  node.declared.emplace();
  node.declared->enabled = {.value = false, .raw = "false", .layer = Layer::env};
  node.declared->enabled.source = {"Pod", "kube-system", "calico-node-x",
                                   "env FELIX_PROMETHEUSMETRICSENABLED"};
  node.declared->port.value = 9091;
  node.reachable = {{.vantage = "direct",
                     .node = "n1",
                     .endpoint = *HostPort::parse("10.0.0.1:9091"),
                     .outcome = Outcome::refused}};
  diagnosis.cluster.nodes = {node};
  return diagnosis;
}

void answer(Reach& row, const char* felix_host) {
  row.outcome = Outcome::open;
  row.identity = Identity::felix;
  row.felix_host = felix_host;
}

/// A complete look into n1's pod, whose Felix has this environment.
void look_inside(Diagnosis& diagnosis, const char* enabled) {
  auto& node = diagnosis.cluster.nodes.at(0);
  node.pods = {{.uid = "pod-1", .declared = *node.declared}};
  diagnosis.looks.at(0).inside = {
      {.pod_uid = "pod-1",
       .complete = true,
       .felix = {{.pid = 7, .environment = {{"FELIX_PROMETHEUSMETRICSENABLED", enabled}}}}}};
}

void template_is(Diagnosis& diagnosis, const char* text) {
  diagnosis.facts.daemon_sets[0].felix_container = "calico-node";
  diagnosis.facts.daemon_sets[0].object = {{"spec", json::object{{"template", json::parse(text)}}}};
}

std::string codes(Diagnosis diagnosis) {
  add_findings(diagnosis.cluster, diagnosis.facts, diagnosis.looks);
  std::string line;
  for (const auto& finding : diagnosis.cluster.findings) line += finding.code + " ";
  line += "| ";
  for (const auto& finding : diagnosis.cluster.nodes.at(0).findings) line += finding.code + " ";
  return line;
}

json::object operated() {
  return json::parse(
             R"({"metadata":{"labels":{"app.kubernetes.io/managed-by":"tigera-operator"}}})")
      .as_object();
}

TEST(Findings, Table) {
  struct Row {
    const char* name;
    std::function<void(Diagnosis&)> change;
    const char* expected;
  };
  const auto node = [](Diagnosis& d) -> NodeVerdict& { return d.cluster.nodes.at(0); };
  const auto row = [&](Diagnosis& d) -> Reach& { return node(d).reachable.at(0); };
  const std::vector<Row> table{
      {"nothing to say", [](Diagnosis&) {}, "| "},
      {"clear text",
       [&](Diagnosis& d) { answer(row(d), "n1"), node(d).declared->enabled.value = true; },
       "| CF0001 "},
      {"TLS",
       [&](Diagnosis& d) {
         answer(row(d), "n1"), row(d).tls.emplace(), node(d).declared->enabled.value = true;
       },
       "| CF0002 "},
      {"any certificate",
       [&](Diagnosis& d) {
         answer(row(d), "n1"), row(d).throwaway = ThrowawayResult::accepted,
                               node(d).declared->enabled.value = true;
       },
       "| CF0003 "},
      {"another node's Felix", [&](Diagnosis& d) { answer(row(d), "n2"); }, "| CF0043 "},
      {"off, and yet it answers", [&](Diagnosis& d) { answer(row(d), "n1"); }, "| CF0001 "},
      {"off, and yet it answers, and a look inside agrees",
       [&](Diagnosis& d) { answer(row(d), "n1"), look_inside(d, "false"); }, "| CF0001 CF0044 "},
      {"off, it answers, and the process has another environment",
       [&](Diagnosis& d) { answer(row(d), "n1"), look_inside(d, "true"); }, "| CF0001 "},
      {"off, it answers, and the pod's Felix listens",
       [&](Diagnosis& d) {
         answer(row(d), "n1"), look_inside(d, "false");
         d.looks[0].inside[0].listeners = {
             {.endpoint = *HostPort::parse("0.0.0.0:9091"), .felix = true}};
       },
       "| CF0001 "},
      {"off in a FelixConfiguration only, and yet it answers",
       [&](Diagnosis& d) {
         answer(row(d), "n1"), look_inside(d, "false");
         node(d).pods[0].declared.enabled.layer = Layer::fc_default;
       },
       "| CF0001 "},
      {"the build",
       [&](Diagnosis& d) {
         answer(row(d), "n1"), node(d).declared->enabled = {.value = true, .layer = Layer::build};
       },
       "| CF0001 CF0041 "},
      {"on, and refused", [&](Diagnosis& d) { node(d).declared->enabled.value = true; },
       "| CF0042 "},
      {"on, and refused at the one address of two that can be reached",
       [&](Diagnosis& d) {
         node(d).declared->enabled.value = true;
         node(d).reachable.push_back(row(d));
         node(d).reachable.back().outcome = Outcome::timeout;
       },
       "| CF0042 "},
      {"on, and nobody says anything",
       [&](Diagnosis& d) {
         node(d).declared->enabled.value = true, row(d).outcome = Outcome::timeout;
       },
       "| "},
      {"on, refused at one address and open at another",
       [&](Diagnosis& d) {
         node(d).declared->enabled.value = true;
         node(d).reachable.push_back(row(d));
         answer(node(d).reachable.back(), "n1");
       },
       "| CF0001 "},
      {"another exporter",
       [&](Diagnosis& d) { row(d).outcome = Outcome::open, row(d).identity = Identity::typha; },
       "| CF0007 "},
      {"armed", [&](Diagnosis& d) { node(d).verdict = Verdict::armed; }, "| CF0004 "},
      {"local", [&](Diagnosis& d) { node(d).verdict = Verdict::local_only; }, "| CF0005 "},
      {"filtered", [&](Diagnosis& d) { node(d).verdict = Verdict::filtered; }, "| CF0006 "},
      {"untested",
       [&](Diagnosis& d) { node(d).coverage.untested = {*HostPort::parse("[fd91::1]:9091")}; },
       "| CF0055 "},
      {"stale and lingering",
       [&](Diagnosis& d) {
         node(d).pods = {{.name = "a", .stale = true}, {.name = "b", .terminating = true}};
       },
       "| CF0024 CF0025 "},
      {"not ready", [](Diagnosis& d) { d.facts.nodes[0].ready = false; }, "| CF0026 "},
      {"notes of the resolver",
       [&](Diagnosis& d) { node(d).declared->notes = {{"CF0011", {{"names", "a, b"}}}}; },
       "CF0011 | "},
      {"OnDelete", [](Diagnosis& d) { d.facts.daemon_sets[0].on_delete = true; }, "CF0027 | "},
      {"waiting pods",
       [](Diagnosis& d) {
         d.facts.pods = {{.namespace_ = "kube-system", .daemon_set = "calico-node", .stale = true}};
       },
       "CF0029 | "},
      {"kubectl apply",
       [](Diagnosis& d) {
         d.facts.daemon_sets[0].object =
             json::parse(
                 R"({"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{}"}}})")
                 .as_object();
       },
       "CF0030 | "},
      {"argocd",
       [](Diagnosis& d) {
         d.facts.daemon_sets[0].object =
             json::parse(R"({"metadata":{"annotations":{"argocd.argoproj.io/tracking-id":"x"}}})")
                 .as_object();
       },
       "CF0033 | "},
      {"a port that the operator has not rendered",
       [](Diagnosis& d) {
         d.facts.daemon_sets[0].object = operated();
         d.facts.tigera_operator = OperatorFacts{.wanted = 1, .available = 1};
         d.facts.tigera_operator->installations = {
             json::parse(R"({"metadata":{"name":"default"},"spec":{"nodeMetricsPort":9091}})")
                 .as_object()};
       },
       "CF0060 CF0065 | "},
      {"an operator that does not run",
       [](Diagnosis& d) {
         d.facts.daemon_sets[0].object = operated();
         d.facts.tigera_operator = OperatorFacts{.wanted = 0};
       },
       "CF0060 CF0063 | "},
      {"Installations forbidden",
       [](Diagnosis& d) {
         d.facts.daemon_sets[0].object = operated();
         d.facts.tigera_operator = OperatorFacts{
             .installations_state = {false, "forbidden"}, .wanted = 1, .available = 1};
       },
       "CF0060 CF0061 | "},
      {"annotated for Prometheus",
       [](Diagnosis& d) {
         template_is(d, R"({"metadata":{"annotations":{"prometheus.io/scrape":"true"}}})");
       },
       "CF0051 | "},
      {"a container port",
       [](Diagnosis& d) {
         template_is(d, R"({"spec":{"containers":[{"name":"calico-node",
                          "ports":[{"containerPort":9091},{"containerPort":9099}]}]}})");
       },
       "CF0050 | "},
      {"none in scope",
       [](Diagnosis& d) { d.facts.scope = "web", d.facts.daemon_sets[0].in_scope = false; },
       "CF0036 | "},
      {"two DaemonSets", [](Diagnosis& d) { d.facts.daemon_sets.push_back({.name = "canal"}); },
       "CF0035 | "},
      {"none", [](Diagnosis& d) { d.facts.daemon_sets.clear(); }, "CF0036 | "},
      {"FelixConfigurations forbidden",
       [](Diagnosis& d) { d.facts.felix_configurations_state = {false, "forbidden"}; },
       "CF0037 | "},
      {"etcd datastore", [](Diagnosis& d) { d.facts.calico_api = CalicoApi::none; }, "CF0052 | "},
      {"skew", [](Diagnosis& d) { d.facts.clock_skew = std::chrono::seconds(-30); }, "CF0038 | "},
      {"blind", [](Diagnosis& d) { d.looks[0].skipped = {{"direct", "blind", ""}}; }, "CF0039 | "},
      {"forbidden vantage point",
       [](Diagnosis& d) { d.looks[0].skipped = {{"exec", "forbidden", "no"}}; }, "CF0040 | "},
      {"windows", [](Diagnosis& d) { d.facts.nodes[0].windows = true; }, "CF0045 | "},
      {"a node joined", [](Diagnosis& d) { d.cluster.population.joined = {"n9"}; }, "CF0046 | "},
      {"looked once", [](Diagnosis& d) { d.cluster.counts[Verdict::closed] = 1; }, "CF0054 | "},
  };
  for (const auto& entry : table) {
    auto diagnosis = quiet();
    entry.change(diagnosis);
    EXPECT_EQ(codes(diagnosis), entry.expected) << entry.name;
    add_findings(diagnosis.cluster, diagnosis.facts, diagnosis.looks);
    for (const auto& finding : diagnosis.cluster.findings)
      EXPECT_NE(find_row(finding.code), nullptr) << finding.code;
  }
}

TEST(Findings, TheSameOnEveryNodeIsSaidOnce) {
  auto diagnosis = quiet();
  diagnosis.cluster.nodes[0].declared->notes = {{"CF0014", {{"source", "x"}}}};
  diagnosis.cluster.nodes.push_back(diagnosis.cluster.nodes[0]);
  add_findings(diagnosis.cluster, diagnosis.facts, diagnosis.looks);
  EXPECT_EQ(diagnosis.cluster.findings.size(), 1u);
}

}  // namespace
}  // namespace catflap
