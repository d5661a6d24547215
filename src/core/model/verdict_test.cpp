#include "core/model/verdict.hpp"

#include <gtest/gtest.h>

#include "core/model/plan.hpp"

namespace catflap {
namespace {

TEST(VerdictNames, ReadBackAsThemselves) {
  for (const char* name : {"exposed", "armed", "protected", "local-only", "filtered", "not-felix",
                           "closed", "no-felix", "unknown"}) {
    const auto verdict = parse_verdict(name);
    ASSERT_TRUE(verdict.has_value()) << name;
    EXPECT_STREQ(to_string(*verdict), name);
  }
}

TEST(VerdictNames, RefuseEverythingElse) {
  for (const char* name : {"", "Closed", "local_only", "closed ", "protected_"}) {
    EXPECT_FALSE(parse_verdict(name).has_value()) << name;
  }
}

TEST(ModelNames, AreTheDocumentedWords) {
  EXPECT_STREQ(to_string(Basis::none), "");
  EXPECT_STREQ(to_string(Basis::before_after), "before-after");
  EXPECT_STREQ(to_string(Restart::in_place), "in-place");
  EXPECT_STREQ(to_string(Outcome::rejected), "rejected");
  EXPECT_STREQ(to_string(Identity::unidentified), "unidentified");
  EXPECT_STREQ(to_string(ClientCertAsk::demanded), "demanded");
  EXPECT_STREQ(to_string(ThrowawayResult::not_tried), "not-tried");
}

}  // namespace
}  // namespace catflap
