#include "core/catalogue.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

namespace catflap {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const std::string kPage = std::string{CATFLAP_SOURCE_DIR} + "/docs/findings.md";

/// {names} are set as code, because Markdown viewers eat unknown braces and angle brackets.
std::string as_markdown(const std::string& text) {
  static const std::regex param{R"(\{([A-Za-z]+)\})"};
  return std::regex_replace(text, param, "`{$1}`");
}

void append_rows(std::string& page, bool (*wanted)(const CatalogueRow&)) {
  for (const CatalogueRow& row : catalogue()) {
    if (!wanted(row)) continue;
    page += fmt::format("### {}\n\n{} ({})\n\n{}\n\nWhat to do: {}\n\n", row.code,
                        as_markdown(row.title), to_string(row.severity),
                        as_markdown(row.explanation), as_markdown(row.remedy));
  }
}

bool is_finding(const CatalogueRow& row) {
  return std::string_view{row.code}.starts_with("CF");
}

std::string rendered_page() {
  std::string page =
      "# Findings, reasons and messages\n\n"
      "Made from the catalogue in src/core; do not edit by hand. `catflap explain CODE` prints one "
      "entry. "
      "Codes keep their meaning; scripts may rely on them.\n\n"
      "## Findings\n\n";
  append_rows(page, is_finding);
  page += "## Reasons of a verdict, steps and messages of a plan\n\n";
  append_rows(page, [](const CatalogueRow& row) { return !is_finding(row); });
  page.pop_back();
  return page;
}

std::string read_page() {
  std::ostringstream text;
  text << std::ifstream{kPage}.rdbuf();
  return text.str();
}

TEST(Catalogue, CodesAreSortedAndUnique) {
  const auto rows = catalogue();
  ASSERT_GT(rows.size(), 90u);
  for (std::size_t i = 1; i < rows.size(); ++i) {
    EXPECT_LT(std::string_view{rows[i - 1].code}, std::string_view{rows[i].code});
  }
}

TEST(Catalogue, CodesAreWellFormed) {
  const std::regex code{"CF[0-9]{4}|[a-z0-9]+(-[a-z0-9]+)*"};
  for (const CatalogueRow& row : catalogue())
    EXPECT_TRUE(std::regex_match(row.code, code)) << row.code;
}

TEST(Catalogue, EveryRowSaysWhatWhyAndWhatToDo) {
  for (const CatalogueRow& row : catalogue()) {
    for (const std::string text : {row.title, row.explanation, row.remedy}) {
      EXPECT_GT(text.size(), 5u) << row.code;
      EXPECT_THAT(text, Not(HasSubstr("  "))) << row.code;
      EXPECT_NE(text.back(), ' ') << row.code;
    }
    EXPECT_NE(std::string_view{row.title}.back(), '.') << row.code << ": a title is not a sentence";
  }
}

TEST(Catalogue, ParametersAreNames) {
  const std::regex name{"[a-z][A-Za-z]*"};
  for (const CatalogueRow& row : catalogue()) {
    for (const std::string text : {row.title, row.explanation, row.remedy}) {
      for (const auto& param : params_of(text))
        EXPECT_TRUE(std::regex_match(param, name)) << row.code;
      EXPECT_EQ(std::ranges::count(text, '{'), std::ranges::count(text, '}')) << row.code;
      EXPECT_EQ(std::ranges::count(text, '['), std::ranges::count(text, ']')) << row.code;
    }
  }
}

TEST(Catalogue, TitleTakesItsParameters) {
  EXPECT_EQ(message_text({"timeout", {{"endpoint", "10.0.0.1:9091"}}}),
            "10.0.0.1:9091 did not answer in time");
  EXPECT_EQ(message_text({"timeout", {}}), "? did not answer in time");
  EXPECT_EQ(message_text({"exec-timeout", {{"vantage", "exec"}, {"node", "n1"}}}),
            "the look inside did not answer in time");
  EXPECT_EQ(message_text({"no-such-code", {{"a", "1"}, {"b", "2"}}}), "no-such-code (a: 1, b: 2)");
}

TEST(Catalogue, OptionalPartsNeedTheirParameter) {
  EXPECT_EQ(message_text({"exec-failed", {}}), "the look inside failed");
  EXPECT_EQ(message_text({"exec-failed", {{"why", "no shell"}}}),
            "the look inside failed: no shell");
  EXPECT_EQ(message_text({"exec-failed", {{"why", "[a]{why}"}}}),
            "the look inside failed: [a]{why}");
}

TEST(Catalogue, ParameterValuesAreNotExpandedAgain) {
  EXPECT_EQ(message_text({"timeout", {{"endpoint", "{endpoint}"}}}),
            "{endpoint} did not answer in time");
}

TEST(Catalogue, RemedyTakesItsParameters) {
  EXPECT_EQ(remedy_text({"CF0030", {{"object", "x"}, {"change", "do it"}}}),
            "Change the file too: do it");
  EXPECT_EQ(remedy_text({"no-such-code", {}}), "");
}

TEST(Catalogue, ParamsOfFindsNamesOnly) {
  EXPECT_THAT(params_of("{b} and {a} and {b}"), ElementsAre("a", "b"));
  EXPECT_THAT(params_of("no {end"), ElementsAre());
}

TEST(Catalogue, FindIgnoresCase) {
  ASSERT_NE(find_row("cf0001"), nullptr);
  EXPECT_STREQ(find_row("cf0001")->code, "CF0001");
  EXPECT_EQ(find_row("CF9999"), nullptr);
}

std::string sources_but_the_catalogue() {
  std::ostringstream text;
  namespace fs = std::filesystem;
  for (const auto& entry :
       fs::recursive_directory_iterator{std::string{CATFLAP_SOURCE_DIR} + "/src"}) {
    const auto name = entry.path().filename().string();
    if (!name.ends_with(".cpp") || name.ends_with("_test.cpp") || name.starts_with("catalogue"))
      continue;
    text << std::ifstream{entry.path()}.rdbuf();
  }
  return text.str();
}

TEST(Catalogue, EveryRowIsReportedSomewhere) {
  const std::string sources = sources_but_the_catalogue();
  for (const CatalogueRow& row : catalogue()) {
    const bool reported = sources.find(fmt::format("\"{}\"", row.code)) != std::string::npos;
    EXPECT_TRUE(reported) << row.code;
  }
}

/// The first line of `a` that `b` has not in the same place.
std::string first_difference(const std::string& a, const std::string& b) {
  std::istringstream left{a};
  std::istringstream right{b};
  std::string line;
  std::string other;
  while (std::getline(left, line)) {
    if (!std::getline(right, other) || line != other) return line;
  }
  return "(shorter)";
}

TEST(Catalogue, ThePageListsExactlyTheRows) {
  const std::string page = rendered_page();
  if (std::getenv("CATFLAP_UPDATE_GOLDEN") != nullptr) std::ofstream{kPage} << page;
  const std::string written = read_page();
  EXPECT_TRUE(written == page)
      << "docs/findings.md is out of date, first at: " << first_difference(page, written)
      << "\nRun core_test --gtest_filter=Catalogue.* with CATFLAP_UPDATE_GOLDEN=1.";
}

}  // namespace
}  // namespace catflap
