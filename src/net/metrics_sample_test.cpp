#include "net/metrics_sample.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace catflap::net {
namespace {

/// "x a=1 b=2 : 3 @"
std::string dump(std::string_view line) {
  const auto sample = parse_sample(line);
  if (!sample) return "none";
  std::string text = sample->name;
  for (const auto& label : sample->labels) text += fmt::format(" {}={}", label.name, label.value);
  return fmt::format("{} : {}{}", text, sample->value, sample->has_time ? " @" : "");
}

TEST(MetricsSample, Table) {
  const struct {
    std::string_view line;
    std::string_view wanted;
  } rows[] = {
      {"x 1", "x : 1"},
      {" x\t-2.5e3 \t", "x : -2500"},
      {"x +Inf", "x : inf"},
      {"x NaN 1700", "x : nan @"},
      {"x 1 -5 ", "x : 1 @"},
      {"x{} 1", "x : 1"},
      {R"(x{a="1",b="2"} 3 4)", "x a=1 b=2 : 3 @"},
      {R"(x { a = "1" , } 3)", "x a=1 : 3"},
      {R"(x{a="1",a="2"}3)", "x a=1 a=2 : 3"},
      {R"(x{a="\"\\"} 1)", R"(x a="\ : 1)"},
      {R"({"x y",a="1"} 1)", "x y a=1 : 1"},
      {R"({a="1","x"} 1)", "x a=1 : 1"},
      {R"(x{"a b"="1"} 1)", "x a b=1 : 1"},
      {"a:b_c9 1", "a:b_c9 : 1"},
      {"", "none"},
      {"# x 1", "none"},
      {"9x 1", "none"},
      {"x", "none"},
      {"x ", "none"},
      {"x one", "none"},
      {"x 1 2 3", "none"},
      {"x 1 y", "none"},
      {"x 1\r", "none"},
      {"x{ 1", "none"},
      {"x{a} 1", "none"},
      {"x{a=1} 1", "none"},
      {R"(x{a="1)", "none"},
      {R"(x{a="1\)", "none"},
      {R"(x{a="1" b="2"} 1)", "none"},
      {R"(x{,} 1)", "none"},
      {R"(x{"y"} 1)", "none"},
      {R"({a="1"} 1)", "none"},
      {R"({"x","y"} 1)", "none"},
      {R"({"x":1})", "none"},
      {"\xef\xbb\xbfx 1", "none"},
  };
  for (const auto& row : rows) EXPECT_EQ(dump(row.line), row.wanted) << row.line;
}

}  // namespace
}  // namespace catflap::net
