// The command probe, on real listeners of this machine's loopback.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cstdio>
#include <fstream>

#include "app/runtime_test.hpp"
#include "net/scripted_server.hpp"

namespace catflap::app {
namespace {

using net::testing::ClosedPort;
using net::testing::felix_metrics;
using net::testing::http;
using net::testing::plain_http;
using net::testing::ScriptedServer;
using ::testing::HasSubstr;

struct Probing : ::testing::Test {
  ScriptedServer felix{plain_http(http(felix_metrics("n1")))};
  ClosedPort closed;
  RealClock clock;
  test::World world;

  Probing() { world.clock = &clock; }

  /// The lines by their target.
  [[nodiscard]] std::map<std::string, boost::json::object> lines() const {
    std::map<std::string, boost::json::object> all;
    std::istringstream text(world.out.str());
    for (std::string line; std::getline(text, line);) {
      auto object = boost::json::parse(line).as_object();
      all[std::string(object.at("target").as_string())] = object;
    }
    return all;
  }
};

TEST_F(Probing, EachEndpointIsALineOfJson) {
  const std::string open = felix.endpoint().to_string(), shut = closed.endpoint.to_string();
  EXPECT_EQ(world.run({"probe", open, shut, "no-such-name.invalid"}), 0);
  const auto seen = lines();
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_EQ(seen.at(open).at("outcome").as_string(), "open");
  EXPECT_EQ(seen.at(open).at("identity").as_string(), "felix");
  EXPECT_EQ(seen.at(open).at("felixHost").as_string(), "n1");
  EXPECT_EQ(seen.at(open).at("httpStatus").as_int64(), 200);
  EXPECT_FALSE(seen.at(open).contains("id"));
  EXPECT_EQ(seen.at(shut).at("outcome").as_string(), "refused");
  EXPECT_EQ(seen.at(shut).at("identity").as_string(), "unknown");
  EXPECT_EQ(seen.at("no-such-name.invalid").at("outcome").as_string(), "error");
  EXPECT_TRUE(seen.at("no-such-name.invalid").at("address").is_null());
  EXPECT_THAT(world.err.str(), HasSubstr("3 endpoints in "));
  EXPECT_THAT(world.err.str(), HasSubstr("open 1 (felix 1), refused 1, error 1"));
}

TEST_F(Probing, StdinIsReadLineByLineAndIdsAreHandedThrough) {
  world.answers = {
      "# nodes", "",
      fmt::format(R"({{"target": "{}", "id": {{"row": 4}}}})", felix.endpoint().to_string())};
  EXPECT_EQ(world.run({"probe"}), 0);
  const auto seen = lines();
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen.begin()->second.at("id").at("row").as_int64(), 4);
}

TEST_F(Probing, CheckIsZeroOnlyIfEveryEndpointRefused) {
  const std::string open = felix.endpoint().to_string(), shut = closed.endpoint.to_string();
  EXPECT_EQ(world.run({"probe", "--check", shut}), 0);
  EXPECT_EQ(world.run({"probe", "--check", shut, open}), 1);
  EXPECT_EQ(world.run({"probe", "--check", shut, "no-such-name.invalid"}), 3);
  // An empty list proves nothing.
  EXPECT_EQ(world.run({"probe", "--check", "-f", "/dev/null"}), 3);
}

TEST_F(Probing, ATargetWithoutAPortIsAskedAtEachOfPorts) {
  const std::string ports = fmt::format("{},{}", felix.endpoint().port, closed.endpoint.port);
  EXPECT_EQ(world.run({"probe", "127.0.0.1", "--port", ports, "-o", "text"}), 0);
  EXPECT_THAT(world.out.str(), HasSubstr("open        felix of n1, HTTP 200"));
  EXPECT_THAT(world.out.str(), HasSubstr("refused     Connection refused"));
}

TEST_F(Probing, TimeoutBoundsAWholeTryAndNotTheConnectOnly) {
  const ScriptedServer silent([](int socket, int) { net::testing::wait_for_hangup(socket); });
  const std::string open = silent.endpoint().to_string();
  EXPECT_EQ(world.run({"probe", "--timeout", "300ms", open}), 0);
  const auto said = lines().at(open);
  EXPECT_EQ(said.at("outcome").as_string(), "open");
  EXPECT_GE(said.at("tookMs").as_int64(), 300);
  EXPECT_LT(said.at("tookMs").as_int64(), 3000);
}

TEST_F(Probing, NothingIsSentIfAnArgumentOrALineOfTheFileIsWrong) {
  const std::string path = ::testing::TempDir() + "catflap-probe-targets";
  std::ofstream(path) << felix.endpoint().to_string() << "\n\n10.0.0.1:99999\n";
  EXPECT_EQ(world.run({"probe", felix.endpoint().to_string(), "-f", path}), 2);
  EXPECT_THAT(world.err.str(), HasSubstr("line 3"));
  EXPECT_EQ(world.run({"probe", felix.endpoint().to_string(), "n1:x"}), 2);
  std::ofstream(path) << std::string(5000, 'a') << "\n";
  EXPECT_EQ(world.run({"probe", "-f", path}), 2);
  EXPECT_THAT(world.err.str(), HasSubstr("line 1 has more than 4096 bytes"));
  std::remove(path.c_str());
  EXPECT_EQ(world.run({"probe", "-f", path}), 2);
  EXPECT_EQ(felix.connections(), 0);
}

TEST_F(Probing, ANulIsPartOfItsLine) {
  const std::string path = ::testing::TempDir() + "catflap-probe-nul";
  std::ofstream(path) << "127.9.0.1" << '\0' << "garbage\n";
  EXPECT_EQ(world.run({"probe", "-f", path}), 2);
  EXPECT_THAT(world.err.str(), HasSubstr("line 1"));
  std::remove(path.c_str());
}

TEST_F(Probing, AFolderIsNoFileOfTargets) {
  EXPECT_EQ(world.run({"probe", "-f", ::testing::TempDir()}), 2);
  EXPECT_THAT(world.err.str(), HasSubstr("cannot be read: Is a directory"));
}

TEST_F(Probing, ASourceIsAnAddressOfThisMachineAndOfTheTargetsFamily) {
  EXPECT_EQ(world.run({"probe", "--source", "192.0.2.1", closed.endpoint.to_string()}), 2);
  EXPECT_THAT(world.err.str(), HasSubstr("cannot connect from 192.0.2.1"));
  EXPECT_EQ(world.out.str(), "");
  EXPECT_EQ(world.run({"probe", "--source", "127.0.0.1", closed.endpoint.to_string(), "::1"}), 0);
  EXPECT_EQ(lines().at(closed.endpoint.to_string()).at("outcome").as_string(), "refused");
  EXPECT_EQ(lines().at("::1").at("detail").as_string(),
            "cannot connect from 127.0.0.1, an IPv4 address, to an IPv6 address");
}

TEST_F(Probing, ANamesAddressesAreOneNode) {
  net::testing::Crowd crowd;
  const ScriptedServer one(plain_http(http("x 1\n")), "127.0.0.1", &crowd);
  world.answers = {one.endpoint().to_string(), fmt::format("localhost:{}", one.endpoint().port),
                   one.endpoint().to_string()};
  EXPECT_EQ(world.run({"probe"}), 0);
  EXPECT_EQ(crowd.most(), 1);
}

TEST_F(Probing, NobodyWhoTakesTheAnswersIsTheEnd) {
  world.out.setstate(std::ios::badbit);
  EXPECT_EQ(world.run({"probe", "127.0.0.0/8", "--port", fmt::to_string(closed.endpoint.port)}), 4);
  EXPECT_THAT(world.err.str(), HasSubstr("could not be written to stdout"));
}

TEST_F(Probing, AWrongLineOfStdinEndsTheRunAfterWhatCameBefore) {
  world.answers = {felix.endpoint().to_string(), "n1:x", "127.0.0.1:1"};
  EXPECT_EQ(world.run({"probe"}), 2);
  EXPECT_THAT(world.err.str(), HasSubstr("stdin, line 2"));
  EXPECT_EQ(lines().size(), 1u);  // the answer; an error is no line of it
  EXPECT_THAT(world.err.str(), HasSubstr("1 endpoint in "));
}

TEST_F(Probing, BadFlagsAreToldTogether) {
  world.terminal = true;
  EXPECT_EQ(world.run({"probe"}), 2);
  EXPECT_THAT(world.err.str(), HasSubstr("no targets"));
  EXPECT_EQ(world.run({"probe", "n1", "--port", "0", "--rate", "x", "--source", "here",
                       "--concurrency", "0", "--retries", "11", "-o", "yaml"}),
            2);
  for (const char* part : {"--port 0:", "--rate x:", "--source here: not an address",
                           "--concurrency 0:", "--retries 11:", "--output yaml:"})
    EXPECT_THAT(world.err.str(), HasSubstr(part));
}

}  // namespace
}  // namespace catflap::app
