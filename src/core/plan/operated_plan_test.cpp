// Plans for installs of the tigera operator: it would revert an edit of its DaemonSet, so what it
// reads is changed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/plan/owner.hpp"
#include "core/plan/plan.hpp"
#include "core/plan/tigera_operator.hpp"
#include "core/plan/world_for_test.hpp"

namespace catflap {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string kRendered = R"({"name":"FELIX_PROMETHEUSMETRICSENABLED","value":"true"},
                                 {"name":"FELIX_PROMETHEUSMETRICSPORT","value":"9091"})";
const std::string kSpecTrue = R"({"prometheusMetricsEnabled":true})";

Plan plan_of(const World& world, const PlanOptions& options = {}, const ClusterVerdict& now = {}) {
  const ClusterFacts facts = world.facts();
  return make_plan(facts, now, options);
}

std::vector<std::string> codes(const std::vector<Message>& messages) {
  std::vector<std::string> all;
  for (const auto& message : messages) all.push_back(message.code);
  return all;
}

std::vector<std::string> refusals(const Plan& plan) {
  std::vector<std::string> all;
  for (const auto& refusal : plan.refusals) all.push_back(refusal.message.code);
  return all;
}

std::string step_at(const std::string& name, const std::string& before,
                    const std::string& restart) {
  return "disable-installation-" + name + ": Installation " + name +
         " spec.nodeMetricsPort: " + before + " -> absent [" + restart + "]\n";
}

World rendered(const json::object& installations = {{"default", 9091}}) {
  World world{kRendered};
  world.operate(installations);
  return world;
}

TEST(OperatedPlan, TheInstallationIsChangedAndNotTheDaemonSet) {
  const Plan plan = plan_of(rendered());
  EXPECT_EQ(dump(plan), step_at("default", "9091", "rolling: n1 n2 n3"));
  EXPECT_THAT(plan.refusals, IsEmpty());
  EXPECT_THAT(codes(plan.findings), Contains("CF0060"));
  EXPECT_THAT(plan.steps[0].by_hand,
              HasSubstr(R"(installations.operator.tigera.io default --type merge)"));
  EXPECT_EQ(plan.restarting_nodes, 3);
}

TEST(OperatedPlan, NotEvenWithOverriddenOwnersIsTheDaemonSetWritten) {
  EXPECT_EQ(dump(plan_of(rendered(), {.override_owner = true})),
            step_at("default", "9091", "rolling: n1 n2 n3"));
}

TEST(OperatedPlan, FelixConfigurationsFirstBehindTheEnvironment) {
  World world = rendered();
  world.add(felix_configuration("default", kSpecTrue));
  world.add(felix_configuration("node.n2", kSpecTrue));
  EXPECT_EQ(dump(plan_of(world)),
            "disable-felixconfiguration-default: FelixConfiguration default "
            "spec.prometheusMetricsEnabled: true -> false [none]\n"
            "disable-felixconfiguration-node.n2: FelixConfiguration node.n2 "
            "spec.prometheusMetricsEnabled: true -> false [none]\n" +
                step_at("default", "9091", "rolling: n1 n2 n3"));
}

TEST(OperatedPlan, WithoutThePortOnlyTheFelixConfigurationIsWritten) {
  World world;
  world.operate({{"default", nullptr}});
  world.add(felix_configuration("default", kSpecTrue));
  const Plan plan = plan_of(world);
  EXPECT_EQ(dump(plan),
            "disable-felixconfiguration-default: FelixConfiguration default "
            "spec.prometheusMetricsEnabled: true -> false [in-place: n1 n2 n3]\n");
  EXPECT_THAT(codes(plan.warnings), Contains("plan-in-place-restarts"));
}

TEST(OperatedPlan, TheOverlayCountsAndIsWrittenLastSoThatPodsRollOnce) {
  EXPECT_EQ(dump(plan_of(rendered({{"default", 9095}, {"overlay", 9091}}))),
            step_at("default", "9095", "none") + step_at("overlay", "9091", "rolling: n1 n2 n3"));
  EXPECT_EQ(dump(plan_of(rendered({{"default", nullptr}, {"overlay", 9091}}))),
            step_at("overlay", "9091", "rolling: n1 n2 n3"));
}

TEST(OperatedPlan, PortZeroIsOn) {
  World world{R"({"name":"FELIX_PROMETHEUSMETRICSENABLED","value":"true"},
                 {"name":"FELIX_PROMETHEUSMETRICSPORT","value":"0"})"};
  world.operate({{"default", 0}});
  EXPECT_EQ(dump(plan_of(world)), step_at("default", "0", "rolling: n1 n2 n3"));
}

TEST(OperatedPlan, APortThatIsNotRenderedYetIsTakenAwayToo) {
  World world;
  world.operate({{"default", 9091}});
  const Plan plan = plan_of(world);
  EXPECT_EQ(dump(plan), step_at("default", "9091", "none"));
  EXPECT_THAT(codes(plan.findings), Contains("CF0065"));
}

