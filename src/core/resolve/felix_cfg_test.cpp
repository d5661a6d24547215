// Expected values as Calico 3.30.1's felix/config (go-ini v1.67.0) gave them.
#include "core/resolve/felix_cfg.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace catflap {
namespace {

/// "X=1|Y=2", or "refused".
std::string read(std::string_view text) {
  const auto parsed = parse_felix_cfg(text);
  if (!parsed) return "refused";
  std::string line;
  for (const auto& [key, value] : *parsed) {
    line += fmt::format("{}{}={}", line.empty() ? "" : "|", key, value);
  }
  return line;
}

struct Row {
  std::string_view text;
  std::string_view result;
};

class ParseFelixCfg : public testing::TestWithParam<Row> {};

TEST_P(ParseFelixCfg, AsFelixDoes) {
  EXPECT_EQ(read(GetParam().text), GetParam().result) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    Lines, ParseFelixCfg,
    testing::Values(
        Row{"", ""}, Row{"\n\n", ""},
        Row{"PrometheusMetricsEnabled = true\n", "PrometheusMetricsEnabled=true"},
        Row{"X=1", "X=1"}, Row{"X: 1\nY = a:b\n", "X=1|Y=a:b"}, Row{"X=1\r\nY=2\r\n", "X=1|Y=2"},
        Row{"  X  =  1  \n", "X=1"}, Row{"\vX=1\n", "X=1"}, Row{"X=\n", "X="}, Row{"X=   \n", "X="},
        Row{"X==1\n", "X==1"}, Row{"\xEF\xBB\xBFX=1\n", "X=1"}, Row{"\xFE\xFFX=1\n", "X=1"},
        Row{"\xC2\xA0X\xC2\xA0=\xC2\xA0"
            "1\xC2\xA0\n",
            "X=1"},
        Row{"X=1\nX=2\n", "X=2"}, Row{"X=1\nx=2\n", "X=1|x=2"},
        Row{"X=%(Y)s\nY=2\n", "X=%(Y)s|Y=2"}, Row{"- = 1\n- = 2\n", "#1=1|#2=2"},
        Row{"-=1\n[s]\n-=2\n", "#1=2"}, Row{"a b = 1\n", "a b=1"}, Row{"X\n", "refused"},
        Row{"=1\n", "refused"}, Row{" =1\n", "refused"}, Row{"X 1\n", "refused"}));

INSTANTIATE_TEST_SUITE_P(Comments, ParseFelixCfg,
                         testing::Values(Row{";X=1\n#X=2\n", ""}, Row{"  # X=1\n", ""},
                                         Row{"X=true # c\n", "X=true"}, Row{"X=true#c\n", "X=true"},
                                         Row{"X=true ; c\n", "X=true"}, Row{"X=#c\n", "X="},
                                         Row{"X=1 \\# 2\n", "X=1 \\"}, Row{"X='a # b'\n", "X='a"},
                                         Row{"X=`a # b`\n", "X=a # b"}));

INSTANTIATE_TEST_SUITE_P(
    Sections, ParseFelixCfg,
    testing::Values(Row{"[global]\nX=1\n", "X=1"}, Row{"[a]\nX=1\n[b]\nX=2\n[a]\nX=3\n", "X=2"},
                    Row{"X=1\n[a]\nX=2\n", "X=2"},
                    Row{"X=0\n[DEFAULT]\nX=1\n[z]\nX=4\n[DEFAULT]\nX=5\n", "X=4"},
                    Row{"[a.b]\nY=1\n[a]\nX=1\n", "X=1|Y=1"}, Row{"[a]b\nX=1\n", "X=1"},
                    Row{"[a]]\nX=1\n", "X=1"}, Row{"[a] # c ] \nX=1\n", "X=1"},
                    Row{"[]\nX=1\n", "refused"}, Row{"[a\nX=1\n", "refused"}));

INSTANTIATE_TEST_SUITE_P(
    Quotes, ParseFelixCfg,
    testing::Values(
        Row{"X=\"true\"\n", "X=true"}, Row{"X='true'\n", "X=true"}, Row{"X=`true`\n", "X=true"},
        Row{"X=\"\"\"true\"\"\"\n", "X=true"}, Row{"X=' a '\n", "X= a "}, Row{"X=''\n", "X="},
        Row{"X='\n", "X='"}, Row{"X=``\n", "X="}, Row{"X=\"a\" b\n", "X=\"a\" b"},
        Row{"X=\"a\"b\"\n", "X=\"a\"b\""}, Row{"X=`tr\nue`\nY=1\n", "X=tr\nue|Y=1"},
        Row{"X=\"\"\"tr\nue\"\"\"\n", "X=tr\nue"}, Row{"X=`a` `b`\n", "X=a` `b"},
        Row{"X=\"\"\"a\"\"\" # \"\"\" b\n", "X=a\"\"\" # "},
        Row{"X=`a\nb` c `d\nE=1\n", "E=1|X=a\nb` c "}, Row{"\"X\"=1\n", "X=1"},
        Row{"`X`=1\n", "X=1"}, Row{"\"X\"y=1\n", "X=1"}, Row{"\"X\"y z=1:2\n", "X=1:2"},
        Row{"\"X:=\"=2\n", "X:==2"}, Row{"\"\"\"X Y\"\"\"=1\n", "X Y=1"},
        Row{"\"\"\"ab\"\"\":=7\n", "ab==7"}, Row{"`X`q=`1`\n", "X=1"}, Row{"X=\"\"\"\n", "refused"},
        Row{"X=`\nY=1\n", "refused"}, Row{"X=\"\"\"a\nb\n", "refused"}, Row{"\"X=1\n", "refused"},
        Row{"\"X\"\n", "refused"}, Row{"``=1\n", "refused"}, Row{"\" \"=1\n", "refused"}));

INSTANTIATE_TEST_SUITE_P(
    Continuations, ParseFelixCfg,
    testing::Values(Row{"X=tr\\\nue\nZ=1", "X=true|Z=1"}, Row{"X=a\\ \nb\n", "X=ab"},
                    Row{"X=1\\\n", "X=1"}, Row{"X=\\\nY=2\n", "X=Y=2"},
                    Row{"X=a\\\n  b \\  \n c\n", "X=ab c"}, Row{"X=a\\\nb # c\n", "X=ab # c"},
                    Row{"X=a\\\n\"b\"\n", "X=a\"b\""}, Row{"X=tr\\\n\nue\n", "refused"}));

TEST(ParseFelixCfg, ReadsTheImagesOwnFile) {
  EXPECT_EQ(read("[global]\nMetadataAddr = None\nLogFilePath = None\n"),
            "LogFilePath=None|MetadataAddr=None");
}

RC_GTEST_PROP(FelixCfgProperty, AnyBytesEndInAnAnswer, (const std::string& text)) {
  const auto parsed = parse_felix_cfg(text);
  if (!parsed) RC_ASSERT(parsed.error().kind == ErrorKind::malformed_input);
}

RC_GTEST_PROP(FelixCfgProperty, SectionNamesChangeNothing, ()) {
  const auto keys = *rc::gen::container<std::vector<std::string>>(
      rc::gen::elementOf(std::vector<std::string>{"A", "B", "C", "D"}));
  std::string plain;
  std::string sectioned;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    plain += fmt::format("{}={}\n", keys[i], i);
    sectioned += fmt::format("[s{}]\n{}={}\n", i, keys[i], i);
  }
  RC_ASSERT(read(plain) == read(sectioned));
}

}  // namespace
}  // namespace catflap
