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
      R"([{"name":"FELIX_PROMETHEUSMETRICSENABLED","value":"no"},{"name":"NEW","value":"1"}])");
  const auto before = world->snapshot();
  const auto outcome = undo_now();
  EXPECT_EQ(outcome.error->kind, ErrorKind::refused);
  EXPECT_THAT(outcome.error->what, HasSubstr("found FELIX_PROMETHEUSMETRICSENABLED=no"));
  EXPECT_THAT(outcome.error->what, testing::Not(HasSubstr("NEW"))) << "theirs, and stays";
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

TEST_F(Undo, AnEntryThatOthersAddedStays) {
  close_first();
  edit_env(
      R"([{"name":"NEW","value":"1"},{"name":"FELIX_PROMETHEUSMETRICSENABLED","value":"false"}])");
  ASSERT_EQ(undo_now().result, UndoOutcome::Result::undone);
  const auto container =
      cluster->find(test::kCalicoNode)->at("spec").at("template").at("spec").at("containers").at(0);
  EXPECT_EQ(container.at("env"), json::parse(R"([{"name":"NEW","value":"1"}])"));
  EXPECT_EQ(world->open_nodes(), 3);
}

TEST_F(Undo, AnEntryAddedToAnUnfinishedRunDoesNotHideOurs) {
  world->stuck = {"node-2"};
  (void)close_now();
  world->stuck.clear();
  edit_env(
      R"([{"name":"FELIX_PROMETHEUSMETRICSENABLED","value":"false"},{"name":"NEW","value":"1"}])");
  EXPECT_TRUE(own_pending(journal(), world->facts()).empty()) << "it waits for two changes now";
  start_process();
  ASSERT_EQ(close_now().verdict->verdict, Verdict::closed);
  start_process();
  EXPECT_EQ(undo_now().result, UndoOutcome::Result::undone);
  EXPECT_EQ(world->open_nodes(), 3);
}

TEST_F(Undo, LeavesAloneWhatSomebodyElseHadWritten) {
  const auto early = plan();
  edit_env(kEnvOff);  // between the plan and the write, the very same change
  const auto outcome = close_with(early, options());
  ASSERT_EQ(outcome.written.size(), 2u);
  EXPECT_FALSE(outcome.written[0].written);
  EXPECT_EQ(journal().run->steps[0].state, StepState::dropped);
  EXPECT_EQ(world->open_nodes(), 0) << "its rollout was waited for";
  start_process();
  ASSERT_EQ(undo_now().result, UndoOutcome::Result::undone);
  const auto container =
      cluster->find(test::kCalicoNode)->at("spec").at("template").at("spec").at("containers").at(0);
  EXPECT_EQ(container.at("env"), json::parse(kEnvOff));
}

TEST_F(Undo, AKilledUndosPendingChangeIsOurs) {
  close_first();
  api->inject({.verb = "patch", .plural = "daemonsets", .action = [&] {
                 api->die_at_write(1, kube::Fault::When::after);
               }});
  (void)undo_now();
  ASSERT_TRUE(api->dead());
  start_process();
  EXPECT_THAT(own_pending(journal(), world->facts()), testing::SizeIs(1));
}

TEST_F(Undo, SaysWhichOlderChangeStillStands) {
  Plan first;
  first.steps.push_back(test::felix_configuration_step(*cluster, false, Restart::in_place));
  ASSERT_FALSE(close_with(first, options()).error.has_value());
  start_process();
  Plan second;
  second.steps.push_back(test::env_step(world->facts(), kEnvOff));
  ASSERT_FALSE(close_with(second, options()).error.has_value());
  start_process();
  const auto one = undo_now();
  ASSERT_EQ(one.result, UndoOutcome::Result::undone);
  ASSERT_TRUE(one.older.has_value());
  EXPECT_EQ(one.older->user, "alice");
  start_process();
  EXPECT_EQ(journal().history.size(), 1u);
  const auto two = undo_now();
  EXPECT_EQ(two.run->id, one.older->id);
  EXPECT_FALSE(two.older.has_value());
  for (int i = 0; i < 100; ++i) clock.advance(Duration{50}), world->tick();  // in place
  EXPECT_EQ(world->open_nodes(), 3);
  // Neither is worth a place in the history any more.
  start_process();
  ASSERT_FALSE(close_now().error.has_value());
  EXPECT_EQ(journal().history.size(), 1u);
  EXPECT_EQ(journal().history[0].state, RunState::undone) << "it stood there before";
}

TEST_F(Undo, TakesBackOnlyTheRunThatWasAgreedTo) {
  close_first();
  const Context context{.api = *api, .clock = clock};
  const auto outcome =
      undo(context, {.namespaces = {"kube-system"}, .expected_run_id = "another", .lock = lock()});
  EXPECT_EQ(outcome.error->kind, ErrorKind::refused);
  EXPECT_TRUE(api->writes().size() == 2u) << "the lock, taken and given back";
}

TEST_F(Undo, OfSeveralJournalsTheOneThatIsNamed) {
  close_first();
  auto copy = *cluster->find({kube::kConfigMaps, "kube-system", kJournalName});
  copy["metadata"].as_object()["namespace"] = "calico-system";
  cluster->put(kube::kConfigMaps, copy);
  const Context context{.api = *api, .clock = clock};
  UndoOptions options{.dry_run = UndoOptions::DryRun::client,
                      .namespaces = {"kube-system", "calico-system"},
                      .lock = lock()};
  EXPECT_EQ(undo(context, options).error->kind, ErrorKind::usage);
  options.preferred = "kube-system";
  EXPECT_EQ(undo(context, options).journal, "kube-system/catflap-journal");
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
  EXPECT_EQ(outcome.error->kind, ErrorKind::timed_out);
  EXPECT_THAT(outcome.thaw_commands, ElementsAre(HasSubstr("RollingUpdate")));
  EXPECT_EQ(journal().run->state, RunState::undoing);
  EXPECT_THAT(own_pending(journal(), world->facts()), testing::SizeIs(1));
  world->stuck.clear();
  start_process();
  EXPECT_EQ(undo_now().result, UndoOutcome::Result::undone) << "waits on";
  EXPECT_EQ(journal().run->state, RunState::undone);
}

TEST_F(Undo, ADeletedObjectIsSaid) {
  close_first();
  cluster->erase(test::kDefault);
  const auto outcome = undo_now();
  EXPECT_EQ(outcome.error->kind, ErrorKind::refused);
  EXPECT_THAT(outcome.error->what, HasSubstr("does not exist any more"));
}

TEST_F(Undo, ARunWhoseObjectsAreGoneDoesNotStandBeforeAnOlderOne) {
  Plan first;
  first.steps.push_back(test::env_step(world->facts(), kEnvOff));
  ASSERT_FALSE(close_with(first, options()).error.has_value());
  start_process();
  Plan second;
  second.steps.push_back(test::felix_configuration_step(*cluster, false, Restart::none));
  ASSERT_FALSE(close_with(second, options()).error.has_value());
  cluster->erase(test::kDefault);
  start_process();
  EXPECT_EQ(undo_now().result, UndoOutcome::Result::undone);
  start_process();
  EXPECT_EQ(undo_now().error->kind, ErrorKind::refused) << "only the other one is left";
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
