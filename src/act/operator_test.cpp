// close and undo on an install of the tigera operator: the embedded cluster's own, by a clock that
// the tests wind. What is written is the Installation; what restarts is the operator's doing.
#include <gmock/gmock.h>

#include "act/operator_wait.hpp"
#include "support/operated_fixture.hpp"

namespace catflap::act {
namespace {

using kube::Fault;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

class Operated : public OperatedFixture {};

TEST_F(Operated, ClosesAtTheInstallationWithOneStartANode) {
  ASSERT_EQ(open_nodes(), 2);
  const auto outcome = close_now();
  ASSERT_FALSE(outcome.error.has_value()) << to_string(*outcome.error);
  EXPECT_EQ(outcome.verdict->verdict, Verdict::closed);
  EXPECT_EQ(open_nodes(), 0);
  EXPECT_EQ(world->starts("n1"), 1);
  EXPECT_EQ(world->starts("n2"), 1);
  for (const auto& write : api->writes()) EXPECT_THAT(write, testing::Not(HasSubstr("daemonsets")));
  const auto* installation = cluster->find(kDefaultInstallation);
  EXPECT_FALSE(installation->at("spec").as_object().contains("nodeMetricsPort"));
  EXPECT_TRUE(outcome.findings.empty());
}

TEST_F(Operated, UndoIsTheReverseWithOneStartANode) {
  ASSERT_EQ(close_now().verdict->verdict, Verdict::closed);
  start_process();
  const auto outcome = undo_now();
  ASSERT_FALSE(outcome.error.has_value()) << to_string(*outcome.error);
  EXPECT_EQ(outcome.result, UndoOutcome::Result::undone);
  EXPECT_EQ(outcome.steps[0].target.kind, "Installation");
  EXPECT_EQ(open_nodes(), 2);
  EXPECT_EQ(world->starts("n1"), 2);
  EXPECT_EQ(world->starts("n2"), 2);
  auto after = snapshot();
  // The operator merges template annotations and never removes them: they were there before.
  EXPECT_EQ(after, before);
}

TEST_F(Operated, OverlayAndDefaultRollThePodsOnce) {
  build(std::string{kPortSet} + R"(  objects:
    - {apiVersion: operator.tigera.io/v1, kind: Installation, metadata: {name: overlay}, spec: {nodeMetricsPort: 9091}}
)");
  const auto outcome = close_now();
  ASSERT_FALSE(outcome.error.has_value()) << to_string(*outcome.error);
  EXPECT_EQ(outcome.verdict->verdict, Verdict::closed);
  EXPECT_EQ(world->starts("n1"), 1);
  start_process();
  EXPECT_EQ(undo_now().result, UndoOutcome::Result::undone);
  EXPECT_EQ(snapshot(), before);
  EXPECT_EQ(world->starts("n1"), 2);
}

struct Hindrance {
  const char* name;
  const char* why;
  std::function<void(kube::FakeCluster&)> happens;
};

class Hindered : public Operated, public testing::WithParamInterface<Hindrance> {};

TEST_P(Hindered, IsNotClosedAndSaysWhy) {
  // After the plan was made and the Installation is written.
  bool done = false;
  api->tick = [&] {
    const auto* now = cluster->find(kDefaultInstallation);
    if (!done && !now->at("spec").as_object().contains("nodeMetricsPort")) {
      done = true;
      GetParam().happens(*cluster);
    }
    world->tick();
  };
  const auto begun = clock.steady();
  const auto outcome = close_now();
  ASSERT_FALSE(outcome.error.has_value()) << to_string(*outcome.error);
  EXPECT_EQ(outcome.verdict->verdict, Verdict::exposed);
  ASSERT_EQ(outcome.findings.size(), 1u);
  EXPECT_EQ(outcome.findings[0].code, "CF0062");
  EXPECT_THAT(outcome.findings[0].params.at("why"), HasSubstr(GetParam().why));
  EXPECT_EQ(outcome.rollouts[0].end, Rollout::End::time_up);
  EXPECT_THAT(outcome.rollouts[0].waiting_for, HasSubstr(GetParam().why));
  const auto took = clock.steady() - begun;
  EXPECT_GE(took, seconds(60));
  EXPECT_LE(took, seconds(120)) << "a minute, and the proof";
}

INSTANTIATE_TEST_SUITE_P(
    Operator, Hindered,
    testing::Values(
        Hindrance{"ScaledToZero", "scaled to 0",
                  [](kube::FakeCluster& c) {
                    c.edit(kOperator,
                           [](json::object& o) { o["spec"].as_object()["replicas"] = 0; });
                  }},
        Hindrance{
            "Degraded", "is Degraded: ResourceReadError: cannot list pods",
            [](kube::FakeCluster& c) {
              c.edit(kStatus, [](json::object& o) {
                o["status"] = json::parse(
                    R"({"conditions":[{"type":"Degraded","status":"True","reason":"ResourceReadError","message":"cannot list pods"}]})");
              });
            }},
        Hindrance{"Ignored", "unsupported.operator.tigera.io/ignore",
                  [](kube::FakeCluster& c) {
                    c.edit(kSet, [](json::object& o) {
                      o["metadata"].as_object()["annotations"] = {
                          {"unsupported.operator.tigera.io/ignore", "true"}};
                    });
                  }},
        Hindrance{"OverlayComes", "Installation overlay sets nodeMetricsPort",
                  [](kube::FakeCluster& c) {
                    c.put(kInstallationKind, {{"apiVersion", "operator.tigera.io/v1"},
                                              {"kind", "Installation"},
                                              {"metadata", {{"name", "overlay"}}},
                                              {"spec", {{"nodeMetricsPort", 9091}}}});
                  }}),
    [](const auto& row) { return std::string{row.param.name}; });

TEST_F(Operated, ADeploymentThatMayNotBeReadIsNoGuess) {
  edit(kOperator, [](json::object& o) { o["spec"].as_object()["replicas"] = 0; });
  api->deny("get", "deployments");
  const auto outcome = close_now();
  EXPECT_EQ(outcome.verdict->verdict, Verdict::exposed);
  ASSERT_EQ(outcome.findings.size(), 1u);
  EXPECT_THAT(outcome.findings[0].params.at("why"), HasSubstr("cannot be read"));
}

TEST_F(Operated, TheTimeLimitIsKeptWhileTheOperatorSleeps) {
  edit(kOperator, [](json::object& o) { o["spec"].as_object()["replicas"] = 0; });
  const auto begun = clock.steady();
  const auto outcome = close_now(seconds(20));
  EXPECT_EQ(outcome.verdict->verdict, Verdict::exposed);
  EXPECT_LE(clock.steady() - begun, seconds(45));
}

TEST_F(Operated, GoesOnWhenTheOperatorIsBack) {
  edit(kOperator, [](json::object& o) { o["spec"].as_object()["replicas"] = 0; });
  EXPECT_EQ(close_now().verdict->verdict, Verdict::exposed);
  edit(kOperator, [](json::object& o) { o["spec"].as_object()["replicas"] = 1; });
  start_process();
  const auto outcome = close_now();
  ASSERT_FALSE(outcome.error.has_value()) << to_string(*outcome.error);
  EXPECT_EQ(outcome.verdict->verdict, Verdict::closed);
  EXPECT_TRUE(outcome.resumed);
  EXPECT_EQ(world->starts("n1"), 1);
}

TEST_F(Operated, AnEditOfThePodSpecIsPutBack) {
  edit(kSet, [](json::object& set) {
    set["spec"].at("template").at("spec").at("containers").as_array()[0].as_object()["env"] =
        json::array{};
  });
  for (int i = 0; i < 200; ++i) clock.advance(Duration{50}), world->tick();
  EXPECT_EQ(snapshot(), before);
}

struct Death {
  int at_write;
  Fault::When when;
};

class OperatedCrash : public Operated, public testing::WithParamInterface<Death> {
 protected:
  template <class Run>
  void kill(const Run& run) {
    api->die_at_write(GetParam().at_write, GetParam().when);
    run();
    for (int i = 0; i < 20; ++i) clock.advance(Duration{50}), world->tick();
    start_process();
  }
};

TEST_P(OperatedCrash, CloseThenCloseThenUndoIsAsBefore) {
  kill([&] { (void)close_now(); });
  const auto outcome = close_now();
  ASSERT_FALSE(outcome.error.has_value()) << to_string(*outcome.error);
  EXPECT_EQ(outcome.verdict->verdict, Verdict::closed);
  EXPECT_EQ(world->starts("n1"), 1);
  start_process();
  const auto undone = undo_now();
  ASSERT_FALSE(undone.error.has_value()) << to_string(*undone.error);
  EXPECT_EQ(snapshot(), before);
}

TEST_P(OperatedCrash, CloseThenUndoIsAsBefore) {
  kill([&] { (void)close_now(); });
  const auto undone = undo_now();
  ASSERT_FALSE(undone.error.has_value()) << to_string(*undone.error);
  for (int i = 0; i < 400; ++i) clock.advance(Duration{50}), world->tick();
  EXPECT_EQ(snapshot(), before);
  EXPECT_EQ(open_nodes(), 2);
}

TEST_P(OperatedCrash, UndoThenUndoIsAsBefore) {
  ASSERT_EQ(close_now().verdict->verdict, Verdict::closed);
  start_process();
  kill([&] { (void)undo_now(); });
  const auto undone = undo_now();
  ASSERT_FALSE(undone.error.has_value()) << to_string(*undone.error);
  EXPECT_EQ(snapshot(), before);
  EXPECT_EQ(world->starts("n1"), 2);
}

std::vector<Death> deaths() {
  std::vector<Death> all;
  for (int write = 1; write <= 12; ++write)
    for (const auto when : {Fault::When::before, Fault::When::after}) all.push_back({write, when});
  return all;
}

INSTANTIATE_TEST_SUITE_P(EveryWrite, OperatedCrash, testing::ValuesIn(deaths()),
                         [](const auto& death) {
                           return std::string{death.param.when == Fault::When::before ? "Before"
                                                                                      : "After"} +
                                  std::to_string(death.param.at_write);
                         });

}  // namespace
}  // namespace catflap::act