TEST(OperatedPlan, NothingSetIsNothingToDo) {
  World world;
  world.operate({{"default", nullptr}});
  const Plan plan = plan_of(world);
  EXPECT_EQ(dump(plan), "");
  EXPECT_THAT(codes(plan.findings), Contains("plan-nothing-to-do"));
}

TEST(OperatedPlan, UnreadableInstallationsAreRefusedAndNotGuessed) {
  World world = rendered({});
  world.tigera_operator->installations_state = {.readable = false, .why = "forbidden"};
  const Plan plan = plan_of(world);
  EXPECT_THAT(refusals(plan), ElementsAre("CF0061"));
  EXPECT_EQ(dump(plan), "");
}

TEST(OperatedPlan, UnreadableFelixConfigurationsAreRefusedForNothingOutranksThem) {
  World world = rendered();
  world.felix_configurations_state = {.readable = false, .why = "forbidden"};
  EXPECT_THAT(refusals(plan_of(world)), ElementsAre("CF0037"));
}

TEST(OperatedPlan, AnInstallationThatArgoKeepsIsRefused) {
  World world = rendered();
  auto& metadata = world.tigera_operator->installations[0].at("metadata").as_object();
  metadata["annotations"] = {
      {"argocd.argoproj.io/tracking-id", "calico:operator.tigera.io/Installation:/default"}};
  world.add(felix_configuration("default", kSpecTrue));
  const Plan plan = plan_of(world);
  EXPECT_THAT(refusals(plan), ElementsAre("CF0033"));
  EXPECT_THAT(plan.refusals[0].message.params.at("change"), testing::HasSubstr("nodeMetricsPort"));
  EXPECT_EQ(dump(plan), "") << "the FelixConfiguration alone closes nothing";
}

TEST(OperatedPlan, AnInstallationOfAHelmReleaseIsChangedAndItsValueNamed) {
  World world = rendered();
  auto& metadata = world.tigera_operator->installations[0].at("metadata").as_object();
  metadata["annotations"] = {{"meta.helm.sh/release-name", "calico"}};
  const Plan plan = plan_of(world);
  EXPECT_THAT(plan.refusals, IsEmpty());
  ASSERT_EQ(codes(plan.findings), (std::vector<std::string>{"CF0060", "CF0031"}));
  EXPECT_THAT(plan.findings[1].params.at("change"), HasSubstr("installation.nodeMetricsPort"));
}

TEST(OperatedPlan, AFelixConfigurationThatSomebodyRevertsIsRefusedForNothingOutranksIt) {
  World world = rendered();
  world.add(felix_configuration("default", kSpecTrue,
                                R"({"argocd.argoproj.io/tracking-id":"calico:x"})"));
  EXPECT_THAT(refusals(plan_of(world)), ElementsAre("CF0033"));
}

TEST(OperatedPlan, AnOperatorThatDoesNotActIsSaid) {
  struct Row {
    std::function<void(World&)> change;
    const char* why;
  };
  const Row rows[] = {
      {[](World& w) { w.tigera_operator->wanted = 0; }, "scaled to 0"},
      {[](World& w) { w.tigera_operator->available = 0; }, "no available pod"},
      {[](World& w) { w.tigera_operator->degraded = "ResourceReadError: no"; }, "Degraded"},
      {[](World& w) {
         w.set_metadata("annotations", R"({"unsupported.operator.tigera.io/ignore":"true"})");
       },
       "annotation unsupported.operator.tigera.io/ignore"}};
  for (const Row& row : rows) {
    World world = rendered();
    row.change(world);
    const Plan plan = plan_of(world);
    EXPECT_EQ(dump(plan), step_at("default", "9091", "rolling: n1 n2 n3")) << row.why;
    ASSERT_THAT(codes(plan.warnings), Contains("CF0063")) << row.why;
    EXPECT_THAT(plan.warnings[0].params.at("why"), HasSubstr(row.why));
  }
  World unknown = rendered();
  unknown.tigera_operator->deployment_state = {.readable = false, .why = "forbidden"};
  unknown.tigera_operator->wanted = 0;
  EXPECT_THAT(codes(plan_of(unknown).warnings), Not(Contains("CF0063"))) << "what is not known";
}

TEST(OperatedPlan, WithoutInstallationDefaultNothingWillBeRendered) {
  const Plan plan = plan_of(rendered({{"overlay", 9091}}));
  EXPECT_EQ(dump(plan), step_at("overlay", "9091", "rolling: n1 n2 n3"));
  ASSERT_THAT(codes(plan.warnings), Contains("CF0063"));
  EXPECT_THAT(plan.warnings[0].params.at("why"), HasSubstr("Installation default is not there"));
}

TEST(OperatedPlan, RenderedStillAndSetNoLongerIsWaitedFor) {
  const Plan plan = plan_of(rendered({{"default", nullptr}}));
  EXPECT_EQ(dump(plan), "");
  EXPECT_THAT(plan.refusals, IsEmpty());
  EXPECT_THAT(codes(plan.warnings), ElementsAre("CF0063"));
  EXPECT_THAT(codes(plan.findings), Not(Contains("plan-nothing-to-do")));
}

