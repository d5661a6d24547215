#include "kube/list_page.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace catflap::kube {
namespace {

namespace json = boost::json;

/// Items, then the envelope's answer or the error, on one line.
std::string split(std::string_view text, std::size_t piece = std::string_view::npos) {
  std::string out;
  ListPage page([&](json::object&& item) { out += json::serialize(item) + ";"; });
  for (std::size_t at = 0; at < text.size(); at += std::min(piece, text.size() - at)) {
    if (auto fed = page.feed(text.substr(at, piece)); !fed)
      return out + "ERROR " + fed.error().what;
  }
  auto end = page.finish();
  if (!end) return out + "ERROR " + end.error().what;
  return out + fmt::format("rv={} continue={}", end->resource_version, end->continue_token);
}

TEST(ListPage, Pages) {
  struct Row {
    const char* text;
    const char* want;
  };
  const std::vector<Row> rows{
      {R"({"kind":"PodList","metadata":{"resourceVersion":"7","continue":"c"},"items":[{"a":1},{"b":[{}]}]})",
       R"({"a":1};{"b":[{}]};rv=7 continue=c)"},
      {R"({"items":[],"metadata":{"resourceVersion":"7"}})", "rv=7 continue="},
      {R"({"items":null,"metadata":{}})", "rv= continue="},
      {R"({"items":[{"items":[{"x":"]}"}],"é":"\""}]} )",
       R"({"items":[{"x":"]}"}],"é":"\""};rv= continue=)"},
      {R"({"metadata":{"items":[{"no":1}],"resourceVersion":"1"},"items":[]})", "rv=1 continue="},
      // What must never look like an empty list:
      {"{}", "ERROR the answer is not a list: it has no items"},
      {R"({"kind":"Status","metadata":{"items":[]}})",
       "ERROR the answer is not a list: it has no items"},
      {R"({"items":{"a":1}})", "ERROR the answer is not a list: it has no items"},
      {R"({"items":"x"})", "ERROR the answer is not a list: it has no items"},
      {"[]", "ERROR the answer is not a list: it has no items"},
      {"", "ERROR the list ends in the middle"},
      {R"({"items":[{"a":1})", R"({"a":1};ERROR the list ends in the middle)"},
      {R"({"items":[{"a":1})"
       "\n<html>",
       R"({"a":1};ERROR the list is not JSON: syntax error)"},
      {R"({"items":[1]})", "ERROR an item of the list is not an object"},
      {R"({"items":[null]})", "ERROR an item of the list is not an object"},
      {R"({"items":[[]]})", "ERROR an item of the list is not an object"},
      {"<html>", "ERROR the list is not JSON: syntax error"},
      {R"({"items":[]} {})", "ERROR the list is not JSON: extra data"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(split(row.text), row.want) << row.text;
    EXPECT_EQ(split(row.text, 1), row.want) << "byte by byte: " << row.text;
    EXPECT_EQ(split(row.text, 3), row.want) << "in threes: " << row.text;
  }
}

TEST(ListPage, DeepNestingIsRefused) {
  std::string text = R"({"items":[{"a":)" + std::string(2000, '[');
  EXPECT_EQ(split(text), "ERROR the list is not JSON: too deep");
}

RC_GTEST_PROP(ListPageProperty, HostileBytesNeverCrash, (const std::string& bytes)) {
  split(bytes, 7);
  split(R"({"items":[{"a":)" + bytes, 5);
}

}  // namespace
}  // namespace catflap::kube
