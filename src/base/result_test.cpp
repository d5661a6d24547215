#include "base/result.hpp"

#include <gtest/gtest.h>

namespace catflap {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return Error{.kind = ErrorKind::usage, .what = "odd"};
  return n / 2;
}

Result<int> quarter(int n) {
  TRY_ASSIGN(const int h, half(n));
  return half(h);
}

TEST(Result, HandsErrorsUp) {
  EXPECT_EQ(quarter(8).value(), 2);
  const auto odd = quarter(6);
  ASSERT_FALSE(odd.has_value());
  EXPECT_EQ(odd.error().what, "odd");
}

TEST(Error, ReadsOutermostContextFirst) {
  const Error error =
      Error{.what = "denied", .subject = "secrets x"}.with_context("inner").with_context("outer");
  EXPECT_EQ(to_string(error), "outer: inner: secrets x: denied");
}

TEST(ResultDeathTest, ValueOfAnErrorIsABug) {
  EXPECT_DEATH((void)half(3).value(), "holds an error");
}

}  // namespace
}  // namespace catflap