TEST(OperatedPlan, WhatOutranksBothIsRefused) {
  World world;
  world.operate({{"default", nullptr}});
  world.file = {.state = FelixConfigFile::State::text, .text = "PrometheusMetricsEnabled = true\n"};
  EXPECT_THAT(refusals(plan_of(world)), ElementsAre("CF0066"));
  World behind = rendered();
  behind.file = world.file;
  EXPECT_THAT(refusals(plan_of(behind)), ElementsAre("CF0066")) << "it would decide next";
  World vendor;
  vendor.operate({{"default", nullptr}});
  EXPECT_THAT(refusals(plan_of(vendor, {}, answering({"n1"}))), ElementsAre("CF0066"));
}

TEST(OperatedPlan, APendingRolloutIsRefusedUnlessIncluded) {
  World world = rendered();
  world.odd["n1"] = {.env = kRendered, .stale = true};
  EXPECT_THAT(refusals(plan_of(world)), ElementsAre("CF0028"));
  EXPECT_THAT(plan_of(world, {.include_pending = true}).refusals, IsEmpty());
  EXPECT_THAT(plan_of(world, {.own_pending = {"ds-1"}}).refusals, IsEmpty());
}

TEST(OperatedPlan, TheDigestFollowsTheInstallations) {
  World world = rendered();
  const auto digest = plan_of(world).digest;
  world.tigera_operator->installations[0].at("metadata").as_object()["generation"] = 4;
  EXPECT_NE(plan_of(world).digest, digest);
}

TEST(OperatedPlan, DuringTheMigrationNothingIsWritten) {
  const World world = rendered();
  ClusterFacts facts = world.facts();
  EXPECT_EQ(namespace_migration(facts), "");
  facts.nodes[0].labels["projectcalico.org/operator-node-migration"] = "migrated";
  EXPECT_THAT(namespace_migration(facts), HasSubstr("1 of 3 nodes"));
  const Plan plan = make_plan(facts, {}, {});
  EXPECT_THAT(refusals(plan), ElementsAre("CF0064"));
  EXPECT_EQ(dump(plan), "");
  facts.nodes[0].labels.clear();
  facts.daemon_sets.push_back(World{}.facts().daemon_sets[0]);
  EXPECT_THAT(namespace_migration(facts), HasSubstr("kube-system/calico-node"));
}

TEST(TigeraOperator, ByHandIsEveryObjectThatOpensThePortFelixConfigurationsFirst) {
  World world = rendered({{"default", nullptr}, {"overlay", 9091}});
  world.add(felix_configuration("default", kSpecTrue));
  world.add(felix_configuration("node.n2", R"({"prometheusMetricsEnabled":false})"));
  const ClusterFacts facts = world.facts();
  const auto& set = facts.daemon_sets[0].object;
  EXPECT_EQ(owners_of(set, facts).at(0).paste,
            "kubectl patch felixconfigurations.crd.projectcalico.org default --type merge -p "
            "'{\"spec\":{\"prometheusMetricsEnabled\":false}}'\n"
            "kubectl patch installations.operator.tigera.io overlay --type merge -p "
            "'{\"spec\":{\"nodeMetricsPort\":null}}'\n");
  for (const auto& finding : plan_of(world).findings)
    EXPECT_FALSE(finding.params.contains("paste")) << "its steps do it: " << finding.code;
}

TEST(TigeraOperator, ByHandIsNothingWhereNothingIsLeftOrNotAllIsKnown) {
  EXPECT_EQ(by_hand_for_operator(rendered({{"default", nullptr}}).facts()), "");
  World installations = rendered();
  installations.tigera_operator->installations_state.readable = false;
  EXPECT_EQ(by_hand_for_operator(installations.facts()), "");
  World configurations = rendered();
  configurations.felix_configurations_state.readable = false;
  EXPECT_EQ(by_hand_for_operator(configurations.facts()), "");
}

TEST(TigeraOperator, RenderedIsWhatTheEnvironmentSays) {
  const auto is = [](const std::string& env, const json::value& port) {
    return is_rendered(World{env}.daemon_set, "calico-node", port);
  };
  EXPECT_TRUE(is("", nullptr));
  EXPECT_FALSE(is("", 9091));
  EXPECT_TRUE(is(kRendered, 9091));
  EXPECT_FALSE(is(kRendered, 9095));
  EXPECT_FALSE(is(kRendered, nullptr));
  EXPECT_FALSE(is(R"({"name":"felix_prometheusMetricsEnabled","value":"true"})", nullptr));
  EXPECT_FALSE(is_rendered(World{}.daemon_set, "gone", nullptr));
}

TEST(TigeraOperator, OnlyItsOwnDaemonSetsAreItsOwn) {
  World world;
  EXPECT_FALSE(is_operated(world.facts().daemon_sets[0]));
  world.operate({});
  EXPECT_TRUE(is_operated(world.facts().daemon_sets[0]));
}

}  // namespace
}  // namespace catflap
