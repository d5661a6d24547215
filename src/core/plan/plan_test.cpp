#include "core/plan/plan.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/catalogue.hpp"
#include "core/plan/world_for_test.hpp"

namespace catflap {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string kTrue = R"({"name":"FELIX_PROMETHEUSMETRICSENABLED","value":"true"})";
const std::string kFalse = R"({"name":"FELIX_PROMETHEUSMETRICSENABLED","value":"false"})";
const std::string kSpecTrue = R"({"prometheusMetricsEnabled":true})";

const std::string kEnvStep =
    "disable-env: DaemonSet kube-system/calico-node env: "
    "FELIX_PROMETHEUSMETRICSENABLED=true -> FELIX_PROMETHEUSMETRICSENABLED=false [rolling: n1 n2 "
    "n3]\n";
const std::string kNewEnvStep =
    "disable-env: DaemonSet kube-system/calico-node env: "
    "unset -> FELIX_PROMETHEUSMETRICSENABLED=false [rolling: n1 n2 n3]\n";

std::string default_step(const std::string& restart) {
  return "disable-felixconfiguration-default: FelixConfiguration default "
         "spec.prometheusMetricsEnabled: true -> false [" +
         restart + "]\n";
}

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

// --- what is written, and in which order ---------------------------------------------------------

TEST(Plan, EnvTrueIsSetToFalse) {
  EXPECT_EQ(dump(plan_of(World{kTrue})), kEnvStep);
}

TEST(Plan, EnvTrueAndFelixConfigurationTrueClosesTheHiddenLayerFirst) {
  World world{kTrue};
  world.add(felix_configuration("default", kSpecTrue));
  EXPECT_EQ(dump(plan_of(world)), default_step("none") + kEnvStep);
}

TEST(Plan, FelixConfigurationTrueAloneIsHiddenByTheEnvironmentFirst) {
  World world;
  world.add(felix_configuration("default", kSpecTrue));
  EXPECT_EQ(dump(plan_of(world)), kNewEnvStep + default_step("none"));
}

TEST(Plan, InPlaceWritesTheFelixConfigurationOnly) {
  World world;
  world.add(felix_configuration("default", kSpecTrue));
  const Plan plan = plan_of(world, {.in_place = true});
  EXPECT_EQ(dump(plan), default_step("in-place: n1 n2 n3"));
  EXPECT_THAT(codes(plan.warnings), Contains("plan-in-place-restarts"));
  EXPECT_EQ(plan.restarting_nodes, 3);
}

TEST(Plan, InPlaceRestartsEachFelixOnce) {
  World world;
  world.add(felix_configuration("node.n2", kSpecTrue));
  world.add(felix_configuration("default", kSpecTrue));
  EXPECT_EQ(dump(plan_of(world, {.in_place = true})),
            default_step("in-place: n1 n3") +
                "disable-felixconfiguration-node.n2: FelixConfiguration node.n2 "
                "spec.prometheusMetricsEnabled: true -> false [in-place: n2]\n");
}

TEST(Plan, NothingSaysTrueIsNothingToDo) {
  World world;
  world.add(felix_configuration("default", "{}"));
  const Plan plan = plan_of(world);
  EXPECT_EQ(dump(plan), "");
  EXPECT_THAT(codes(plan.findings), ElementsAre("plan-nothing-to-do"));
  EXPECT_THAT(plan.refusals, IsEmpty());
}

TEST(Plan, BuildThatAnswersGetsTheVariableAtTheEnd) {
  const Plan plan = plan_of(World{R"({"name":"A","value":"1"})"}, {}, answering({"n2"}));
  EXPECT_EQ(dump(plan), kNewEnvStep);
  json::array wanted = plan.steps.at(0).change.before.as_array();
  wanted.push_back(json::parse(kFalse));
  EXPECT_EQ(plan.steps.at(0).change.after, json::value(wanted));
  EXPECT_THAT(codes(plan.findings), Contains("CF0041"));
}

TEST(Plan, AnswerOfAnotherNodesFelixIsNoBuild) {
  ClusterVerdict now = answering({"n2"});
  now.nodes[0].reachable[0].felix_host = "n9";
  EXPECT_EQ(dump(plan_of(World{}, {}, now)), "");
}

TEST(Plan, EnvFalseThatStillAnswersIsNotWrittenAgain) {
  EXPECT_EQ(dump(plan_of(World{kFalse}, {}, answering({"n1"}))), "");
}

TEST(Plan, ListeningWithoutMetricsIsABuildToo) {
  ClusterVerdict now;
  now.nodes.push_back({.name = "n1", .verdict = Verdict::protected_});
  EXPECT_EQ(dump(plan_of(World{}, {}, now)), kNewEnvStep);
  now.nodes[0].verdict = Verdict::closed;
  EXPECT_EQ(dump(plan_of(World{}, {}, now)), "");
}

TEST(Plan, InvalidEnvCountsAsFalseAndIsLeftAlone) {
  World world{R"({"name":"FELIX_PROMETHEUSMETRICSENABLED","value":"enabled"})"};
  world.add(felix_configuration("default", kSpecTrue));
  const Plan plan = plan_of(world);
  EXPECT_EQ(dump(plan), "");
  EXPECT_THAT(codes(plan.findings), ElementsAre("CF0016", "plan-nothing-to-do"));
}

TEST(Plan, ClosedByEnvWithTrueBelowWritesNothingAndSaysSo) {
  World world{kFalse};
  world.add(felix_configuration("default", kSpecTrue));
  const Plan plan = plan_of(world);
  EXPECT_EQ(dump(plan), "");
  EXPECT_THAT(codes(plan.findings), Contains("CF0016"));
}

TEST(Plan, EmptyEnvFallsThroughAndIsReplaced) {
  World world{R"({"name":"FELIX_PROMETHEUSMETRICSENABLED","value":""})"};
  world.add(felix_configuration("default", kSpecTrue));
  EXPECT_EQ(
      dump(plan_of(world)),
      "disable-env: DaemonSet kube-system/calico-node env: FELIX_PROMETHEUSMETRICSENABLED= -> "
      "FELIX_PROMETHEUSMETRICSENABLED=false [rolling: n1 n2 n3]\n" +
          default_step("none"));
}

TEST(Plan, FelixCfgTrueIsOutrankedByTheEnvironment) {
  World world;
  world.file = {.state = FelixConfigFile::State::text,
                .text = "[global]\nPrometheusMetricsEnabled = true\n"};
  EXPECT_EQ(dump(plan_of(world)), kNewEnvStep);
  EXPECT_THAT(refusals(plan_of(world, {.in_place = true})),
              ElementsAre("plan-in-place-impossible"));
}

TEST(Plan, EnvFromIsLeftAloneAndOutrankedInItsOwnSpelling) {
  World world;
  world.set_env_from(R"([{"configMapRef":{"name":"felix"}}])");
  world.config_maps["felix"] = {{"FELIX_PrometheusMetricsEnabled", "true"}};
  const Plan plan = plan_of(world);
  EXPECT_EQ(dump(plan),
            "disable-env: DaemonSet kube-system/calico-node env: unset -> "
            "FELIX_PrometheusMetricsEnabled=false [rolling: n1 n2 n3]\n");
  world.carry_out(plan);
  EXPECT_EQ(enabled_switch(world.facts().pods.at(0).declared), Switch::off);
}

TEST(Plan, EnvFromWithTwoSpellingsNeedsBoth) {
  World world;
  world.set_env_from(R"([{"configMapRef":{"name":"felix"}}])");
  world.config_maps["felix"] = {{"FELIX_PrometheusMetricsEnabled", "true"},
                                {"FELIX_PROMETHEUSMETRICSENABLED", "true"}};
  const Plan plan = plan_of(world);
  EXPECT_THAT(codes(plan.warnings), Contains("plan-envfrom-variants"));
  world.carry_out(plan);
  EXPECT_EQ(enabled_switch(world.facts().pods.at(0).declared), Switch::off);
}

TEST(Plan, SpellingThatEnvFromSetsTooIsNotOnlyRemoved) {
  World world{R"({"name":"FELIX_PrometheusMetricsEnabled","value":"true"},)"
              R"({"name":"felix_prometheusmetricsenabled","value":"true"})"};
  world.set_env_from(R"([{"configMapRef":{"name":"felix"}}])");
  world.config_maps["felix"] = {{"felix_prometheusmetricsenabled", "true"}};
  const Plan plan = plan_of(world);
  EXPECT_THAT(dump(plan), HasSubstr("-> felix_prometheusmetricsenabled=false [rolling"));
  world.carry_out(plan);
  EXPECT_EQ(enabled_switch(world.facts().pods.at(0).declared), Switch::off);
}

TEST(Plan, OffBesideAnEmptySpellingIsNotOffWhereANodesObjectSaysTrue) {
  World world{R"({"name":"FELIX_PrometheusMetricsEnabled","value":"false"},)"
              R"({"name":"FELIX_PROMETHEUSMETRICSENABLED","value":""})"};
  EXPECT_EQ(dump(plan_of(world)), "");
  world.add(felix_configuration("node.n1", kSpecTrue));
  EXPECT_THAT(dump(plan_of(world)), HasSubstr("-> FELIX_PROMETHEUSMETRICSENABLED=false [rolling"));
}

TEST(Plan, ValueFromIsReplacedByTheValue) {
  World world{
      R"({"name":"FELIX_PROMETHEUSMETRICSENABLED","valueFrom":{"configMapKeyRef":{"name":"felix","key":"on"}}})"};
  world.config_maps["felix"] = {{"on", "true"}};
  const Plan plan = plan_of(world);
  EXPECT_EQ(
      dump(plan),
      "disable-env: DaemonSet kube-system/calico-node env: FELIX_PROMETHEUSMETRICSENABLED=valueFrom"
      " -> FELIX_PROMETHEUSMETRICSENABLED=false [rolling: n1 n2 n3]\n");
  EXPECT_EQ(plan.steps[0].change.after.as_array().back(), json::parse(kFalse));
}

TEST(Plan, AmbiguousSpellingsBecomeOne) {
  World world{R"({"name":"FELIX_PrometheusMetricsEnabled","value":"false"},)" + kTrue};
  world.add(felix_configuration("default", kSpecTrue));
  const Plan plan = plan_of(world);
  // The environment first: whether it hides the FelixConfiguration now is exactly what is not
  // known.
  EXPECT_EQ(
      dump(plan),
      "disable-env: DaemonSet kube-system/calico-node env: FELIX_PrometheusMetricsEnabled=false,"
      "FELIX_PROMETHEUSMETRICSENABLED=true -> FELIX_PROMETHEUSMETRICSENABLED=false "
      "[rolling: n1 n2 n3]\n" +
          default_step("none"));
  EXPECT_THAT(codes(plan.warnings), Contains("plan-cannot-tell"));
  EXPECT_THAT(plan.steps[0].by_hand,
              HasSubstr("FELIX_PROMETHEUSMETRICSENABLED=false FELIX_PrometheusMetricsEnabled-"));
}

TEST(Plan, UnreadableSecretIsOutranked) {
  World world{
      R"({"name":"FELIX_PROMETHEUSMETRICSENABLED","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}})"};
  const Plan plan = plan_of(world);
  EXPECT_EQ(plan.steps.size(), 1u);
  world.carry_out(plan);
  EXPECT_EQ(enabled_switch(world.facts().pods.at(0).declared), Switch::off);
}

