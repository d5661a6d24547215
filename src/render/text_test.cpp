// The texts, against goldens and against the size of a screen.
#include <gtest/gtest.h>

#include "core/catalogue.hpp"
#include "render/change_text.hpp"
#include "render/error_text.hpp"
#include "render/explain.hpp"
#include "render/groups.hpp"
#include "render/samples_test.hpp"
#include "render/undo_text.hpp"
#include "support/golden.hpp"

namespace catflap::render {
namespace {

using namespace catflap::test;

const Style kPlain(Colours::off);

TEST(DiagnosisText, ThreeExposedNodes) {
  expect_golden("diagnose-exposed.txt", diagnosis_text(three_exposed().seen(), "catflap", kPlain));
}

TEST(DiagnosisText, MixedCluster) {
  const Sample sample =
      sample_of({exposed_node("n1", 0), closed_node("n2", 1), unknown_node("n3", 2)});
  expect_golden("diagnose-mixed.txt", diagnosis_text(sample.seen(), "kubectl catflap", kPlain));
}

TEST(EvidenceText, ThreeClosedNodesNameTheirBasis) {
  expect_golden("verify-closed.txt",
                evidence_text(three_closed().seen(), "/tmp/evidence.json", "catflap", kPlain));
}

TEST(DiagnosisText, FiveThousandNodesFitAScreen) {
  const std::string text = diagnosis_text(five_thousand().seen(), "catflap", kPlain);
  expect_golden("diagnose-5000.txt", text);
  EXPECT_LE(count_lines(text), 40U);
  EXPECT_LE(widest_line(text), kWidth);
}

TEST(DiagnosisText, NeverWiderThanAScreen) {
  Sample sample = three_exposed();
  sample.facts.server = "https://" + std::string(60, 'a') + ".example.com:6443";
  sample.verdict.nodes[0].declared->enabled.raw = std::string(700, 'x');
  for (const std::string& text :
       {diagnosis_text(sample.seen(), "catflap", kPlain),
        evidence_text(three_closed().seen(), "/tmp/e.json", "catflap", kPlain),
        plan_text(sample_plan(), sample.facts, "catflap", kPlain)}) {
    EXPECT_LE(widest_line(text), kWidth) << text;
    EXPECT_LE(count_lines(text), 40U) << text;
  }
}

TEST(DiagnosisText, AnUnknownNodeIsNeverCountedAsClosed) {
  const Sample sample = sample_of({closed_node("n1", 0), unknown_node("n2", 1)});
  EXPECT_EQ(headline(sample.verdict), "1 of 2 nodes is unknown, 1 is closed.");
  EXPECT_EQ(headline(three_closed().verdict), "All 3 nodes are closed.");
}

TEST(DiagnosisText, NamesTheDaemonSetOfAPodUnlessThePodIsStale) {
  Sample sample = three_exposed();
  sample.verdict.nodes.resize(1);
  Declared& declared = *sample.verdict.nodes[0].declared;
  declared.enabled.source = {"Pod", "kube-system", "calico-node-a", "env FELIX_X"};
  sample.facts.pods = {
      {.namespace_ = "kube-system", .name = "calico-node-a", .daemon_set = "calico-node"}};
  EXPECT_EQ(deciding(declared, sample.facts),
            "env FELIX_X=\"true\" in DaemonSet kube-system/calico-node");
  sample.facts.pods[0].stale = true;
  EXPECT_EQ(deciding(declared, sample.facts),
            "env FELIX_X=\"true\" in Pod kube-system/calico-node-a, made from an older template of "
            "DaemonSet "
            "kube-system/calico-node");
}

TEST(DiagnosisText, ANodeWithTwoAddressesIsOneNodeOfAFinding) {
  Sample sample = three_exposed();
  sample.verdict.nodes[0].findings.push_back(sample.verdict.nodes[0].findings[0]);
  ASSERT_EQ(group_findings(sample.verdict).size(), 1U);
  EXPECT_EQ(group_findings(sample.verdict)[0].nodes, (std::vector<std::string>{"n1", "n2", "n3"}));
}

TEST(DiagnosisText, SaysThatExecRanCommands) {
  const std::string with_exec = diagnosis_text(three_closed().seen(), "catflap", kPlain);
  EXPECT_NE(with_exec.find("a command in 3 containers"), std::string::npos);
  EXPECT_EQ(with_exec.find("nothing was started"), std::string::npos);
  const std::string without = diagnosis_text(three_exposed().seen(), "catflap", kPlain);
  EXPECT_NE(without.find("Nothing was written and nothing was started."), std::string::npos);
}

TEST(DiagnosisText, NamesASkippedVantagePoint) {
  Sample sample = three_exposed();
  sample.looks[0].skipped = {{"exec", "forbidden", "pods/exec is forbidden"}};
  EXPECT_NE(looked_text(sample.looks, kPlain).find("exec skipped: pods/exec is forbidden"),
            std::string::npos);
}

TEST(WideText, OneLinePerNode) {
  const std::string text = wide_text(three_exposed().seen());
  expect_golden("diagnose-wide.txt", text);
  EXPECT_EQ(count_lines(text), 4U);
}

TEST(PlanText, StepsTitlesAndCommands) {
  expect_golden("plan.txt", plan_text(sample_plan(), sample_facts(), "catflap", kPlain) +
                                plan_next(sample_plan(), "catflap", kPlain));
}

TEST(PlanText, ARefusalSaysWhatToDoInstead) {
  Plan plan = sample_plan();
  plan.refusals = {
      {{"CF0033",
        {{"owner", "tigera-operator"},
         {"object", "DaemonSet calico-system/calico-node"},
         {"cycle", "within seconds, at the latest after 5 min"},
         {"mark", "label app.kubernetes.io/managed-by"},
         {"change", "the Installation"}}},
       {"kubectl patch installations.operator.tigera.io default --type merge -p '{}'"}}};
  expect_golden("plan-refused.txt", plan_text(plan, sample_facts(), "catflap", kPlain));
}

TEST(RolloutText, NamesTheNodesThatAreNotDone) {
  const std::string text = rollout_text(sample_rollout(), 40, kPlain);
  expect_golden("wait.txt", text);
  EXPECT_EQ(text.find('\x1b'), std::string::npos)
      << "a pod's message must not reach the terminal raw";
}

TEST(RolloutText, AtMostSoManyNodes) {
  EXPECT_NE(rollout_text(sample_rollout(), 1, kPlain).find("and 1 more node"), std::string::npos);
}

const Target kEnv{"apps/v1", "DaemonSet",   "kube-system", "calico-node",
                  "ds-1",    "calico-node", "env"};
const Target kField{"crd.projectcalico.org/v1",     "FelixConfiguration", "", "default", "fc-1", "",
                    "spec.prometheusMetricsEnabled"};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

UndoView sample_undo(const std::string& result) {
  return {
      .result = result,
      .journal = "kube-system/catflap-journal",
      .run =
          RunView{
              .id = "r1", .user = "alice", .ticket = "CHG-7", .started = kNow, .found_open = true},
      .steps = {{"f", "would-restore", kField, false, nullptr, ""},
                {"e", "would-restore", kEnv, sample_plan().steps[0].change.after,
                 sample_plan().steps[0].change.before, ""}},
      .restarts = {{"kube-system/calico-node", 3, "1", std::chrono::seconds{18}}}};
}

TEST(UndoText, SaysWhatIsAgreedTo) {
  expect_golden("undo-would.txt",
                undo_text(sample_undo("would-undo"), sample_facts(), "catflap", kPlain));
}

TEST(UndoText, WhoIsNotAvailableDoesNotWait) {
  UndoView undo = sample_undo("would-undo");
  undo.restarts[0].unavailable = 2;
  EXPECT_TRUE(has(undo_text(undo, sample_facts(), "catflap", kPlain), ", 2 not"));
}

TEST(UndoText, ChangesInWords) {
  const auto words = [](const char* from, const char* to) {
    return change_words(kEnv, json::parse(from), json::parse(to));
  };
  EXPECT_EQ(words(R"([{"name":"A"},{"name":"F","value":"false"}])", R"([{"name":"A"}])"),
            "F=false is removed");
  EXPECT_EQ(words(R"([{"name":"F","value":"false"}])",
                  R"([{"name":"f","value":"1"},{"name":"F","valueFrom":{"x":1}}])"),
            "F=false becomes f=1, F={\"x\":1}");
  EXPECT_EQ(change_words(kField, false, true), "false becomes true");
}

TEST(UndoText, TimeUpIsSaidWithTheNodes) {
  UndoView undo = sample_undo("time-up");
  undo.rollouts = {sample_rollout()};
  undo.still_restarting = 2;
  undo.freeze_commands = {"kubectl freeze"};
  undo.thaw_commands = {"kubectl thaw"};
  undo.error = Error{.kind = ErrorKind::timed_out, .what = "time is up"};
  undo.release_problem = "no answer";
  const std::string text = undo_text(undo, sample_facts(), "catflap", kPlain);
  for (const char* part : {"Time is up", "n2", "n3", "2 nodes will still restart", "kubectl freeze",
                           "kubectl thaw", "catflap undo goes on", "no answer"})
    EXPECT_TRUE(has(text, part)) << part << "\n" << text;
  EXPECT_FALSE(has(text, "catflap close")) << text;
}

TEST(UndoText, StoppedWhileTheLastNewPodStarts) {
  UndoView undo = sample_undo("failed");
  undo.rollouts = {
      {.nodes = {{.node = "n1", .state = "done"}, {.node = "n2", .state = "creating"}}}};
  undo.error = Error{.kind = ErrorKind::interrupted, .what = "stopped by a signal"};
  const auto text = [&] { return undo_text(undo, sample_facts(), "catflap", kPlain); };
  EXPECT_TRUE(has(text(), "no other node will restart; 1 new pod is not ready yet")) << text();
  EXPECT_TRUE(has(text(), "catflap undo goes on")) << text();
  undo.rollouts[0].nodes[0].state = "not-ready";
  EXPECT_TRUE(has(text(), "2 new pods are not ready yet")) << text();
  undo.rollouts[0].complete = true;
  EXPECT_FALSE(has(text(), "no other node will restart")) << text();
}

TEST(UndoText, SaysWhetherAnOlderChangeStands) {
  UndoView undo = sample_undo("undone");
  EXPECT_TRUE(has(undo_text(undo, sample_facts(), "catflap", kPlain), "no other change"));
  undo.older = RunView{.user = "bob", .started = kNow};
  const std::string text = undo_text(undo, sample_facts(), "catflap", kPlain);
  EXPECT_TRUE(has(text, "by bob still stands: catflap undo again takes it back")) << text;
}

TEST(ChangeText, TellsWhatHasNotComeToItsEnd) {
  ChangeView change{.written = {{"disable-env", kEnv, true, "a"}, {"f", kField, false, ""}},
                    .rollouts = {sample_rollout()},
                    .held_back = {"disable-felixconfiguration-default"},
                    .still_restarting = 1,
                    .freeze_commands = {"kubectl freeze"},
                    .release_problem = "no answer"};
  const std::string text = change_text(change, "catflap", kPlain);
  for (const char* part :
       {"Time is up", "n2", "Held back", "1 node will still restart", "kubectl freeze", "no answer",
        "catflap undo takes it back", "DaemonSet kube-system/calico-node env: changed",
        "FelixConfiguration default spec.prometheusMetricsEnabled: already was so"})
    EXPECT_TRUE(has(text, part)) << part << "\n" << text;
  change.rollouts[0].complete = true;
  EXPECT_FALSE(has(change_text(change, "catflap", kPlain), "Time is up"));
}

TEST(PlanText, TheCheckByHandAsksWithTheSchemeThatFelixSpeaks) {
  ClusterFacts facts = sample_facts();
  const auto text = [&] { return plan_text(sample_plan(), facts, "catflap", kPlain); };
  EXPECT_TRUE(has(text(), "curl http://") && has(text(), "curl -k https://")) << "not known";
  facts.pods = {{}};
  facts.pods[0].declared.tls.value = false;
  EXPECT_TRUE(has(text(), "curl http://") && !has(text(), "https://<"));
  facts.pods[0].declared.tls.value = true;
  EXPECT_TRUE(!has(text(), "curl http://") && has(text(), "curl -k https://"));
  EXPECT_TRUE(has(text(), "must say \"Connection refused\""));
}

TEST(EvidenceText, AFailedProofNamesTheFirstReasonsRemedy) {
  const Sample sample = sample_of({closed_node("n1", 0), unknown_node("n2", 1)});
  const std::string text = evidence_text(sample.seen(), "", "catflap", kPlain);
  EXPECT_TRUE(has(text, "n2: ")) << text;
  EXPECT_FALSE(has(text, "catflap verify")) << text;
}

TEST(Findings, TwoObjectsAreTwoFindings) {
  ClusterVerdict verdict;
  verdict.findings = {{"CF0030", {{"object", "a"}, {"change", "x"}}},
                      {"CF0030", {{"object", "b"}, {"change", "x"}}}};
  EXPECT_EQ(group_findings(verdict).size(), 2U);
}

TEST(AfterCloseText, WhatWasWrittenAndComesBackIsNamedAndItsSourceOnce) {
  const auto of_helm = [](const char* kind) {
    return json::object{
        {"apiVersion", "v"},
        {"kind", kind},
        {"metadata",
         {{"name", "default"}, {"annotations", {{"meta.helm.sh/release-name", "calico"}}}}}};
  };
  Sample sample = three_closed();
  sample.facts.felix_configurations = {of_helm("FelixConfiguration")};
  sample.facts.tigera_operator.emplace().installations = {of_helm("Installation")};
  ChangeView change;
  EXPECT_FALSE(has(after_close_text(sample.seen(), change, "catflap", kPlain), "To stay"));
  for (const char* kind : {"FelixConfiguration", "Installation"})
    change.written.push_back({.target = {.kind = kind, .name = "default"}, .written = true});
  const std::string text = after_close_text(sample.seen(), change, "catflap", kPlain);
  EXPECT_TRUE(has(text, "To stay    helm writes FelixConfiguration default back")) << text;
  EXPECT_TRUE(has(text, "helm writes Installation default back at the next")) << text;
  EXPECT_EQ(text.find("nodeMetricsPort: null"), text.rfind("nodeMetricsPort: null")) << text;
}

TEST(LookedText, CountsEndpointsAndNotTries) {
  Sample sample = three_exposed();
  sample.looks.push_back(sample.looks[0]);
  const std::string text = looked_text(sample.looks, kPlain);
  EXPECT_TRUE(has(text, "direct: 3 endpoints")) << text;
  EXPECT_TRUE(has(text, "UTC")) << text;
}

TEST(LookedText, AJobThatDidNotRunHasNotLooked) {
  Look look;
  look.inside = {{.vantage = "agent", .node = "n1", .complete = true},
                 {.vantage = "agent", .node = "n2", .problem_code = "job-not-started"}};
  EXPECT_TRUE(has(looked_text({&look, 1}, kPlain), "agent: Jobs told of 1 of 2 nodes"));
}

TEST(Explanation, ShowsNoTemplateSyntax) {
  const CatalogueRow* row = find_row("CF0037");
  ASSERT_NE(row, nullptr);
  EXPECT_EQ(without_options(row->title), "FelixConfigurations could not be read");
}

TEST(ErrorText, OneAndSeveral) {
  const Error one{.kind = ErrorKind::unreachable,
                  .what = "connection refused",
                  .subject = "https://10.0.0.1:6443",
                  .hint = "check --context"};
  const Error two{.kind = ErrorKind::usage, .what = "bad\x1b[2Jthing"};
  EXPECT_EQ(error_text({one}, kPlain),
            "catflap: https://10.0.0.1:6443: connection refused\n  next: check --context\n");
  EXPECT_EQ(error_text({one, two}, kPlain),
            "catflap: 2 problems\n  - https://10.0.0.1:6443: connection refused\n    next: check "
            "--context\n"
            "  - bad\\x1b[2Jthing\n");
}

TEST(Style, ColoursOnlyWhenOn) {
  EXPECT_EQ(Style(Colours::off).paint(Tone::bad, "x"), "x");
  EXPECT_EQ(Style(Colours::on).paint(Tone::bad, "x"), "\x1b[1;31mx\x1b[0m");
  EXPECT_EQ(diagnosis_text(three_exposed().seen(), "catflap", kPlain).find('\x1b'),
            std::string::npos);
  EXPECT_NE(diagnosis_text(three_exposed().seen(), "catflap", Style(Colours::on)).find('\x1b'),
            std::string::npos);
}

TEST(Style, Lists) {
  const std::vector<std::string> names{"n1", "n2", "n3", "n4"};
  EXPECT_EQ(name_list(names, 60), "n1, n2, n3, n4");
  EXPECT_EQ(name_list(names, 17), "n1, n2 and 2 more");
  EXPECT_EQ(count_of(5000, "node"), "5,000 nodes");
  EXPECT_EQ(count_of(1, "node"), "1 node");
  EXPECT_EQ(cut("größer", 4), "grö…");
}

}  // namespace
}  // namespace catflap::render
