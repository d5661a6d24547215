// Options: every bad input has its message and exit code 2, and all problems are told at once.
#include "app/options.hpp"

#include <gtest/gtest.h>

#include "app/commands.hpp"
#include "app/runtime_test.hpp"

namespace catflap::app {
namespace {

struct Row {
  std::vector<std::string> arguments;
  std::string says;  // somewhere in stderr
};

class BadInput : public testing::TestWithParam<Row> {};

TEST_P(BadInput, IsToldWithExitCode2) {
  test::World world;
  EXPECT_EQ(world.run(GetParam().arguments), 2);
  EXPECT_NE(world.err.str().find(GetParam().says), std::string::npos) << world.err.str();
  EXPECT_EQ(world.out.str(), "");
}

INSTANTIATE_TEST_SUITE_P(
    Options, BadInput,
    testing::Values(
        Row{{"diagnoze"}, "no command diagnoze\n  next: did you mean diagnose?"},
        Row{{"frobnicate"}, "no command frobnicate\n  next: catflap help"},
        Row{{"diagnose", "--outptu", "json"},
            "unknown flag --outptu\n  next: did you mean --output?"},
        Row{{"diagnose", "--zzzzzzzz=1"}, "unknown flag --zzzzzzzz"},
        Row{{"diagnose", "-Z"}, "unknown flag -Z"},
        Row{{"diagnose", "--output"}, "--output needs a value"},
        Row{{"diagnose", "-o", "jsn"},
            "--output jsn: not one of text, wide, json, yaml, name\n  next: did you mean json?"},
        Row{{"diagnose", "extra"}, "diagnose does not take \"extra\""},
        Row{{"diagnose", "--yes"},
            "diagnose does not take --yes\n  next: it belongs to close, undo"},
        Row{{"version", "--context", "x"}, "version does not take --context"},
        Row{{"diagnose", "--from", "dirct"}, "--from dirct: not one of"},
        Row{{"diagnose", "--from="}, "--from needs a value"},
        Row{{"diagnose", "--accept", "exposed"}, "--accept: exposed cannot be accepted"},
        Row{{"diagnose", "--accept", "unknown"}, "--accept: unknown cannot be accepted"},
        Row{{"diagnose", "--accept", "armed"}, "--accept: armed cannot be accepted"},
        Row{{"diagnose", "--accept", "protcted"}, "did you mean protected?"},
        Row{{"diagnose", "--policy", "/no/such/file"}, "/no/such/file: cannot be read"},
        Row{{"verify", "--settle", "soon"}, "--settle soon: not a duration"},
        Row{{"verify", "--settle", "1s"}, "--settle 1s: too short"},
        Row{{"wait", "--timeout", "-5s"}, "--timeout"},
        Row{{"probe", "n1", "--timeout", "0s"}, "--timeout 0s: no time to connect"},
        Row{{"diagnose", "--request-timeout", "x"}, "--request-timeout x: not a duration"},
        Row{{"diagnose", "--context", ""}, "--context is empty"},
        Row{{"close", "--dry-run"}, "--dry-run needs a value"},
        Row{{"close", "--dry-run=both"}, "--dry-run both: not one of client, server"},
        Row{{"close", "--plan", "p.json", "--in-place"}, "--plan already says how"},
        Row{{"close", "--dry-run=client", "--evidence", "e.json"}, "--evidence with --dry-run"},
        Row{{"close", "--yes=maybe"}, "--yes maybe: not one of true, false"},
        Row{{"close"}, "there is no terminal to ask on"},
        Row{{"undo"}, "there is no terminal to ask on"}, Row{{"explain"}, "explain needs a code"},
        Row{{"explain", "CF99999"}, "no code CF99999"},
        Row{{"completion"}, "completion needs the name of a shell"},
        Row{{"completion", "tcsh"}, "no completion for tcsh"},
        Row{{"diagnose", "--color", "sometimes"}, "--color sometimes"}));

TEST(Options, AllProblemsAtOnce) {
  test::World world;
  EXPECT_EQ(world.run({"close", "--settle", "x", "--timeout", "y", "-o", "z", "--list"}), 2);
  EXPECT_NE(world.err.str().find("4 problems"), std::string::npos) << world.err.str();
}

TEST(Options, GoodInputIsNotRefused) {
  const Command* close = find_command("close");
  ASSERT_NE(close, nullptr);
  auto flags = parse_flags({"catflap",
                            "--context=lab",
                            "close",
                            "-n",
                            "kube-system",
                            "--from",
                            "direct,exec",
                            "--from",
                            "direct",
                            "--accept=protected,local-only",
                            "--settle",
                            "15s",
                            "--timeout",
                            "5m",
                            "-y",
                            "-ojson",
                            "--as",
                            "alice",
                            "--as-group",
                            "a",
                            "--as-group",
                            "b",
                            "--reason=-why-"});
  ASSERT_TRUE(flags) << to_string(flags.error());
  const Resolved resolved = resolve_options(*close, *flags, nullptr);
  EXPECT_TRUE(resolved.errors.empty()) << to_string(resolved.errors[0]);
  const Options& options = resolved.options;
  EXPECT_EQ(options.connect.context, "lab");
  EXPECT_EQ(options.connect.namespace_, "kube-system");
  EXPECT_EQ(options.from, (std::vector<std::string>{"direct", "exec"}));
  EXPECT_EQ(options.policy.accept,
            (std::vector<Verdict>{Verdict::protected_, Verdict::local_only}));
  EXPECT_EQ(options.settle, std::chrono::seconds{15});
  EXPECT_EQ(options.timeout, std::chrono::minutes{5});
  EXPECT_TRUE(options.yes);
  EXPECT_EQ(options.output, Output::json);
  EXPECT_EQ(options.connect.as_groups, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(options.reason, "-why-");
}

TEST(Options, ConnectionFlagsAreReadAsKubectlDoes) {
  auto flags = parse_flags({"catflap", "diagnose", "--as-group", "a,b", "--request-timeout", "5",
                            "--tls-server-name", "x", "--insecure-skip-tls-verify"});
  ASSERT_TRUE(flags) << to_string(flags.error());
  const Resolved resolved = resolve_options(*find_command("diagnose"), *flags, nullptr);
  EXPECT_TRUE(resolved.errors.empty()) << to_string(resolved.errors[0]);
  EXPECT_EQ(resolved.options.connect.as_groups, std::vector<std::string>{"a,b"});
  EXPECT_EQ(resolved.options.connect.request_timeout, std::chrono::seconds{5});
}

TEST(Options, AResultThatCannotBeWrittenIsAFailure) {
  test::World world;
  world.out.setstate(std::ios::badbit);
  EXPECT_EQ(world.run({"version"}), 4);
  EXPECT_NE(world.err.str().find("stdout"), std::string::npos) << world.err.str();
}

TEST(Options, AnErrorIsAlsoADocument) {
  test::World world;
  EXPECT_EQ(world.run({"diagnose", "-o", "json", "--accept", "exposed"}), 2);
  const auto document = boost::json::parse(world.out.str());
  EXPECT_EQ(document.at("kind"), "Error");
  EXPECT_EQ(document.at("error").at("kind"), "usage");
}

TEST(Options, WithoutKubeconfigNothingElseIsTried) {
  test::World world;
  EXPECT_EQ(world.run({"diagnose"}), 2);
  EXPECT_EQ(world.err.str(), "catflap: no kubeconfig\n  next: set KUBECONFIG\n");
}

TEST(Options, TheTokenIsNotPrinted) {
  test::World world;
  EXPECT_EQ(world.run({"diagnose", "--token", "s3cret-token", "--settle", "x"}), 2);
  EXPECT_EQ(world.err.str().find("s3cret-token"), std::string::npos) << world.err.str();
}

}  // namespace
}  // namespace catflap::app
