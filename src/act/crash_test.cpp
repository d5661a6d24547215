// kill -9 at every write, before it and after it. Whoever comes next must end where an undisturbed
// run ends, with at most one change of the template.
#include "support/act_fixture.hpp"

namespace catflap::act {
namespace {

using kube::Fault;

struct Death {
  int at_write;
  Fault::When when;
};

class Crash : public TwoStepFixture, public testing::WithParamInterface<Death> {
 protected:
  /// Kills the process at this write. false: it never came to that write.
  template <class Run>
  bool killed(const Run& run) {
    api->die_at_write(GetParam().at_write, GetParam().when);
    run();
    const bool dead = api->dead();
    // The cluster goes on without us for a while.
    for (int i = 0; i < 20; ++i) clock.advance(Duration{50}), world->tick();
    start_process();
    return dead;
  }
};

TEST_P(Crash, CloseThenCloseIsClosed) {
  const auto generation_before = generation();
  (void)killed([&] { (void)close_now(); });
  const auto outcome = close_now();
  ASSERT_FALSE(outcome.error.has_value()) << to_string(*outcome.error);
  EXPECT_EQ(outcome.verdict->verdict, Verdict::closed);
  EXPECT_EQ(world->open_nodes(), 0);
  EXPECT_EQ(world->most_starts(), 1);
  EXPECT_EQ(generation(), generation_before + 1);
  const auto spec = cluster->find(test::kDefault)->at("spec");
  EXPECT_EQ(spec.at("prometheusMetricsEnabled"), false);
  // And whatever the two of them wrote can be undone by a third.
  start_process();
  EXPECT_EQ(undo_now().result, UndoOutcome::Result::undone);
  EXPECT_EQ(world->snapshot(), snapshot);
}

TEST_P(Crash, CloseThenUndoIsAsBefore) {
  const bool dead = killed([&] { (void)close_now(); });
  const auto outcome = undo_now();
  ASSERT_FALSE(outcome.error.has_value()) << to_string(*outcome.error);
  EXPECT_EQ(world->snapshot(), snapshot);
  EXPECT_EQ(world->open_nodes(), 3);
  EXPECT_LE(world->most_starts(), 2);
  if (!dead) {
    EXPECT_EQ(outcome.result, UndoOutcome::Result::undone);
  }
}

TEST_P(Crash, UndoThenUndoIsAsBefore) {
  ASSERT_EQ(close_now().verdict->verdict, Verdict::closed);
  start_process();
  const auto generation_before = generation();
  (void)killed([&] { (void)undo_now(); });
  const auto outcome = undo_now();
  ASSERT_FALSE(outcome.error.has_value()) << to_string(*outcome.error);
  EXPECT_EQ(world->snapshot(), snapshot);
  EXPECT_EQ(generation(), generation_before + 1);
  EXPECT_LE(world->most_starts(), 2);
}

TEST_P(Crash, UndoThenCloseIsClosed) {
  ASSERT_EQ(close_now().verdict->verdict, Verdict::closed);
  start_process();
  (void)killed([&] { (void)undo_now(); });
  const auto outcome = close_now();
  ASSERT_FALSE(outcome.error.has_value()) << to_string(*outcome.error);
  EXPECT_EQ(outcome.verdict->verdict, Verdict::closed);
  start_process();
  EXPECT_FALSE(undo_now().error.has_value());
  EXPECT_EQ(world->snapshot(), snapshot);
}

std::vector<Death> deaths() {
  std::vector<Death> all;
  for (int write = 1; write <= 14; ++write)
    for (const auto when : {Fault::When::before, Fault::When::after}) all.push_back({write, when});
  return all;
}

INSTANTIATE_TEST_SUITE_P(EveryWrite, Crash, testing::ValuesIn(deaths()), [](const auto& death) {
  return std::string{death.param.when == Fault::When::before ? "Before" : "After"} +
         std::to_string(death.param.at_write);
});

class CrashThenEdit : public TwoStepFixture {};

TEST_F(CrashThenEdit, NobodyCanSayIsRefusedOnceAndThenDecidedAnew) {
  // Killed while the patch was on its way, and then somebody edits the very field.
  api->inject({.verb = "patch", .plural = "daemonsets", .action = [&] {
                 api->die_at_write(1, Fault::When::after);
               }});
  (void)close_now();
  ASSERT_TRUE(api->dead());
  edit_env(R"([{"name":"FELIX_PROMETHEUSMETRICSENABLED","value":"1"}])");
  const auto before = world->snapshot();
  start_process();
  const auto refused = close_now();
  EXPECT_EQ(refused.error->kind, ErrorKind::refused);
  EXPECT_THAT(refused.error->what, testing::HasSubstr("found FELIX_PROMETHEUSMETRICSENABLED=1"));
  EXPECT_EQ(world->snapshot(), before);
  start_process();
  EXPECT_EQ(close_now().verdict->verdict, Verdict::closed);
}

TEST_F(CrashThenEdit, AnEditOfAnotherFieldDoesNotMatter) {
  api->inject({.verb = "patch", .plural = "daemonsets", .action = [&] {
                 api->die_at_write(1, Fault::When::after);
               }});
  (void)close_now();
  cluster->edit(test::kCalicoNode, [](json::object& set) {
    set["metadata"].as_object()["labels"] = {{"team", "net"}};
  });
  start_process();
  EXPECT_EQ(close_now().verdict->verdict, Verdict::closed);
}

class CrashCount : public TwoStepFixture {};

TEST_F(CrashCount, TheDeathsCoverEveryWrite) {
  ASSERT_FALSE(close_now().error.has_value());
  EXPECT_LT(api->writes().size(), 14u);
  EXPECT_GT(api->writes().size(), 5u);
  start_process();
  (void)undo_now();
  EXPECT_LT(api->writes().size(), 14u);
}

}  // namespace
}  // namespace catflap::act
