// The tables against what is made from them: help, completion and dispatch cannot drift from the
// command surface.
#include "app/commands.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "app/completion.hpp"
#include "app/help.hpp"
#include "app/runtime_test.hpp"
#include "base/text.hpp"
#include "core/catalogue.hpp"
#include "look/look.hpp"
#include "support/golden.hpp"

namespace catflap::app {
namespace {

std::set<std::string> words_of(const Completions& found) {
  std::set<std::string> words;
  for (const auto& [word, description] : found.candidates) words.insert(word);
  return words;
}

TEST(Commands, HelpFitsAPageAndNamesEveryFlag) {
  for (const Command& command : commands()) {
    const std::string text = help(command, "catflap");
    const auto lines = std::count(text.begin(), text.end(), '\n');
    EXPECT_LE(lines, 50) << text;
    EXPECT_GE(command.examples.size(), 2U) << command.name;
    std::istringstream each(text);
    for (std::string line; std::getline(each, line);) EXPECT_LE(display_width(line), 100U) << line;
    for (const FlagRow& flag : flag_rows()) {
      const bool named = text.find(fmt::format("--{}", flag.name)) != std::string::npos;
      EXPECT_TRUE(named || !takes(command, flag)) << command.name << " --" << flag.name;
    }
  }
}

TEST(Commands, OverviewNamesEveryCommand) {
  for (const Command& command : commands()) {
    EXPECT_NE(overview("catflap").find(fmt::format("  {} ", command.name)), std::string::npos)
        << command.name;
    EXPECT_NE(command_table().find(fmt::format("`catflap {}`", command.name)), std::string::npos)
        << command.name;
  }
}

TEST(Commands, CompletionOffersEveryCommandAndExactlyItsFlags) {
  std::set<std::string> names;
  for (const Command& command : commands()) names.insert(command.name);
  EXPECT_EQ(words_of(complete({""})), names);
  for (const Command& command : commands()) {
    std::set<std::string> flags;
    for (const FlagRow& flag : flag_rows()) {
      if (takes(command, flag)) flags.insert(fmt::format("--{}", flag.name));
    }
    EXPECT_EQ(words_of(complete({command.name, "--"})), flags) << command.name;
  }
}

TEST(Commands, CompletionHasOneOutput) {
  test::World world;
  EXPECT_EQ(world.run({"completion", "bash", "-o", "json"}), 2);
}

TEST(Commands, CompletionOfValues) {
  EXPECT_EQ(words_of(complete({"diagnose", "-o", "j"})), (std::set<std::string>{"json"}));
  EXPECT_EQ(words_of(complete({"diagnose", "--output=y"})),
            (std::set<std::string>{"--output=yaml"}));
  EXPECT_EQ(words_of(complete({"probe", "--output="})),
            (std::set<std::string>{"--output=json", "--output=text"}));
  EXPECT_EQ(words_of(complete({"probe", "-o", ""})), (std::set<std::string>{"json", "text"}));
  EXPECT_EQ(words_of(complete({"diagnose", "--output", "=", "y"})),
            (std::set<std::string>{"yaml"}));
  EXPECT_EQ(words_of(complete({"completion", ""})), (std::set<std::string>{"bash", "zsh", "fish"}));
  EXPECT_EQ(words_of(complete({"--context", "diagnose", "ver"})),
            (std::set<std::string>{"verify", "version"}))
      << "the value of a flag is not the command";
  EXPECT_TRUE(complete({"diagnose", "--kubeconfig", ""}).files);
  EXPECT_FALSE(complete({"diagnose", "--context", ""}).files);
  EXPECT_EQ(words_of(complete({"explain", "CF0001"})).count("CF0001"), 1U);
  EXPECT_TRUE(words_of(complete({"diagnose", ""})).empty());
}

TEST(Commands, CompletionOffersTheVantagePointsThatExist) {
  const std::vector<std::string> names = look::vantage_names();
  EXPECT_EQ(words_of(complete({"diagnose", "--from", ""})),
            std::set<std::string>(names.begin(), names.end()));
}

TEST(Commands, CompletionAnswersKubectl) {
  test::World world;
  EXPECT_EQ(world.run({"__complete", "diagnose", "--output", "js"}), 0);
  EXPECT_EQ(world.out.str(), "json\t\n:4\n");
}

TEST(Commands, ScriptsAskTheBinary) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    test::World world;
    EXPECT_EQ(world.run({"completion", shell}), 0);
    EXPECT_NE(world.out.str().find("__complete"), std::string::npos) << shell;
  }
}