TEST(Plan, WhatIsWrittenAlreadyIsNotWrittenAgainThoughUndecided) {
  ClusterFacts facts = World{kFalse}.facts();
  auto& enabled = facts.daemon_sets[0].template_declared.enabled;
  enabled.state = ParamState::unreadable;
  enabled.value.reset();
  enabled.why = "Secret s could not be read: forbidden";
  const Plan plan = make_plan(facts, {}, {});
  EXPECT_EQ(dump(plan), "");
  EXPECT_THAT(plan.warnings,
              ElementsAre(Message{"plan-cannot-tell",
                                  {{"what", "kube-system/calico-node"}, {"why", enabled.why}}}));
  EXPECT_THAT(codes(plan.findings), Not(Contains("plan-nothing-to-do")));
}

/// Another spelling may hide in what cannot be read: the switch is written, and the doubt stays.
TEST(Plan, UnreadableEnvFromIsOutrankedAsFarAsItCanBe) {
  World world;
  world.set_env_from(R"([{"secretRef":{"name":"s"}}])");
  const Plan plan = plan_of(world);
  EXPECT_EQ(plan.steps.size(), 1u);
  EXPECT_TRUE(plan.refusals.empty());
  world.carry_out(plan);
  EXPECT_EQ(enabled_switch(world.facts().pods.at(0).declared), Switch::undecided);
  const Plan again = plan_of(world);
  EXPECT_EQ(dump(again), "");
  EXPECT_THAT(codes(again.warnings), Contains("plan-cannot-tell"));
}

