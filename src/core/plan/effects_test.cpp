#include "core/plan/effects.hpp"

#include <gtest/gtest.h>

#include "core/plan/by_hand.hpp"

namespace catflap {
namespace {

TEST(Effects, BatchIsMaxUnavailableRoundedUp) {
  struct Row {
    const char* max_unavailable;
    int pods;
    int batch;
  };
  constexpr Row kRows[] = {{"1", 100, 1},  {"3", 100, 3}, {"10%", 100, 10},     {"10%", 101, 11},
                           {"1%", 3, 1},   {"0", 3, 1},   {"0%", 3, 1},         {"100%", 3, 3},
                           {"200%", 3, 3}, {"50", 3, 3},  {"-1", 3, 1},         {"x", 3, 1},
                           {"", 3, 1},     {"1", 0, 1},   {"99999999999", 3, 1}};
  for (const Row& row : kRows) {
    EXPECT_EQ(batch_size(row.max_unavailable, row.pods), row.batch)
        << row.max_unavailable << " of " << row.pods;
  }
}

TEST(Effects, RolloutTakesSixSecondsABatch) {
  DaemonSetFacts daemon_set;
  daemon_set.max_unavailable = "10%";
  EXPECT_EQ(rollout_time(daemon_set, 25), std::chrono::seconds{54});
  EXPECT_EQ(rollout_time(daemon_set, 0), Duration{});
  daemon_set.on_delete = true;
  EXPECT_EQ(rollout_time(daemon_set, 25), Duration{});
}

TEST(ByHand, WordsAreQuotedWhereAShellNeedsIt) {
  EXPECT_EQ(shell_word("ds/calico-node"), "ds/calico-node");
  EXPECT_EQ(shell_word("A=false"), "A=false");
  EXPECT_EQ(shell_word(""), "''");
  EXPECT_EQ(shell_word("a b"), "'a b'");
  EXPECT_EQ(shell_word("$(reboot)"), "'$(reboot)'");
  EXPECT_EQ(shell_word("it's"), R"('it'\''s')");
}

TEST(ByHand, AnnotationKeyIsReadFromTheField) {
  EXPECT_EQ(annotation_key("metadata.annotations[a/b]"), "a/b");
  EXPECT_EQ(annotation_key("spec.prometheusMetricsEnabled"), "");
  EXPECT_EQ(annotation_key("metadata.annotations[a/b"), "");
}

}  // namespace
}  // namespace catflap