/// docs/commands.md: the table, which the README repeats, and every help page.
std::string commands_page() {
  std::string page =
      "# Commands\n\n<!-- made from src/app/commands.cpp: ./dev golden -->\n\n" + command_table();
  for (const Command& command : commands()) {
    page += fmt::format("\n## {}\n\n```\n{}```\n", command.name, help(command, "catflap"));
  }
  return page;
}

TEST(Commands, ThePageForReadersIsCurrent) {
  catflap::test::expect_golden("../../docs/commands.md", commands_page());
}

TEST(Commands, TheCatalogueNamesCommandsThatExist) {
  const std::regex mention{"catflap ([a-z]+)"};
  // After these "catflap" is who does something, and not what to type.
  const std::set<std::string> verbs{"asks", "cannot", "checks", "corrects", "did",  "does", "knows",
                                    "left", "looks",  "made",   "read",     "says", "where"};
  for (const CatalogueRow& row : catalogue()) {
    for (const std::string text : {row.title, row.explanation, row.remedy}) {
      for (std::sregex_iterator at{text.begin(), text.end(), mention}, end; at != end; ++at) {
        const std::string word = (*at)[1];
        EXPECT_TRUE(verbs.contains(word) || find_command(word) != nullptr)
            << row.code << " names catflap " << word;
      }
    }
  }
}

TEST(Commands, FlagsAreUnique) {
  std::set<std::string> names;
  std::set<char> letters;
  for (const FlagRow& flag : flag_rows()) {
    EXPECT_TRUE(names.insert(flag.name).second) << flag.name;
    EXPECT_TRUE(flag.letter == '\0' || letters.insert(flag.letter).second) << flag.letter;
  }
}

TEST(Commands, HelpInEveryForm) {
  for (const std::vector<std::string>& words : {std::vector<std::string>{"help", "plan"},
                                                {"plan", "--help"},
                                                {"plan", "-h"},
                                                {"--help", "plan"}}) {
    test::World world;
    EXPECT_EQ(world.run(words), 0);
    EXPECT_EQ(world.out.str(), help(*find_command("plan"), "catflap"));
  }
  for (const std::vector<std::string>& words : {std::vector<std::string>{}, {"help"}, {"--help"}}) {
    test::World world;
    EXPECT_EQ(world.run(words), 0);
    EXPECT_EQ(world.out.str(), overview("catflap"));
  }
  test::World world;
  EXPECT_EQ(world.run({"help", "plann"}), 2);
  EXPECT_NE(world.err.str().find("did you mean plan?"), std::string::npos);
}

TEST(Commands, ThePluginCallsItselfAsKubectlDoes) {
  EXPECT_EQ(program_name("/usr/local/bin/kubectl-catflap"), "kubectl catflap");
  EXPECT_EQ(program_name("./catflap"), "catflap");
  EXPECT_NE(help(*find_command("plan"), "kubectl catflap").find("kubectl catflap plan --in-place"),
            std::string::npos);
}

TEST(Commands, VersionAndExplain) {
  test::World world;
  EXPECT_EQ(world.run({"version"}), 0);
  EXPECT_EQ(world.out.str(), fmt::format("catflap {} (rules 1)\n", CATFLAP_VERSION));
  test::World explain;
  EXPECT_EQ(explain.run({"explain", "cf0001"}), 0);
  EXPECT_TRUE(explain.out.str().starts_with("CF0001 (critical)\n")) << explain.out.str();
  test::World list;
  EXPECT_EQ(list.run({"explain", "--list", "-o", "name"}), 0);
  EXPECT_NE(list.out.str().find("CF0001\n"), std::string::npos);
}

}  // namespace
}  // namespace catflap::app