TEST(Plan, OnlyWhatIsInScopeIsWritten) {
  ClusterFacts facts = World{kTrue}.facts();
  EXPECT_EQ(make_plan(facts, {}, {}).steps.size(), 1u);
  facts.daemon_sets[0].in_scope = false;
  EXPECT_EQ(make_plan(facts, {}, {}).steps.size(), 0u);
}

// --- annotations and the other objects -----------------------------------------------------------

TEST(Plan, AnnotationBackDoorIsSetToFalse) {
  World world;
  world.add(felix_configuration("default", R"({"prometheusMetricsEnabled":false})",
                                R"({"config.projectcalico.org/PrometheusMetricsEnabled":"yes"})"));
  const Plan plan = plan_of(world);
  EXPECT_EQ(dump(plan),
            kNewEnvStep +
                "disable-annotation-default-PrometheusMetricsEnabled: FelixConfiguration default "
                "metadata.annotations[config.projectcalico.org/PrometheusMetricsEnabled]: yes -> "
                "false [none]\n");
  EXPECT_EQ(plan.steps[1].by_hand,
            "kubectl annotate felixconfigurations.crd.projectcalico.org default --overwrite "
            "config.projectcalico.org/PrometheusMetricsEnabled=false");
}

TEST(Plan, WithinAnObjectTheOverridingPlaceTurnsLast) {
  World world;
  world.add(felix_configuration("default", kSpecTrue,
                                R"({"config.projectcalico.org/PrometheusMetricsEnabled":"true"})"));
  EXPECT_EQ(
      dump(plan_of(world, {.in_place = true})),
      default_step("none") +
          "disable-annotation-default-PrometheusMetricsEnabled: FelixConfiguration default "
          "metadata.annotations[config.projectcalico.org/PrometheusMetricsEnabled]: true -> false "
          "[in-place: n1 n2 n3]\n");
}

