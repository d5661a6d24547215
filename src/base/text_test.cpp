#include "base/text.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <vector>

namespace catflap {
namespace {

using std::string_view_literals::operator""sv;

TEST(Text, CountsTerminalColumns) {
  const struct {
    std::string_view text;
    std::size_t columns;
  } rows[] = {
      {"", 0},
      {"abc", 3},
      {"暴露", 4},
      {"节点a", 5},
      {"e\u0301", 1},
      {"\u00e9", 1},
      {"…", 1},
      {"✓", 1},
      {"😀", 2},
      {"한글", 4},
      {"ｶ", 1},
      {"Ａ", 2},
      {"\xff\xfe", 2},
      {"\xe6\x9a", 2},
      {"\xc0\x80", 2},
      {"a\u200bb", 2},
      {"\u0e01\u0e31", 1},
      {"\u0378", 1},
      {"\xed\xa0\x80", 3},
      {"\xf5\x80\x80\x80", 4},
  };
  for (const auto& row : rows) EXPECT_EQ(display_width(row.text), row.columns) << row.text;
}

TEST(Text, PadsToColumnsAndNeverCuts) {
  EXPECT_EQ(pad_right("ab", 4), "ab  ");
  EXPECT_EQ(pad_right("暴露", 6), "暴露  ");
  EXPECT_EQ(pad_right("暴露", 3), "暴露");
}

TEST(Text, WrapsAtBlanksAndBetweenWideCharacters) {
  const struct {
    std::string_view text;
    std::size_t width;
    std::string_view indent;
    std::string_view expected;
  } rows[] = {
      {"", 10, "", ""},
      {"one two three", 7, "", "one two\nthree"},
      {"one two three", 8, "  ", "  one\n  two\n  three"},
      {"one  two", 20, "", "one  two"},
      {"one  two", 5, "", "one\ntwo"},
      {"a-very-long-word x", 5, "", "a-very-long-word\nx"},
      {"步骤等待完成", 6, "", "步骤等\n待完成"},
      {"步骤等。完成", 6, "", "步骤\n等。完\n成"},
      {"关闭port端口", 6, "", "关闭\nport端\n口"},
      {"first\nsecond line", 8, "> ", "> first\n> second\n> line"},
      {"one two ", 80, "", "one two"},
  };
  for (const auto& row : rows)
    EXPECT_EQ(wrap(row.text, row.width, row.indent), row.expected) << row.text;
}

RC_GTEST_PROP(Text, WrappedLinesFitUnlessOneWordIsWider,
              (const std::vector<std::uint8_t>& lengths)) {
  std::string text;
  for (const auto length : lengths) text += std::string(length % 12 + 1, 'x') + " ";
  const std::string wrapped = wrap(text, 10);
  std::size_t kept = 0;
  for (std::size_t at = 0; at <= wrapped.size();) {
    const auto end = std::min(wrapped.find('\n', at), wrapped.size());
    const std::string_view line = std::string_view(wrapped).substr(at, end - at);
    RC_ASSERT(display_width(line) <= 10 || line.find(' ') == std::string_view::npos);
    kept += static_cast<std::size_t>(std::count(line.begin(), line.end(), 'x'));
    at = end + 1;
  }
  RC_ASSERT(kept == static_cast<std::size_t>(std::count(text.begin(), text.end(), 'x')));
}

TEST(Text, PrintsHostileBytesSafely) {
  const struct {
    std::string_view bytes;
    std::string_view expected;
  } rows[] = {
      {"plain", "plain"},
      {"a\nb\r\t"sv, "a\\x0ab\\x0d\\x09"},
      {"\0"sv, "\\x00"},
      {"\x1b[31m", "\\x1b[31m"},
      {"\x7f", "\\x7f"},
      {"\xc2\x9b", "\\xc2\\x9b"},           // C1 CSI
      {"\xe2\x80\xae", "\\xe2\\x80\\xae"},  // right-to-left override
      {"暴露", "暴露"},
      {"\xff", "\\xff"},
      {"\xe6\x9a", "\\xe6\\x9a"},
      {"a\\b", "a\\b"},
  };
  for (const auto& row : rows) EXPECT_EQ(printable(row.bytes), row.expected);
  EXPECT_EQ(printable("abcdef", 3), "abc");
  EXPECT_EQ(printable(std::string(1000, 'x')).size(), 512u);
}

RC_GTEST_PROP(Text, PrintableHasNoControlBytes, (const std::vector<std::uint8_t>& raw)) {
  for (const char c : printable(std::string(raw.begin(), raw.end()))) {
    const auto byte = static_cast<unsigned char>(c);
    RC_ASSERT(byte >= 0x20 && byte != 0x7f);
  }
}

TEST(Text, SuggestsTheNearestWord) {
  const std::vector<std::string> commands{"diagnose", "close", "verify", "undo", "plan"};
  EXPECT_EQ(nearest("diagnos", commands), "diagnose");
  EXPECT_EQ(nearest("verfiy", commands), "verify");
  EXPECT_EQ(nearest("clsoe", commands), "");  // two edits of five letters
  EXPECT_EQ(nearest("closed", commands), "close");
  EXPECT_EQ(nearest("undo", commands), "undo");
  EXPECT_EQ(nearest("banana", commands), "");
  EXPECT_EQ(nearest("", commands), "");
  EXPECT_EQ(nearest("plan", {}), "");
}

TEST(Text, LowersAsciiOnly) {
  EXPECT_EQ(to_lower("FELIX_Prometheus Ä"), "felix_prometheus Ä");
  EXPECT_TRUE(equal_ignoring_case("Content-Length", "content-LENGTH"));
  EXPECT_FALSE(equal_ignoring_case("a", "ab"));
  EXPECT_FALSE(equal_ignoring_case("[", "{"));
}

}  // namespace
}  // namespace catflap
