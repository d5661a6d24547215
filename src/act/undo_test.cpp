// undo is compared with a snapshot taken before close, never with the journal.
#include "act/undo.hpp"

#include "support/act_fixture.hpp"

namespace catflap::act {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Undo : public TwoStepFixture {
 protected:
  void close_first() {
    ASSERT_EQ(close_now().verdict->verdict, Verdict::closed);
    start_process();
  }
};

TEST_F(Undo, RestoresWhatWasThereBefore) {
  close_first();
  ASSERT_NE(world->snapshot(), snapshot);
  const auto outcome = undo_now();
  ASSERT_FALSE(outcome.error.has_value()) << to_string(*outcome.error);
  EXPECT_EQ(outcome.result, UndoOutcome::Result::undone);
  EXPECT_EQ(world->snapshot(), snapshot);
  EXPECT_EQ(world->open_nodes(), 3);
  EXPECT_EQ(world->most_starts(), 2) << "one for close, one for undo";
  EXPECT_EQ(outcome.steps[0].id, "disable-felixconfiguration-default")
      << "last written, first back";
  EXPECT_EQ(journal().run->state, RunState::undone);
  EXPECT_FALSE(journal().lock.has_value());
  EXPECT_EQ(cluster->find({kube::kConfigMaps, "kube-system", "catflap-journal-1"}), nullptr);
}

TEST_F(Undo, HasNothingToDoWithoutAJournal) {
  EXPECT_EQ(undo_now().result, UndoOutcome::Result::nothing_to_undo);
  EXPECT_TRUE(api->writes().empty());
}

TEST_F(Undo, HasNothingToDoTwice) {
  close_first();
  (void)undo_now();
  start_process();
  EXPECT_EQ(undo_now().result, UndoOutcome::Result::nothing_to_undo);
  EXPECT_EQ(world->snapshot(), snapshot);
}

TEST_F(Undo, WritesNothingIfOneOfTheFieldsIsSomebodyElsesByNow) {
  close_first();
  edit_env(
      R"([{"name":"FELIX_PROMETHEUSMETRICSENABLED","value":"false"},{"name":"NEW","value":"1"}])");
  const auto before = world->snapshot();
  const auto outcome = undo_now();
  EXPECT_EQ(outcome.error->kind, ErrorKind::refused);
  EXPECT_THAT(outcome.error->what, HasSubstr("found NEW=1"));
  EXPECT_EQ(world->snapshot(), before) << "FelixConfiguration too";
}

TEST_F(Undo, WhatOthersChangedElsewhereStays) {
  close_first();
  cluster->edit(test::kDefault,
                [](json::object& object) { object["spec"].as_object()["bpfEnabled"] = true; });
  ASSERT_EQ(undo_now().result, UndoOutcome::Result::undone);
  const auto spec = cluster->find(test::kDefault)->at("spec");
  EXPECT_EQ(spec.at("prometheusMetricsEnabled"), true);
  EXPECT_EQ(spec.at("bpfEnabled"), true);
}

TEST_F(Undo, AFieldThatIsBackAlreadyIsFine) {
  close_first();
  cluster->edit(test::kDefault, [](json::object& object) {
    object["spec"].as_object()["prometheusMetricsEnabled"] = true;
  });
  const auto outcome = undo_now();
  EXPECT_EQ(outcome.result, UndoOutcome::Result::undone);
  EXPECT_EQ(outcome.steps[0].result, UndoneStep::Result::already);
  EXPECT_EQ(world->snapshot(), snapshot);
}

TEST_F(Undo, DryRunsStoreNothing) {
  close_first();
  const auto closed = world->snapshot();
  for (const auto dry_run : {UndoOptions::DryRun::client, UndoOptions::DryRun::server}) {
    const auto outcome = undo_now(dry_run);
    EXPECT_EQ(outcome.result, UndoOutcome::Result::would_undo);
    EXPECT_EQ(outcome.steps.size(), 2u);
    EXPECT_EQ(outcome.steps[0].result, UndoneStep::Result::would_restore);
  }
  EXPECT_TRUE(api->writes().empty());
  EXPECT_EQ(world->snapshot(), closed);
}

TEST_F(Undo, TimeUpIsNotUndone) {
  close_first();
  world->stuck = {"node-1"};
  const auto outcome = undo_now();
  EXPECT_EQ(outcome.result, UndoOutcome::Result::time_up);
  EXPECT_EQ(world->snapshot(), snapshot) << "the fields are";
  EXPECT_GE(outcome.still_restarting, 1);
}

TEST_F(Undo, ADeletedObjectIsSaid) {
  close_first();
  cluster->erase(test::kDefault);
  EXPECT_EQ(undo_now().error->kind, ErrorKind::not_found);
}

TEST_F(Undo, AHandEditAndASecondCloseGoBackToTheHandEdit) {
  close_first();
  const char* by_hand = R"([{"name":"FELIX_PROMETHEUSMETRICSENABLED","value":"1"}])";
  edit_env(by_hand);
  const auto edited = world->snapshot();
  ASSERT_FALSE(close_now().error.has_value());
  start_process();
  ASSERT_EQ(undo_now().result, UndoOutcome::Result::undone);
  EXPECT_EQ(world->snapshot(), edited);
}

class UndoExact : public ActFixture {
 protected:
  /// close and undo with this env, and this FelixConfiguration, give back what was there, byte for
  /// byte.
  void expect_round_trip(const char* env, const char* after, const char* felix_spec) {
    build({.env = env, .felix_spec = felix_spec});
    Plan made;
    made.steps.push_back(test::felix_configuration_step(*cluster, false, Restart::none));
    if (json::parse(env) != json::parse(after))
      made.steps.push_back(test::env_step(world->facts(), after));
    const auto bytes = json::serialize(snapshot);
    (void)close_with(made, options());
    EXPECT_NE(world->snapshot(), snapshot);
    start_process();
    const auto outcome = undo_now();
    ASSERT_FALSE(outcome.error.has_value()) << to_string(*outcome.error);
    EXPECT_EQ(json::serialize(world->snapshot()["calico-node"].at("spec")),
              json::serialize(snapshot["calico-node"].at("spec")));
    EXPECT_EQ(world->snapshot(), snapshot);
  }
};

TEST_F(UndoExact, Absence) {
  expect_round_trip("null", kEnvOff, "null");
}
TEST_F(UndoExact, AnEmptyListAndAnEmptySpec) {
  expect_round_trip("[]", kEnvOff, "{}");
}
TEST_F(UndoExact, DuplicatesCaseVariantsAndOrder) {
  expect_round_trip(
      R"([{"name":"Z","value":"1"},{"name":"felix_prometheusmetricsenabled","value":"true"},
                        {"name":"FELIX_PROMETHEUSMETRICSENABLED","value":"true"},{"name":"A"},
                        {"name":"FELIX_PROMETHEUSMETRICSENABLED","value":"true"}])",
      R"([{"name":"Z","value":"1"},{"name":"FELIX_PROMETHEUSMETRICSENABLED","value":"false"},{"name":"A"}])",
      R"({"prometheusMetricsEnabled":true})");
}

}  // namespace
}  // namespace catflap::act