TEST(Plan, EmbeddedAnnotationIsRewritten) {
  World world;
  world.add(felix_configuration(
      "default", "{}",
      R"({"projectcalico.org/metadata":"{\"uid\":\"u\",\"annotations\":{\"a\":\"b\",\"config.projectcalico.org/PrometheusMetricsEnabled\":\"true\"}}"})"));
  const Plan plan = plan_of(world);
  ASSERT_EQ(plan.steps.size(), 2u) << dump(plan);
  EXPECT_EQ(
      plan.steps[1].change.after,
      json::value(
          R"({"uid":"u","annotations":{"a":"b","config.projectcalico.org/PrometheusMetricsEnabled":"false"}})"));
  world.carry_out(plan);
  EXPECT_EQ(dump(plan_of(world)), "");
}

TEST(Plan, ObjectsOfNodesThatDoNotExistAreLeftAlone) {
  World world{kTrue};
  world.add(felix_configuration("node.gone", kSpecTrue));
  EXPECT_EQ(dump(plan_of(world)), kEnvStep);
}

TEST(Plan, ObjectsWithSelectorsCountFrom332On) {
  World world{kTrue};
  world.add(felix_configuration("rack-a",
                                R"x({"prometheusMetricsEnabled":true,"nodeSelector":"all()"})x"));
  EXPECT_EQ(dump(plan_of(world)), kEnvStep);
  world.calico_version = "v3.32.0";
  EXPECT_THAT(dump(plan_of(world)), HasSubstr("disable-felixconfiguration-rack-a"));
}

TEST(Plan, DefaultTrueHiddenOnEveryNodeIsWrittenWithoutARestart) {
  World world;
  world.nodes = {"n1"};
  world.add(felix_configuration("default", kSpecTrue));
  world.add(felix_configuration("node.n1", R"({"prometheusMetricsEnabled":false})"));
  EXPECT_EQ(dump(plan_of(world)), default_step("none"));
}

TEST(Plan, AnObjectOfOneNodeThatSaysFalseRestartsNothing) {
  World world;
  world.add(felix_configuration("node.n1", R"({"prometheusMetricsEnabled":false})"));
  EXPECT_EQ(dump(plan_of(world)), "");
  world.nodes.clear();  // without pods nobody knows which nodes there will be
  EXPECT_THAT(dump(plan_of(world)), HasSubstr("disable-env: "));
}

TEST(Plan, UnreadableFelixConfigurationsLeaveTheEnvironment) {
  World world;
  world.felix_configurations_state = {.readable = false, .why = "forbidden"};
  const Plan plan = plan_of(world);
  EXPECT_EQ(dump(plan), kNewEnvStep);
  EXPECT_THAT(codes(plan.warnings), Contains("CF0037"));
}

// --- what stands against it ----------------------------------------------------------------------

TEST(Plan, RevertingOwnerIsRefusedWithTheChangeAtItsSource) {
  World world{kTrue};
  world.set_metadata("labels", R"({"addonmanager.kubernetes.io/mode":"Reconcile"})");
  const Plan plan = plan_of(world);
  EXPECT_THAT(refusals(plan), ElementsAre("CF0033"));
  EXPECT_THAT(plan.refusals[0].message.params.at("change"), HasSubstr("/etc/kubernetes/addons"));
  EXPECT_THAT(plan.refusals[0].remedy_lines, Contains("kind: DaemonSet"));
  EXPECT_EQ(dump(plan), "");
  const Plan forced = plan_of(world, {.override_owner = true});
  EXPECT_THAT(forced.refusals, IsEmpty());
  EXPECT_EQ(dump(forced), kEnvStep);
  EXPECT_THAT(codes(forced.warnings), Contains("CF0033"));
  EXPECT_THAT(codes(forced.warnings), Contains("plan-owner-overridden"));
}

TEST(Plan, WordsAreNotPassedOffAsACommandToPaste) {
  World gardener{kTrue};
  gardener.set_metadata("labels", R"({"resources.gardener.cloud/managed-by":"gardener"})");
  World unknown{kTrue};
  unknown.set_metadata(
      "ownerReferences",
      R"([{"apiVersion":"net.example/v1","kind":"Network","name":"main","controller":true}])");
  for (const World& world : {gardener, unknown}) {
    const Plan plan = plan_of(world);
    ASSERT_EQ(plan.refusals.size(), 1U);
    EXPECT_THAT(plan.refusals[0].remedy_lines, IsEmpty());
  }
}

TEST(Plan, ArgoThatDoesNotHealItselfIsAFinding) {
  World world{kTrue};
  world.set_metadata("labels", R"({"argocd.argoproj.io/instance":"net"})");
  EXPECT_THAT(refusals(plan_of(world)), ElementsAre("CF0033"));
  ClusterFacts facts = world.facts();
  facts.surroundings = {.read = true, .applications = {{"argocd", "net", false}}};
  const Plan plan = make_plan(facts, {}, {});
  EXPECT_THAT(plan.refusals, IsEmpty());
  EXPECT_THAT(codes(plan.findings), Contains("CF0032"));
}

TEST(Plan, UnknownControllerIsRefused) {
  World world{kTrue};
  world.set_metadata("ownerReferences",
                     R"([{"apiVersion":"x/v1","kind":"Net","name":"a","controller":true}])");
  EXPECT_THAT(refusals(plan_of(world)), ElementsAre("CF0034"));
}

TEST(Plan, OwnerOfANextReleaseIsAFinding) {
  World world{kTrue};
  world.set_metadata("annotations", R"({"kubectl.kubernetes.io/last-applied-configuration":"{}"})");
  const Plan plan = plan_of(world);
  EXPECT_EQ(dump(plan), kEnvStep);
  EXPECT_THAT(codes(plan.findings), Contains("CF0030"));
}

TEST(Plan, OwnerIsNotAskedWhereNothingIsWritten) {
  World world{kFalse};
  world.set_metadata("labels", R"({"addonmanager.kubernetes.io/mode":"Reconcile"})");
  EXPECT_THAT(refusals(plan_of(world)), IsEmpty());
}

TEST(Plan, OwnedFelixConfigurationIsKeptWhereTheEnvironmentCloses) {
  World world;
  auto object = json::parse(felix_configuration("default", kSpecTrue)).as_object();
  object["metadata"].as_object()["labels"] =
      json::parse(R"({"kustomize.toolkit.fluxcd.io/name":"net"})");
  world.add(json::serialize(object));
  const Plan plan = plan_of(world);
  EXPECT_EQ(dump(plan), kNewEnvStep);
  EXPECT_THAT(codes(plan.warnings), Contains("plan-felixconfiguration-kept"));
  EXPECT_THAT(refusals(plan_of(world, {.in_place = true})), ElementsAre("refuse-in-place-owner"));
}

TEST(Plan, SomebodysPendingChangeIsRefused) {
  World world{kTrue};
  world.odd["n2"] = {.env = kTrue, .stale = true};
  const Plan plan = plan_of(world);
  EXPECT_THAT(refusals(plan), ElementsAre("CF0028"));
  EXPECT_EQ(plan.refusals[0].message.params.at("count"), "1");
  const Plan together = plan_of(world, {.include_pending = true});
  EXPECT_THAT(together.refusals, IsEmpty());
  EXPECT_EQ(dump(together), kEnvStep);
  EXPECT_THAT(codes(together.warnings), Contains("CF0028"));
}

TEST(Plan, TemplateThatTheControllerHasNotSeenIsPending) {
  World world{kTrue};
  world.generation = 8;
  EXPECT_THAT(refusals(plan_of(world)), ElementsAre("CF0028"));
}

TEST(Plan, AnEditOfSomethingElseIsNotPending) {
  World world{kTrue};
  world.generation = 8;
  world.current_hash = "abc";
  EXPECT_THAT(refusals(plan_of(world)), IsEmpty());
  world.odd["n2"] = {.env = kTrue, .stale = true};
  EXPECT_THAT(refusals(plan_of(world)), ElementsAre("CF0028"));
}

TEST(Plan, OurOwnUnfinishedChangeIsNotRefused) {
  World world{kTrue};
  world.odd["n2"] = {.env = kTrue, .stale = true};
  EXPECT_THAT(refusals(plan_of(world, {.own_pending = {"ds-1"}})), IsEmpty());
  EXPECT_THAT(refusals(plan_of(world, {.own_pending = {"ds-2"}})), ElementsAre("CF0028"));
}

TEST(Plan, RolloutThatOnlyHasToFinishIsNotWrittenAgain) {
  World world{kFalse};
  world.odd["n2"] = {.env = kTrue, .stale = true};
  const Plan plan = plan_of(world);
  EXPECT_EQ(dump(plan), "");
  EXPECT_THAT(plan.refusals, IsEmpty());
  EXPECT_THAT(codes(plan.findings), ElementsAre("CF0029"));
}

TEST(Plan, OnDeleteIsSaid) {
  World world{kTrue};
  world.on_delete = true;
  const Plan plan = plan_of(world);
  EXPECT_EQ(dump(plan), kEnvStep);
  EXPECT_THAT(codes(plan.warnings), ElementsAre("plan-on-delete"));
  EXPECT_EQ(plan.expected, Duration{});
}

TEST(Plan, InPlaceIsRefusedWhereSomethingElseDecides) {
  EXPECT_THAT(refusals(plan_of(World{kTrue}, {.in_place = true})),
              ElementsAre("plan-in-place-impossible"));
  EXPECT_THAT(refusals(plan_of(World{}, {.in_place = true}, answering({"n1"}))),
              ElementsAre("plan-in-place-impossible"));
  World unreadable;
  unreadable.felix_configurations_state = {.readable = false, .why = "forbidden"};
  EXPECT_THAT(refusals(plan_of(unreadable, {.in_place = true})),
              ElementsAre("plan-in-place-impossible"));
}

TEST(Plan, TemplateWithoutTheContainerIsRefused) {
  ClusterFacts facts = World{kTrue}.facts();
  facts.daemon_sets[0].felix_container = "gone";
  EXPECT_THAT(refusals(make_plan(facts, {}, {})), ElementsAre("plan-cannot-tell"));
}

TEST(Plan, NoDaemonSetIsSaid) {
  const Plan plan = make_plan({}, {}, {});
  EXPECT_EQ(dump(plan), "");
  EXPECT_THAT(codes(plan.findings), ElementsAre("CF0036"));
}

// --- several DaemonSets, Windows -----------------------------------------------------------------

ClusterFacts both(const World& first, World second, const std::string& name) {
  second.daemon_set["metadata"].as_object()["name"] = name;
  second.daemon_set["metadata"].as_object()["uid"] = "ds-2";
  ClusterFacts facts = first.facts();
  ClusterFacts more = second.facts();
  std::ranges::move(more.daemon_sets, std::back_inserter(facts.daemon_sets));
  std::ranges::move(more.pods, std::back_inserter(facts.pods));
  return facts;
}

TEST(Plan, EachDaemonSetHasItsStepAndItsTurn) {
  World absent;
  absent.add(felix_configuration("default", kSpecTrue));
  World on{kTrue};
  on.add(felix_configuration("default", kSpecTrue));
  const Plan plan = make_plan(both(absent, on, "canal"), {}, {});
  std::vector<std::string> ids;
  for (const Step& step : plan.steps) ids.push_back(step.id);
  EXPECT_THAT(
      ids, ElementsAre("disable-env-kube-system-calico-node", "disable-felixconfiguration-default",
                       "disable-env-kube-system-canal"));
}

TEST(Plan, WindowsIsNotWrittenToAndSaid) {
  World windows{kTrue};
  windows.daemon_set["spec"].at("template").at("spec").as_object()["nodeSelector"] =
      json::parse(R"({"kubernetes.io/os":"windows"})");
  const Plan plan = make_plan(both(World{kFalse}, windows, "calico-node-windows"), {}, {});
  EXPECT_EQ(dump(plan), "");
  EXPECT_THAT(codes(plan.warnings), ElementsAre("CF0045"));
  EXPECT_THAT(codes(plan.findings), Not(Contains("plan-nothing-to-do")));
}

TEST(Plan, WindowsFelixThatReadsTheObjectRestartsInPlace) {
  World linux;
  linux.add(felix_configuration("default", kSpecTrue));
  World windows;
  windows.add(felix_configuration("default", kSpecTrue));
  windows.nodes = {"w1"};
  windows.daemon_set["spec"].at("template").at("spec").as_object()["nodeSelector"] =
      json::parse(R"({"kubernetes.io/os":"windows"})");
  const Plan plan = make_plan(both(linux, windows, "calico-node-windows"), {}, {});
  EXPECT_THAT(dump(plan), HasSubstr(default_step("in-place: w1")));
}

// --- properties ----------------------------------------------------------------------------------

/// Any environment, envFrom, FelixConfigurations and version.
World any_world() {
  const auto pick = [](const std::vector<std::string>& from) { return *rc::gen::elementOf(from); };
  const std::vector<std::string> names{"FELIX_PROMETHEUSMETRICSENABLED",
                                       "FELIX_PrometheusMetricsEnabled",
                                       "felix_prometheusmetricsenabled"};
  const std::vector<std::string> values{"true", "false", "", "1", "on", "none", " true"};
  std::string env;
  for (int left = *rc::gen::inRange(0, 3); left > 0; --left) {
    env += (env.empty() ? "" : ",") +
           fmt::format(R"({{"name":"{}","value":"{}"}})", pick(names), pick(values));
  }
  World world{env};
  world.nodes = {"n1", "n2"};
  world.calico_version = pick({"v3.30.1", "v3.32.0", ""});
  if (*rc::gen::arbitrary<bool>()) {
    world.set_env_from(R"([{"configMapRef":{"name":"felix"}}])");
    for (int left = *rc::gen::inRange(0, 2); left > 0; --left) {
      world.config_maps["felix"][pick(names)] = pick(values);
    }
    world.config_maps["felix"]["UNRELATED"] = "true";
  }
  for (const char* name : {"default", "node.n1", "node.gone"}) {
    if (*rc::gen::arbitrary<bool>()) continue;
    const std::string spec = pick(
        {"{}", R"({"prometheusMetricsEnabled":true})", R"({"prometheusMetricsEnabled":false})"});
    const std::string key = pick({"PrometheusMetricsEnabled", "prometheusmetricsenabled"});
    const std::string annotation =
        pick({"{}", fmt::format(R"({{"config.projectcalico.org/{}":"{}"}})", key, pick(values))});
    world.add(felix_configuration(name, spec, annotation));
  }
  if (*rc::gen::inRange(0, 4) == 0) {
    world.file = {.state = FelixConfigFile::State::text,
                  .text = "PrometheusMetricsEnabled = " + pick(values) + "\n"};
  }
  return world;
}

bool closed_everywhere(const World& world) {
  const ClusterFacts facts = world.facts();
  return std::ranges::all_of(
      facts.pods, [](const PodFacts& pod) { return enabled_switch(pod.declared) == Switch::off; });
}

RC_GTEST_PROP(PlanProperty, CarriedOutItClosesEveryPodAndLeavesNothingToWrite, ()) {
  World world = any_world();
  const Plan plan = plan_of(world);
  RC_ASSERT(plan.refusals.empty());
  world.carry_out(plan);
  RC_ASSERT(closed_everywhere(world));
  const Plan again = plan_of(world);
  RC_ASSERT(dump(again) == "");
  RC_ASSERT(again.refusals.empty());
}

RC_GTEST_PROP(PlanProperty, WritesOnlyWhereSomethingIsOpen, ()) {
  const World world = any_world();
  const Plan plan = plan_of(world);
  const ClusterFacts facts = world.facts();
  const bool restarts = std::ranges::any_of(
      plan.steps, [](const Step& step) { return step.restart != Restart::none; });
  if (closed_everywhere(world) &&
      facts.daemon_sets[0].template_declared.enabled.layer != Layer::env) {
    RC_ASSERT(!restarts);
  }
  for (const Step& step : plan.steps) RC_ASSERT(step.change.before != step.change.after);
}

RC_GTEST_PROP(PlanProperty, InPlaceClosesTooWhereItIsNotRefused, ()) {
  World world = any_world();
  const Plan plan = plan_of(world, {.in_place = true});
  RC_PRE(plan.refusals.empty());
  world.carry_out(plan);
  RC_ASSERT(closed_everywhere(world));
}

// --- what the plan says of itself ----------------------------------------------------------------

TEST(Plan, ByHandIsTheArticlesCommand) {
  EXPECT_EQ(plan_of(World{kTrue}).steps.at(0).by_hand,
            "kubectl -n kube-system set env ds/calico-node -c calico-node "
            "FELIX_PROMETHEUSMETRICSENABLED=false");
  World world;
  world.add(felix_configuration("default", kSpecTrue));
  EXPECT_EQ(plan_of(world).steps.at(1).by_hand,
            "kubectl patch felixconfigurations.crd.projectcalico.org default --type merge -p "
            R"('{"spec":{"prometheusMetricsEnabled":false}}')");
}

TEST(Plan, ChangeCarriesTheObjectThatItWasDecidedOn) {
  const Step step = plan_of(World{kTrue}).steps.at(0);
  EXPECT_EQ(step.change.target, (Target{"apps/v1", "DaemonSet", "kube-system", "calico-node",
                                        "ds-1", "calico-node", "env"}));
  EXPECT_EQ(step.change.resource_version, "100");
  EXPECT_EQ(step.change.before.as_array().back(), json::parse(kTrue));
}

TEST(Plan, SaysWhatRestartsHowLongAndWhatStandsInTheWay) {
  World world{kTrue};
  world.not_ready = {"n3"};
  const Plan plan = plan_of(world);
  EXPECT_EQ(plan.restarting_nodes, 3);
  EXPECT_EQ(plan.expected, std::chrono::seconds{18});
  EXPECT_THAT(codes(plan.warnings), ElementsAre("plan-pods-restart", "plan-nodes-not-ready"));
  EXPECT_THAT(codes(plan.breaks), ElementsAre("breaks-scrapes"));
  EXPECT_THAT(codes(plan.stays_up), ElementsAre("stays-dataplane", "stays-health"));
}

TEST(Plan, SaysWhoDoesNotWaitForItsTurn) {
  World world{kTrue};
  EXPECT_FALSE(plan_of(world).warnings.at(0).params.contains("unavailable"));
  world.unavailable = 2;
  EXPECT_EQ(message_text(plan_of(world).warnings.at(0)),
            "The pods of kube-system/calico-node restart one batch after another (3 pods, "
            "maxUnavailable 1); 2 not available: those restart at once");
}

TEST(Plan, OffersTheCheaperWay) {
  World world;
  world.add(felix_configuration("node.n2", kSpecTrue));
  EXPECT_THAT(plan_of(world).findings,
              Contains(Message{"plan-in-place-cheaper", {{"inPlace", "1"}, {"rolling", "3"}}}));
  world.add(felix_configuration("default", kSpecTrue));
  EXPECT_THAT(codes(plan_of(world).findings), Not(Contains("plan-in-place-cheaper")));
}

TEST(Plan, DigestChangesWithItsInputs) {
  const World world{kTrue};
  const std::string digest = plan_of(world).digest;
  EXPECT_EQ(digest.size(), 16u);
  EXPECT_EQ(plan_of(world).digest, digest);
  EXPECT_NE(plan_of(world, {.include_pending = true}).digest, digest);
  World other{kTrue};
  other.generation = other.observed_generation = 8;
  EXPECT_NE(plan_of(other).digest, digest);
  World labelled{kTrue};
  labelled.set_metadata("labels", R"({"team":"net"})");
  EXPECT_NE(plan_of(labelled).digest, digest);
  World more{kTrue};
  more.add(felix_configuration("default", "{}"));
  EXPECT_NE(plan_of(more).digest, digest);
}

}  // namespace
}  // namespace catflap
