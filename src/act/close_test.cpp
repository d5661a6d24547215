// close against a cluster that moves: what it promises, and what it must not say.
#include "act/close.hpp"

#include "act/apply.hpp"
#include "act/verify_loop.hpp"
#include "support/act_fixture.hpp"

namespace catflap::act {
namespace {

using kube::Fault;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

class Close : public ActFixture {
 protected:
  Close() { build({}); }
};

TEST_F(Close, ClosesAndProves) {
  ASSERT_EQ(world->open_nodes(), 3);
  const auto outcome = close_now();
  ASSERT_FALSE(outcome.error.has_value()) << to_string(*outcome.error);
  EXPECT_EQ(outcome.verdict->verdict, Verdict::closed);
  EXPECT_EQ(outcome.looks.size(), 2u);
  EXPECT_GE(outcome.looks[1].started - outcome.looks[0].started, seconds(10));
  EXPECT_EQ(outcome.before.size(), 3u);
  ASSERT_EQ(outcome.written.size(), 1u);
  EXPECT_FALSE(outcome.written[0].audit_id.empty());
  EXPECT_EQ(outcome.still_restarting, 0);
  EXPECT_EQ(world->open_nodes(), 0);
  EXPECT_EQ(world->most_starts(), 1);
  const auto after = journal();
  EXPECT_FALSE(after.lock.has_value());
  EXPECT_EQ(after.run->state, RunState::finished);
  EXPECT_EQ(after.run->verdict, "closed");
  EXPECT_EQ(after.run->ticket, "CHG-7");
  EXPECT_EQ(after.run->steps[0].audit_id, outcome.written[0].audit_id);
  EXPECT_EQ(read_before_evidence(*api, "kube-system", *after.run)->size(), 3u);
}

TEST_F(Close, TheStepStandsInTheJournalBeforeItIsWritten) {
  api->inject({.verb = "patch", .plural = "daemonsets", .action = [&] {
                 kube::FakeApi reader(cluster);
                 const auto seen = read_journal(reader, "kube-system").value().value();
                 ASSERT_EQ(seen.run->steps.size(), 1u);
                 EXPECT_EQ(seen.run->steps[0].state, StepState::planned);
                 EXPECT_EQ(seen.run->steps[0].after, json::parse(kEnvOff));
                 EXPECT_EQ(seen.run->evidence_parts, 1);
               }});
  EXPECT_FALSE(close_now().error.has_value());
}

TEST_F(Close, NothingToDoWritesNothing) {
  ASSERT_FALSE(close_now().error.has_value());
  start_process();
  const auto outcome = close_now();
  EXPECT_EQ(outcome.verdict->verdict, Verdict::closed);
  EXPECT_TRUE(api->writes().empty());
  EXPECT_EQ(outcome.journal, "");
}

TEST_F(Close, ANodeThatDoesNotFinishIsNotClosed) {
  world->stuck = {"node-2"};
  const auto outcome = close_now();
  ASSERT_TRUE(outcome.verdict.has_value());
  EXPECT_NE(outcome.verdict->verdict, Verdict::closed);
  EXPECT_EQ(outcome.rollouts[0].end, Rollout::End::time_up);
  EXPECT_EQ(outcome.still_restarting, 1);
  EXPECT_THAT(outcome.freeze_commands, ElementsAre(HasSubstr("patch daemonset calico-node")));
  EXPECT_EQ(journal().run->state, RunState::applied);
}

TEST_F(Close, GoesOnWhereATimeoutLeftIt) {
  world->stuck = {"node-2"};
  (void)close_now();
  EXPECT_THAT(own_pending(journal(), world->facts()), testing::SizeIs(1));
  world->stuck.clear();
  start_process();
  auto again = options();
  again.ticket = "CHG-8";
  const auto outcome = close_with(plan(), again);
  EXPECT_TRUE(outcome.resumed);
  EXPECT_EQ(outcome.verdict->verdict, Verdict::closed);
  EXPECT_EQ(outcome.before.size(), 3u) << "the answers from before the first run";
  ASSERT_EQ(outcome.written.size(), 1u) << "what the first run wrote";
  EXPECT_TRUE(outcome.written[0].written);
  EXPECT_FALSE(outcome.written[0].audit_id.empty());
  EXPECT_EQ(outcome.ticket, "CHG-7") << "the first run's";
  EXPECT_EQ(journal().run->state, RunState::finished);
  EXPECT_TRUE(journal().history.empty()) << "one run, not two";
  EXPECT_EQ(world->most_starts(), 1);
}

TEST_F(Close, AFelixThatAnswersAfterwardsIsExposed) {
  const Context context{.api = *api, .clock = clock};
  auto seams_open = seams();
  seams_open.look = [this](const ClusterFacts&, const auto&) -> Result<Look> {
    auto look = world->look();
    look.reached[1].outcome = Outcome::open;
    look.reached[1].identity = Identity::felix;
    look.reached[1].felix_host = "node-2";
    return look;
  };
  const auto outcome =
      close(context, {plan(), world->facts(), world->look()}, seams_open, options());
  EXPECT_EQ(outcome.verdict->verdict, Verdict::exposed);
}

TEST_F(Close, LooksAgainWhileWhatHindersMayPass) {
  const Context context{.api = *api, .clock = clock};
  auto flaky = seams();
  int looks = 0;
  flaky.look = [&](const ClusterFacts&, const auto&) -> Result<Look> {
    auto look = world->look();
    if (++looks <= 3) look.reached[0].outcome = look.controls[0].outcome = Outcome::timeout;
    return look;
  };
  const auto outcome = close(context, {plan(), world->facts(), world->look()}, flaky, options());
  EXPECT_EQ(outcome.verdict->verdict, Verdict::closed);
  EXPECT_EQ(looks, 5) << "two good ones after three bad";
}

TEST_F(Close, EndsWhenWhatHindersDoesNotPass) {
  const Context context{.api = *api, .clock = clock};
  auto dark = seams();
  dark.look = [&](const ClusterFacts&, const auto&) -> Result<Look> {
    auto look = world->look();
    for (auto& reach : look.reached) reach.outcome = Outcome::timeout;
    return look;
  };
  const auto begun = clock.steady();
  const auto outcome = close(context, {plan(), world->facts(), world->look()}, dark, options());
  EXPECT_NE(outcome.verdict->verdict, Verdict::closed);
  EXPECT_LE(clock.steady() - begun, minutes(5) + seconds(30));
}

TEST_F(Close, AForeignEditIsRefusedAndNothingWritten) {
  const auto stale_plan = plan();
  edit_env(R"([{"name":"FELIX_PROMETHEUSMETRICSENABLED","value":"yes"}])");
  const auto generation_before = generation();
  const auto outcome = close_with(stale_plan, options());
  EXPECT_EQ(outcome.error->kind, ErrorKind::refused);
  EXPECT_EQ(generation(), generation_before);
  EXPECT_FALSE(journal().lock.has_value());
  EXPECT_TRUE(journal().undoable().empty());
}

TEST_F(Close, AForeignEditInTheLastMomentIsRefused) {
  api->inject({.verb = "patch", .plural = "daemonsets", .action = [&] { edit_env("[]"); }});
  EXPECT_EQ(close_now().error->kind, ErrorKind::refused);
  EXPECT_EQ(journal().run->steps[0].state, StepState::dropped);
  start_process();
  EXPECT_EQ(close_now().verdict->verdict, Verdict::closed) << "decides on what is there now";
}

TEST_F(Close, ForbiddenConfigMapsStopItBeforeTheChange) {
  api->deny("create", "configmaps");
  const auto outcome = close_now();
  EXPECT_EQ(outcome.error->kind, ErrorKind::not_permitted);
  EXPECT_THAT(outcome.error->hint, HasSubstr("configmaps"));
  EXPECT_EQ(world->snapshot(), snapshot);
}

TEST_F(Close, ARightThatIsMissingForTheLastStepStopsItBeforeTheFirst) {
  Plan both = plan();
  both.steps.push_back(test::felix_configuration_step(*cluster, false, Restart::none));
  api->deny("patch", "felixconfigurations");
  const auto outcome = close_with(both, options());
  EXPECT_EQ(outcome.error->kind, ErrorKind::not_permitted);
  EXPECT_EQ(world->snapshot(), snapshot);
  EXPECT_TRUE(outcome.written.empty());
}

TEST_F(Close, AResumedRunThatIsStoppedEarlySaysWhatGoesOn) {
  world->stuck = {"node-2"};
  (void)close_now();
  start_process();
  api->inject({.verb = "get",
               .plural = "daemonsets",
               .error = kube::fake_forbidden("get", kube::kDaemonSets)});
  const auto outcome = close_now();
  ASSERT_TRUE(outcome.error.has_value());
  EXPECT_TRUE(outcome.written.empty()) << "stopped before the run was gone on with";
  api->inject({.verb = "list",
               .plural = "pods",
               .times = 0,
               .error = kube::fake_forbidden("list", kube::kPods)});
  start_process();
  stop.request_stop();
  const auto stopped = close_now();
  EXPECT_EQ(stopped.error->kind, ErrorKind::interrupted);
  ASSERT_EQ(stopped.written.size(), 1u);
  EXPECT_GE(stopped.still_restarting, 1);
  EXPECT_EQ(stopped.freeze_commands.size(), 1u);
}

TEST_F(Close, LooksTwiceOnlyIfItChangedNothing) {
  ASSERT_FALSE(close_now().error.has_value());
  start_process();
  const Context context{.api = *api, .clock = clock};
  auto dark = seams();
  int looks = 0;
  dark.look = [&](const ClusterFacts&, const auto&) -> Result<Look> {
    auto look = world->look();
    for (auto& reach : look.reached) reach.outcome = Outcome::timeout;
    ++looks;
    return look;
  };
  (void)close(context, {plan(), world->facts(), world->look()}, dark, options());
  EXPECT_EQ(looks, 2);
}

TEST_F(Close, DoesNotWaitLongForANodeThatWasNotReadyBefore) {
  const Context context{.api = *api, .clock = clock};
  auto facts = world->facts();
  facts.nodes[1].ready = false;
  auto dark = seams();
  dark.look = [&](const ClusterFacts&, const auto&) -> Result<Look> {
    auto look = world->look();
    look.reached[1].outcome = look.controls[1].outcome = Outcome::timeout;
    return look;
  };
  const auto begun = clock.steady();
  const auto outcome = close(context, {plan(), facts, world->look()}, dark, options());
  EXPECT_NE(outcome.verdict->verdict, Verdict::closed);
  EXPECT_LE(clock.steady() - begun, seconds(120));
}

TEST_F(Close, RenewsItsLockInALongLook) {
  const Context context{.api = *api, .clock = clock};
  auto slow = seams();
  Duration oldest{};
  slow.look = [&](const ClusterFacts&, const std::function<void()>& keep) -> Result<Look> {
    for (int i = 0; i < 10; ++i) {
      clock.advance(seconds(11));
      keep();
      oldest = std::max(oldest, clock.now() - journal().lock->renewed_at);
    }
    return world->look();
  };
  EXPECT_FALSE(close(context, {plan(), world->facts(), world->look()}, slow, options()).error);
  EXPECT_LE(oldest, seconds(1));
}

TEST_F(Close, ALiveOtherRunIsRefused) {
  kube::FakeApi theirs(cluster);
  const Context their_context{.api = theirs, .clock = clock};
  auto their_plan = plan();
  bool refused = false;
  // While the first waits for its rollout, a second one comes.
  on_progress = [&](const Progress& progress) {
    if (progress.stage != Progress::Stage::settle || refused) return;
    theirs.tick = [&] { world->tick(); };
    auto other = options();
    other.lock = {.holder = {.id = "other", .who = "bob@desk", .pid = 99}};
    clock.advance(seconds(1));
    Journal held = journal();
    ASSERT_TRUE(held.lock.has_value());
    for (const auto dry_run : {CloseOptions::DryRun::server, CloseOptions::DryRun::none}) {
      other.dry_run = dry_run;
      theirs.tick = [&] {
        world->tick();
        // The first goes on: it renews.
        cluster->edit({kube::kConfigMaps, "kube-system", kJournalName}, [&](json::object& map) {
          auto lock = json::parse(map["data"].at("lock").as_string());
          lock.as_object()["renewedAt"] = to_rfc3339(clock.now());
          map["data"].as_object()["lock"] = json::serialize(lock);
        });
      };
      const auto outcome =
          close(their_context, {their_plan, world->facts(), world->look()}, {}, other);
      ASSERT_TRUE(outcome.error.has_value());
      refused = outcome.error->kind == ErrorKind::refused;
      EXPECT_THAT(outcome.error->what, HasSubstr("alice@laptop"));
      EXPECT_TRUE(outcome.written.empty());
    }
  };
  EXPECT_EQ(close_now().verdict->verdict, Verdict::closed);
  EXPECT_TRUE(refused);
}

TEST_F(Close, RenewsItsLockThroughALongRollout) {
  world->pod_start = seconds(40);
  Duration oldest{};
  api->tick = [&] {
    world->tick();
    const auto now = journal();
    if (now.lock) oldest = std::max(oldest, clock.now() - now.lock->renewed_at);
  };
  EXPECT_EQ(close_now().verdict->verdict, Verdict::closed);
  EXPECT_LE(oldest, seconds(12));
}

TEST_F(Close, TheLoserOfTheLockStops) {
  on_progress = [&](const Progress& progress) {
    if (progress.stage != Progress::Stage::step) return;
    cluster->edit({kube::kConfigMaps, "kube-system", kJournalName}, [](json::object& map) {
      auto& lock = map["data"].at("lock").as_string();
      std::string text{lock};
      text.replace(text.find("process-1"), 9, "process-x");
      lock = text;
    });
  };
  const auto outcome = close_now();
  EXPECT_EQ(outcome.error->kind, ErrorKind::refused);
  EXPECT_THAT(outcome.error->what, HasSubstr("does not hold the lock"));
  EXPECT_EQ(world->snapshot(), snapshot);
  EXPECT_TRUE(journal().lock.has_value()) << "it is not ours to release";
}

TEST_F(Close, InterruptedSaysWhatGoesOnAndReleasesTheLock) {
  on_progress = [&](const Progress& progress) {
    if (progress.stage == Progress::Stage::rollout) stop.request_stop();
  };
  const auto outcome = close_now();
  EXPECT_EQ(outcome.error->kind, ErrorKind::interrupted);
  EXPECT_GE(outcome.still_restarting, 2);
  EXPECT_THAT(outcome.freeze_commands, ElementsAre(HasSubstr("\"OnDelete\"")));
  EXPECT_FALSE(journal().lock.has_value());
  EXPECT_TRUE(journal().run->unfinished());
}

TEST_F(Close, ASecondSignalEndsTheTeardownToo) {
  on_progress = [&](const Progress& progress) {
    if (progress.stage == Progress::Stage::rollout) api->request_stop();
  };
  EXPECT_EQ(close_now().error->kind, ErrorKind::interrupted);
  on_progress = nullptr;
  start_process();
  EXPECT_TRUE(journal().lock.has_value());
  on_progress = {};
  EXPECT_EQ(close_now().verdict->verdict, Verdict::closed);
}

TEST_F(Close, DryRunStoresNothing) {
  auto with = options();
  with.dry_run = CloseOptions::DryRun::server;
  const auto outcome = close_with(plan(), with);
  ASSERT_FALSE(outcome.error.has_value());
  ASSERT_EQ(outcome.written.size(), 1u);
  EXPECT_TRUE(outcome.written[0].written);
  EXPECT_TRUE(api->writes().empty());
  EXPECT_EQ(world->snapshot(), snapshot);
  api->deny("create", "configmaps");
  EXPECT_EQ(close_with(plan(), with).error->kind, ErrorKind::not_permitted);
}

TEST_F(Close, AnApiServerThatRestartsInMidRolloutIsSurvived) {
  int ticks = 0;
  api->tick = [&] {
    world->tick();
    if (++ticks == 60) {
      api->break_watches();
      api->inject({.times = 12, .error = kube::fake_unreachable()});
    }
  };
  EXPECT_EQ(close_now().verdict->verdict, Verdict::closed);
}

class CloseOnDelete : public ActFixture {
 protected:
  CloseOnDelete() { build({.on_delete = true}); }
};

TEST_F(CloseOnDelete, IsWaitedForButNobodyDeletes) {
  const auto outcome = close_now();
  EXPECT_NE(outcome.verdict->verdict, Verdict::closed);
  EXPECT_EQ(outcome.rollouts[0].nodes[0].state, NodeState::on_delete);
  EXPECT_EQ(outcome.still_restarting, 0) << "nothing restarts by itself";
  EXPECT_TRUE(outcome.freeze_commands.empty());
}

TEST_F(CloseOnDelete, SomebodyElsesChangeIsNotWaitedFor) {
  edit_env(kEnvOff);
  clock.advance(seconds(5));
  world->tick();
  const auto begun = clock.steady();
  const auto outcome = close_now();
  EXPECT_NE(outcome.verdict->verdict, Verdict::closed);
  EXPECT_LE(clock.steady() - begun, minutes(1));
}

class CloseTwoSteps : public TwoStepFixture {};

TEST_F(CloseTwoSteps, TheLowerLayerWaitsForTheRollout) {
  api->inject({.verb = "patch", .plural = "felixconfigurations", .action = [&] {
                 EXPECT_EQ(world->open_nodes(), 0) << "every pod has its new environment";
               }});
  const auto outcome = close_now();
  EXPECT_EQ(outcome.verdict->verdict, Verdict::closed);
  EXPECT_EQ(outcome.written.size(), 2u);
  EXPECT_EQ(world->most_starts(), 1);
}

TEST_F(CloseTwoSteps, HoldsTheLowerLayerBackIfTheRolloutDoesNotEnd) {
  world->stuck = {"node-3"};
  const auto outcome = close_now();
  EXPECT_THAT(outcome.held_back, ElementsAre("disable-felixconfiguration-default"));
  EXPECT_NE(outcome.verdict->verdict, Verdict::closed);
  world->stuck.clear();
  start_process();
  const auto second = close_now();
  EXPECT_EQ(second.verdict->verdict, Verdict::closed);
  EXPECT_TRUE(second.held_back.empty());
  EXPECT_EQ(journal().run->steps.size(), 2u);
  EXPECT_EQ(world->most_starts(), 1);
}

class CloseInPlace : public ActFixture {
 protected:
  CloseInPlace() { build({.env = "null", .felix_spec = R"({"prometheusMetricsEnabled":true})"}); }
  Plan plan() override {
    Plan made;
    made.steps.push_back(test::felix_configuration_step(*cluster, false, Restart::in_place));
    return made;
  }
};

TEST_F(CloseInPlace, LooksOnlyAfterFelixHasRestarted) {
  const auto outcome = close_now();
  ASSERT_FALSE(outcome.error.has_value());
  EXPECT_EQ(outcome.verdict->verdict, Verdict::closed);
  EXPECT_TRUE(outcome.rollouts.empty());
  EXPECT_EQ(world->most_starts(), 1);
}

TEST(PassingReason, ARightThatIsMissingDoesNotPass) {
  ClusterVerdict verdict;
  verdict.nodes.push_back(
      {.name = "a", .verdict = Verdict::unknown, .reasons = {{"exec-forbidden", {}}}});
  EXPECT_EQ(passing_reason(verdict), std::nullopt);
  verdict.nodes.push_back(
      {.name = "b", .verdict = Verdict::unknown, .reasons = {{"pod-not-ready", {}}}});
  EXPECT_EQ(passing_reason(verdict), "b: pod-not-ready");
  verdict.nodes[1].verdict = Verdict::closed;
  EXPECT_EQ(passing_reason(verdict), std::nullopt);
}

}  // namespace
}  // namespace catflap::act
