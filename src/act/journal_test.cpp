// The journal's texts, its lock, and the before-evidence.
#include "act/journal.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include "act/evidence.hpp"
#include "act/journal_hold.hpp"
#include "act/journal_json.hpp"
#include "support/fake_api.hpp"

namespace catflap::act {
namespace {

using kube::FakeApi;
using kube::Fault;
using std::chrono::seconds;
using testing::HasSubstr;

const kube::ObjectRef kMap{kube::kConfigMaps, "kube-system", kJournalName};

JournalStep make_step(const std::string& id) {
  return {.id = id,
          .target = {"apps/v1", "DaemonSet", "kube-system", "calico-node", "ds-1", "calico-node",
                     "env"},
          .before = json::parse(R"([{"name":"X","value":"true"}])"),
          .after = json::parse(R"([{"name":"X","value":"false"}])"),
          .generation = 7,
          .restart = Restart::rolling,
          .state = StepState::applied,
          .audit_id = "a-1",
          .planned_at = TimePoint{seconds{1'700'000'000}}};
}

JournalRun make_run(const std::string& id) {
  return {
      .id = id, .user = "alice", .ticket = "CHG-1", .steps = {make_step("s1"), make_step("s2")}};
}

TEST(JournalText, ComesBackAsItWas) {
  Journal journal{.lock = Lock{{"h1", "alice@laptop", "boot-1", 42},
                               "close",
                               TimePoint{seconds{5}},
                               TimePoint{seconds{6}}},
                  .run = make_run("r2"),
                  .history = {make_run("r1")}};
  journal.run->steps[0].before = nullptr;
  EXPECT_EQ(parse_journal(journal_data(journal).value()).value(), journal);
}

TEST(JournalText, DropsTheOldestHistoryFirst) {
  Journal journal{.run = make_run("now")};
  for (int i = 0; i < 9; ++i) journal.history.push_back(make_run(fmt::format("old-{}", i)));
  auto back = parse_journal(journal_data(journal).value()).value();
  ASSERT_EQ(back.history.size(), kHistoryRuns);
  EXPECT_EQ(back.history.back().id, "old-4");
  for (auto& run : journal.history) run.steps[0].before = json::value(std::string(300'000, 'x'));
  back = parse_journal(journal_data(journal).value()).value();
  ASSERT_EQ(back.history.size(), 3u);
  EXPECT_EQ(back.history.back().id, "old-2");
}

TEST(JournalText, ARunThatDoesNotFitIsRefused) {
  Journal journal{.run = make_run("now")};
  journal.run->steps[0].before = json::value(std::string(1'000'000, 'x'));
  EXPECT_EQ(journal_data(journal).error().kind, ErrorKind::refused);
}

TEST(JournalText, EveryEditIsNoticedOrHarmless) {
  const auto whole = journal_data(Journal{.run = make_run("r1")}).value();
  EXPECT_FALSE(parse_journal({}).has_value());
  auto edited = [&](const char* from, const char* to) {
    auto data = whole;
    std::string text{data["run"].as_string()};
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    data["run"] = text.replace(at, std::string_view{from}.size(), to);
    return parse_journal(data);
  };
  EXPECT_THAT(edited("\"applied\"", "\"done\"").error().what, HasSubstr("run.steps[0].state"));
  EXPECT_THAT(edited("\"uid\":\"ds-1\"", "\"uid\":\"\"").error().what,
              HasSubstr("run.steps[0].target"));
  EXPECT_THAT(edited("\"generation\":7", "\"generation\":\"7\"").error().what,
              HasSubstr("generation"));
  EXPECT_THAT(edited("\"after\":", "\"aftr\":").error().what, HasSubstr("after"));
  EXPECT_THAT(edited("}", "").error().what, HasSubstr("run: "));
  EXPECT_THAT(edited("2023-", "2O23-").error().what, HasSubstr("plannedAt"));
}

RC_GTEST_PROP(JournalText, NeverCrashesOnWhateverStandsThere, (const std::string& text)) {
  for (const auto* key : {"run", "lock", "history"})
    (void)parse_journal({{"format", "catflap-journal/v1"}, {key, text}}).has_value();
}

RC_GTEST_PROP(JournalText, NeverCrashesOnACutText, ()) {
  auto data = journal_data(Journal{.run = make_run("r1"), .history = {make_run("r0")}}).value();
  for (const auto* key : {"run", "history"}) {
    auto& text = data[key].as_string();
    text.resize(*rc::gen::inRange<std::size_t>(1, text.size()));
    RC_ASSERT(!parse_journal(data).has_value());
  }
}

TEST(JournalRunOrder, UndoableIsTheLatestThatChangedSomething) {
  Journal journal{.run = make_run("now"), .history = {make_run("old")}};
  EXPECT_EQ(journal.undoable().front()->id, "now");
  for (auto& step : journal.run->steps) step.state = StepState::dropped;
  EXPECT_EQ(journal.undoable().front()->id, "old");
  journal.history[0].state = RunState::undone;
  EXPECT_TRUE(journal.undoable().empty());
}

TEST(JournalRunOrder, AStepThatNobodyCameToWriteDoesNotStand) {
  JournalRun run = make_run("now");
  for (auto& step : run.steps) {
    step.state = StepState::planned;
    step.generation = 0;
  }
  EXPECT_FALSE(run.stands());
  run.steps[1].generation = 8;
  EXPECT_TRUE(run.stands()) << "killed while it was written";
}

ClusterFacts facts_of(std::int64_t generation, const char* value) {
  ClusterFacts facts;
  facts.daemon_sets.push_back({.uid = "ds-1", .generation = generation});
  const json::object container{{"name", "calico-node"},
                               {"env", json::array{json::object{{"name", "X"}, {"value", value}}}}};
  facts.daemon_sets[0].object = {
      {"metadata", {{"uid", "ds-1"}, {"generation", generation}}},
      {"spec", {{"template", {{"spec", {{"containers", json::array{container}}}}}}}}};
  return facts;
}

TEST(JournalRunOrder, APendingChangeIsOursUntilSomebodyElseChangesTheSpec) {
  Journal journal{.run = make_run("now")};
  EXPECT_THAT(own_pending(journal, facts_of(7, "false")), testing::ElementsAre("ds-1"));
  EXPECT_TRUE(own_pending(journal, facts_of(8, "false")).empty());
  journal.run->state = RunState::finished;
  EXPECT_TRUE(own_pending(journal, facts_of(7, "false")).empty());
}

TEST(JournalRunOrder, AnotherUpdateStrategyIsNoPendingChange) {
  Journal journal{.run = make_run("now")};
  auto facts = facts_of(9, "false");
  facts.daemon_sets[0].object["metadata"].as_object()["annotations"] = {
      {"deprecated.daemonset.template.generation", "7"}};
  EXPECT_THAT(own_pending(journal, facts), testing::ElementsAre("ds-1"));
}

TEST(JournalRunOrder, SomebodyElsesChangeIsNotOursBecauseItsNumberWasForeseen) {
  Journal journal{.run = make_run("now")};
  for (auto& step : journal.run->steps) step.state = StepState::planned;
  EXPECT_TRUE(own_pending(journal, facts_of(7, "true")).empty()) << "killed before the write";
  EXPECT_THAT(own_pending(journal, facts_of(7, "false")), testing::SizeIs(1));
  for (auto& step : journal.run->steps) step.state = StepState::dropped;
  EXPECT_TRUE(own_pending(journal, facts_of(7, "false")).empty());
}

TEST(JournalRunOrder, AnUndoInTheHistoryIsOursToo) {
  Journal journal{.run = make_run("now"), .history = {make_run("old")}};
  journal.run->state = RunState::undone;
  journal.history[0].state = RunState::undoing;
  for (auto& step : journal.history[0].steps) step.state = StepState::undone;
  EXPECT_THAT(own_pending(journal, facts_of(7, "true")), testing::SizeIs(1));
  EXPECT_TRUE(own_pending(journal, facts_of(7, "false")).empty());
}

TEST(FindJournal, AnUnfinishedRunInAnyNamespaceWins) {
  ManualClock clock;
  FakeApi api{clock};
  ClusterFacts facts;
  for (const auto* place : {"b", "a", "c"}) facts.daemon_sets.push_back({.namespace_ = place});
  EXPECT_EQ(find_journal(api, facts)->namespace_, "a");
  const auto put = [&](const char* place, const Journal& journal) {
    api.cluster().put(kube::kConfigMaps,
                      {{"metadata", {{"name", kJournalName}, {"namespace", place}}},
                       {"data", journal_data(journal).value()}});
  };
  auto done = make_run("r1");
  done.state = RunState::finished;
  put("b", {.run = done});
  EXPECT_EQ(find_journal(api, facts)->namespace_, "a");
  put("c", {.run = make_run("r2")});
  EXPECT_EQ(find_journal(api, facts)->namespace_, "c");
  api.deny("get", "configmaps");
  EXPECT_EQ(find_journal(api, facts).error().kind, ErrorKind::not_permitted);
}

class Hold : public testing::Test {
 protected:
  static LockOptions as(const std::string& id) {
    return {.holder = {.id = id, .who = id + "@host"}};
  }
  Result<JournalHold> take(const Context& who, const std::string& id) {
    return JournalHold::acquire(who, "kube-system", "close", as(id), {});
  }
  Journal now() { return read_journal(api, "kube-system").value().value(); }

  ManualClock clock;
  FakeApi api{clock};
  FakeApi other_api{api.shared_cluster()};
  Context context{.api = api, .clock = clock};
  Context other{.api = other_api, .clock = clock};
};

TEST_F(Hold, IsTakenAndGivenBack) {
  auto hold = take(context, "a").value();
  EXPECT_EQ(now().lock->holder.id, "a");
  ASSERT_TRUE(hold.release().has_value());
  EXPECT_FALSE(now().lock.has_value());
  EXPECT_TRUE(take(other, "b").has_value());
}

TEST_F(Hold, ALiveHolderIsNamedAsSoonAsItRenews) {
  auto hold = take(context, "a").value();
  other_api.tick = [&] { ASSERT_TRUE(hold.keep().has_value()); };
  const auto begun = clock.steady();
  const auto denied = take(other, "b");
  ASSERT_FALSE(denied.has_value());
  EXPECT_EQ(denied.error().kind, ErrorKind::refused);
  EXPECT_THAT(denied.error().what, HasSubstr("close of a@host"));
  EXPECT_LE(clock.steady() - begun, seconds(12));
}

TEST_F(Hold, ADeadHoldersLockIsTakenOverAfterAMinute) {
  auto hold = take(context, "a").value();
  const auto begun = clock.steady();
  ASSERT_TRUE(take(other, "b").has_value());
  EXPECT_GE(clock.steady() - begun, seconds(59));
  EXPECT_EQ(now().lock->holder.id, "b");
  const auto lost = hold.save();
  ASSERT_FALSE(lost.has_value());
  EXPECT_EQ(lost.error().kind, ErrorKind::refused);
  EXPECT_THAT(lost.error().what, HasSubstr("b@host took it over"));
  EXPECT_EQ(now().lock->holder.id, "b");
}

TEST_F(Hold, AHolderKnownToBeGoneIsNotWaitedFor) {
  auto hold = take(context, "a").value();
  auto options = as("b");
  options.is_gone = [](const Holder& holder) { return holder.id == "a"; };
  const auto begun = clock.steady();
  EXPECT_TRUE(JournalHold::acquire(other, "kube-system", "undo", options, {}).has_value());
  EXPECT_EQ(clock.steady(), begun);
}

TEST_F(Hold, AnAncientClockOfTheHolderDoesNotMakeItStale) {
  // The holder's machine is an hour behind, and corrects by what the server says.
  api.skew = seconds(3600);
  clock.advance(-seconds(3600));
  auto hold = take(context, "a").value();
  clock.advance(seconds(3600));
  other_api.tick = [&] {
    clock.advance(-seconds(3600));
    ASSERT_TRUE(hold.keep().has_value());
    clock.advance(seconds(3600));
  };
  EXPECT_EQ(take(other, "b").error().kind, ErrorKind::refused);
}

TEST_F(Hold, AClockInTheFutureDoesNotLockForEver) {
  api.skew = seconds(7200);
  auto hold = take(context, "a").value();
  EXPECT_TRUE(take(other, "b").has_value());
}

TEST_F(Hold, OneOfTwoWins) {
  other_api.inject(
      {.verb = "create", .action = [&] { ASSERT_TRUE(take(context, "a").has_value()); }});
  EXPECT_TRUE(take(other, "b").has_value()) << "after a minute, since a does not renew";
  EXPECT_EQ(now().lock->holder.id, "b");
}

TEST_F(Hold, SurvivesForeignEditsOfItsMetadata) {
  auto hold = take(context, "a").value();
  api.cluster().edit(
      kMap, [](json::object& map) { map["metadata"].as_object()["labels"] = {{"x", "y"}}; });
  hold.journal().run = make_run("r1");
  ASSERT_TRUE(hold.save().has_value());
  EXPECT_EQ(now().run->id, "r1");
}

TEST_F(Hold, StopsWhenTheJournalIsDeleted) {
  auto hold = take(context, "a").value();
  api.cluster().erase(kMap);
  EXPECT_EQ(hold.save().error().kind, ErrorKind::refused);
}

TEST_F(Hold, ALostAnswerIsNoLoss) {
  api.inject({.verb = "create", .when = Fault::When::after, .error = kube::fake_timed_out()});
  auto hold = take(context, "a").value();
  api.inject({.verb = "patch", .when = Fault::When::after, .error = kube::fake_unreachable()});
  hold.journal().run = make_run("r1");
  ASSERT_TRUE(hold.save().has_value());
  EXPECT_EQ(now().run->id, "r1");
}

TEST_F(Hold, OutlivesAServerThatRestarts) {
  auto hold = take(context, "a").value();
  api.inject({.times = 20, .error = kube::fake_unreachable()});
  clock.advance(seconds(11));
  EXPECT_TRUE(hold.keep().has_value());
  EXPECT_TRUE(hold.save().has_value());
}

TEST_F(Hold, NothingIsWrittenOnALockThatCouldNotBeRenewed) {
  auto hold = take(context, "a").value();
  api.inject({.times = 0, .error = kube::fake_unreachable()});
  clock.advance(seconds(9));
  EXPECT_TRUE(hold.still_held().has_value()) << "not due yet";
  clock.advance(seconds(2));
  EXPECT_TRUE(hold.keep().has_value()) << "waiting may go on";
  EXPECT_FALSE(hold.still_held().has_value()) << "a write may not";
}

TEST_F(Hold, AGarbledAnswerIsAServerThatIsAwayAndNoEdit) {
  auto hold = take(context, "a").value();
  const Error garbled{.kind = ErrorKind::malformed_input, .what = "not JSON"};
  api.inject({.verb = "patch", .times = 3, .error = garbled});
  EXPECT_TRUE(hold.save().has_value());
  api.inject({.verb = "get", .times = 2, .error = garbled});
  for (const auto& error : {read_journal(api, "kube-system").error(), take(context, "a").error()}) {
    EXPECT_NE(error.kind, ErrorKind::refused);
    EXPECT_EQ(error.hint, "");
  }
}

TEST_F(Hold, TakingEndsAfterFiveAttempts) {
  api.inject({.verb = "create", .times = 0, .error = sim::conflict(kMap)});
  const auto denied = take(context, "a");
  ASSERT_FALSE(denied.has_value());
  EXPECT_EQ(denied.error().kind, ErrorKind::conflict);
  EXPECT_EQ(api.requests().size(), 10u) << "a get and a create each time";
  std::stop_source stop;
  stop.request_stop();
  const Context stopping{.api = api, .clock = clock, .stop = stop.get_token()};
  EXPECT_EQ(take(stopping, "a").error().kind, ErrorKind::interrupted);
}

TEST_F(Hold, ForbiddenNamesTheRight) {
  api.deny("create", "configmaps");
  const auto denied = take(context, "a");
  ASSERT_FALSE(denied.has_value());
  EXPECT_EQ(denied.error().kind, ErrorKind::not_permitted);
  EXPECT_THAT(denied.error().hint, HasSubstr("get, create, patch and delete on configmaps"));
}

TEST_F(Hold, AnEditedJournalIsRefusedWithTheWayOut) {
  api.cluster().put(kube::kConfigMaps,
                    json::parse(R"({"metadata":{"name":"catflap-journal","namespace":"kube-system"},
      "data":{"format":"catflap-journal/v1","run":"{\"id\":7}"}})")
                        .as_object());
  for (const auto& error : {take(context, "a").error(), read_journal(api, "kube-system").error()}) {
    EXPECT_EQ(error.kind, ErrorKind::refused);
    EXPECT_THAT(error.what, HasSubstr("run"));
    EXPECT_THAT(error.hint, HasSubstr("kubectl -n kube-system delete configmap catflap-journal"));
  }
}

std::vector<Reach> answers(int nodes) {
  std::vector<Reach> rows;
  for (int i = 0; i < nodes; ++i) {
    const auto node = fmt::format("ip-10-{}-{}.eu-central-1.compute.internal", i / 256, i % 256);
    for (const auto* vantage : {"direct", "apiserver"})
      rows.push_back({.vantage = vantage,
                      .node = node,
                      .endpoint = {IpAddress::v4({10, 0, static_cast<std::uint8_t>(i / 256),
                                                  static_cast<std::uint8_t>(i)}),
                                   9091},
                      .outcome = Outcome::open,
                      .identity = Identity::felix,
                      .felix_host = node,
                      .at = TimePoint{seconds{1'700'000'000}}});
  }
  return rows;
}

TEST_F(Hold, EvidenceOfFiveThousandNodesFits) {
  auto run = make_run("r1");
  const auto rows = answers(5000);
  run.evidence_parts = write_before_evidence(context, "kube-system", run.id, rows).value();
  EXPECT_EQ(run.evidence_parts, 2);
  EXPECT_EQ(read_before_evidence(api, "kube-system", run).value(), rows);
}

TEST_F(Hold, EvidenceOfAnotherRunOrEditedIsLeftOut) {
  auto run = make_run("r1");
  run.evidence_parts = write_before_evidence(context, "kube-system", "r1", answers(3)).value();
  api.cluster().edit({kube::kConfigMaps, "kube-system", "catflap-journal-1"},
                     [](json::object& map) {
                       auto& text = map["data"].at("answers").as_string();
                       text = std::string{text}.replace(0, 1, "{");
                     });
  EXPECT_EQ(read_before_evidence(api, "kube-system", run)->size(), 5u);
  run.id = "r2";
  EXPECT_TRUE(read_before_evidence(api, "kube-system", run)->empty());
  run.evidence_parts = 2'000'000'000;
  EXPECT_TRUE(read_before_evidence(api, "kube-system", run)->empty());
}

TEST(Evidence, KeepsFelixAnswersOnceAndNothingElse) {
  auto rows = answers(1);
  auto refused = rows[0];
  refused.identity = Identity::none;
  refused.felix_host = "";
  refused.endpoint.port = 9099;
  EXPECT_EQ(merge_before(rows, {refused, rows[0]}), rows);
}

}  // namespace
}  // namespace catflap::act
