// Expected values as Calico 3.30.1's libcalico-go/lib/selector gave them.
#include "core/resolve/selector.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace catflap {
namespace {

struct Row {
  const char* selector;
  const char* result;  // yes, no, bad
};

class SelectorMatches : public testing::TestWithParam<Row> {};

/// The labels of every row: zone=a, role="", in=x, a.b/c-d=long-value.
std::string evaluate(std::string_view selector) {
  const auto result = selector_matches(
      selector, {{"zone", "a"}, {"role", ""}, {"in", "x"}, {"a.b/c-d", "long-value"}});
  if (!result) return "bad";
  return *result ? "yes" : "no";
}

TEST_P(SelectorMatches, AsCalicoDoes) {
  EXPECT_EQ(evaluate(GetParam().selector), GetParam().result) << GetParam().selector;
}

INSTANTIATE_TEST_SUITE_P(
    Comparisons, SelectorMatches,
    testing::Values(
        Row{"zone == 'a'", "yes"}, Row{"zone == \"a\"", "yes"}, Row{"zone=='a'", "yes"},
        Row{"zone == 'b'", "no"}, Row{"gpu == 'a'", "no"}, Row{"zone != 'a'", "no"},
        Row{"zone != 'b'", "yes"}, Row{"gpu != 'a'", "yes"}, Row{"role == ''", "yes"},
        Row{"gpu == ''", "no"}, Row{"has(zone)", "yes"}, Row{"has( zone )", "yes"},
        Row{"has(gpu)", "no"}, Row{"has(role)", "yes"}, Row{"!has(gpu)", "yes"},
        Row{"! has(zone)", "no"}, Row{"!!has(zone)", "yes"}, Row{"!!!has(zone)", "no"},
        Row{"zone in {'a', 'b'}", "yes"}, Row{"zone in {'b'}", "no"}, Row{"zone in {}", "no"},
        Row{"zone in {'a',}", "yes"}, Row{"zone in{'a'}", "yes"}, Row{"gpu in {'a'}", "no"},
        Row{"zone not in {'a'}", "no"}, Row{"zone not in {'b'}", "yes"},
        Row{"zone notin {'b'}", "yes"}, Row{"zone not  in {'b'}", "yes"},
        Row{"gpu not in {'a'}", "yes"}, Row{"zone not in {}", "yes"},
        Row{"a.b/c-d contains 'g-v'", "yes"}, Row{"a.b/c-d contains ''", "yes"},
        Row{"a.b/c-d contains 'q'", "no"}, Row{"gpu contains ''", "no"},
        Row{"a.b/c-d starts with 'long'", "yes"}, Row{"a.b/c-d startswith 'long'", "yes"},
        Row{"a.b/c-d starts with 'value'", "no"}, Row{"a.b/c-d ends with 'value'", "yes"},
        Row{"a.b/c-d ends  with 'long'", "no"}, Row{"gpu starts with ''", "no"},
        Row{"in in {'x'}", "yes"}, Row{"in == 'x'", "yes"}, Row{"in not in {'x'}", "no"}));

INSTANTIATE_TEST_SUITE_P(
    Logic, SelectorMatches,
    testing::Values(Row{"", "yes"}, Row{"  \t", "yes"}, Row{"all()", "yes"}, Row{"all( )", "yes"},
                    Row{"global()", "yes"}, Row{"!all()", "no"},
                    Row{"zone == 'a' && has(role)", "yes"}, Row{"zone == 'a' && has(gpu)", "no"},
                    Row{"zone == 'b' || has(role)", "yes"}, Row{"zone == 'b' || has(gpu)", "no"},
                    Row{"has(gpu) || has(zone) && has(role)", "yes"},
                    Row{"(has(gpu) || has(zone)) && has(gpu)", "no"},
                    Row{"has(zone) || has(gpu) && has(gpu)", "yes"}, Row{"!(zone == 'a')", "no"},
                    Row{"!(zone == 'b' || has(gpu))", "yes"}, Row{"((zone == 'a'))", "yes"},
                    Row{"has(zone)&&has(role)||has(gpu)", "yes"},
                    Row{"!has(gpu)&&!has(tpu)", "yes"}));

INSTANTIATE_TEST_SUITE_P(
    Malformed, SelectorMatches,
    testing::Values(Row{"zone", "bad"}, Row{"zone =", "bad"}, Row{"zone = 'a'", "bad"},
                    Row{"zone == a", "bad"}, Row{"zone == 'a", "bad"}, Row{"zone == \"a'", "bad"},
                    Row{"'a' == zone", "bad"}, Row{"zone == 'a' has(role)", "bad"},
                    Row{"zone == 'a' &&", "bad"}, Row{"&& zone == 'a'", "bad"},
                    Row{"zone & 'a'", "bad"}, Row{"zone | 'a'", "bad"}, Row{"(zone == 'a'", "bad"},
                    Row{"zone == 'a')", "bad"}, Row{"()", "bad"}, Row{"!", "bad"},
                    Row{"has()", "bad"}, Row{"has(zone", "bad"}, Row{"has (zone)", "bad"},
                    Row{"has('zone')", "bad"}, Row{"all(zone)", "bad"}, Row{"all", "bad"},
                    Row{"zone in 'a'", "bad"}, Row{"zone in {'a'", "bad"},
                    Row{"zone in {a}", "bad"}, Row{"zone in {'a' 'b'}", "bad"},
                    Row{"zone in {,}", "bad"}, Row{"zone inside {'a'}", "bad"},
                    Row{"zone not {'a'}", "bad"}, Row{"zone contains", "bad"},
                    Row{"zone starts 'a'", "bad"}, Row{"zone starts withx 'a'", "bad"},
                    Row{"zone matches 'a'", "bad"}, Row{"zone == 'a' # comment", "bad"},
                    Row{"zone\n== 'a'", "bad"}, Row{"z*ne == 'a'", "bad"}));

TEST(SelectorMatches, BoundsWhatAHostileObjectCanCost) {
  EXPECT_EQ(evaluate(std::string(100, '(') + "all()" + std::string(100, ')')), "yes");
  EXPECT_EQ(evaluate(std::string(101, '(') + "all()" + std::string(101, ')')), "bad");
  EXPECT_EQ(evaluate(std::string(100'000, '(')), "bad");
  EXPECT_EQ(evaluate(std::string(100'000, '!') + "all()"), "yes");
  EXPECT_EQ(evaluate("has(" + std::string(513, 'a') + ")"), "bad");
}

RC_GTEST_PROP(SelectorProperty, NegationTurnsTheAnswerRound, ()) {
  static const std::vector<std::string> kParts = {"zone == 'a'", "has(gpu)", "role != ''",
                                                  "in in {'x'}", "!(all())", "gpu contains 'x'"};
  const auto pick = rc::gen::elementOf(kParts);
  const std::string joined =
      *pick + *rc::gen::elementOf(std::vector<std::string>{" && ", "||"}) + *pick;
  const std::string plain = evaluate(joined);
  RC_ASSERT(plain != "bad");
  RC_ASSERT(evaluate("!(" + joined + ")") == (plain == "yes" ? "no" : "yes"));
}

}  // namespace
}  // namespace catflap
