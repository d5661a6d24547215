#include "net/probe_stream.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <thread>

#include "net/scripted_server.hpp"

namespace catflap::net {
namespace {

using namespace std::chrono_literals;
using testing::ClosedPort;
using testing::Crowd;
using testing::felix_metrics;
using testing::http;
using testing::plain_http;
using testing::ScriptedServer;

const RealClock kClock;

ProbeOptions quick() {
  return {.connect_timeout = 1s, .total_timeout = 5s};
}

std::unique_ptr<ProbeStream> started(const ProbeOptions& options) {
  auto stream = ProbeStream::start(options, kClock);
  EXPECT_TRUE(stream.has_value());
  return std::move(stream).value();
}

TEST(ProbeStream, AnswersWhileTargetsAreStillComing) {
  const ScriptedServer felix(plain_http(http(felix_metrics("n1"))));
  const auto stream = started(quick());
  ASSERT_TRUE(stream->put({.endpoint = felix.endpoint()}, 7));
  const auto first = stream->take();  // nothing was closed: it need not wait for more
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->id, 7u);
  EXPECT_EQ(first->record.felix_host, "n1");
  ASSERT_TRUE(stream->put({.endpoint = felix.endpoint()}, 8));
  stream->close();
  EXPECT_EQ(stream->take()->id, 8u);
  EXPECT_FALSE(stream->take().has_value());
  EXPECT_FALSE(stream->failure().has_value());
}

TEST(ProbeStream, EveryTargetOfManyIsAnsweredOnce) {
  constexpr std::uint64_t kMany = 20'000;
  const ClosedPort closed;
  const auto stream = started(quick());
  std::thread feeder([&] {
    for (std::uint64_t i = 0; i < kMany; ++i)
      (void)stream->put({.endpoint = closed.endpoint, .node = fmt::format("n{}", i % 5'000)}, i);
    stream->close();
  });
  std::set<std::uint64_t> seen;
  while (const auto answer = stream->take()) {
    EXPECT_EQ(answer->record.outcome, Outcome::refused);
    EXPECT_TRUE(seen.insert(answer->id).second);
  }
  feeder.join();
  EXPECT_EQ(seen.size(), kMany);
}

TEST(ProbeStream, RecordsThatNobodyTakesHoldUpNewVisits) {
  const ScriptedServer server(plain_http(http("x 1\n")));
  ProbeOptions options = quick();
  options.parallel = 4;
  const auto stream = started(options);
  std::thread feeder([&] {
    std::uint64_t id = 0;
    while (stream->put({.endpoint = server.endpoint(), .node = fmt::format("n{}", id)}, id)) ++id;
  });
  std::this_thread::sleep_for(300ms);
  EXPECT_LE(server.connections(), 2 * (1024 + 4));  // TLS, then plain, of each
  int taken = 0;
  while (taken < 5000 && stream->take()) ++taken;
  EXPECT_EQ(taken, 5000);  // it went on
  stream->stop();
  feeder.join();
}

TEST(ProbeStream, AddressesOfOneNodeAreNeverAskedAtOnce) {
  Crowd apart, together;
  const auto ask_both = [](Crowd& crowd, const std::string& node) {
    const auto slowly = [](int socket, int nth) {
      std::this_thread::sleep_for(20ms);
      plain_http(http("x 1\n"))(socket, nth);
    };
    const ScriptedServer four(slowly, "127.0.0.1", &crowd);
    const ScriptedServer six(slowly, "::1", &crowd);
    const auto stream = started(quick());
    for (std::uint64_t i = 0; i < 20; ++i) {
      const auto& server = i % 2 == 0 ? four : six;
      (void)stream->put({.endpoint = server.endpoint(), .node = node}, i);
    }
    stream->close();
    int answers = 0;
    while (stream->take()) ++answers;
    EXPECT_EQ(answers, 20);
  };
  ask_both(together, node_of(*IpAddress::parse("127.0.0.1")));
  EXPECT_EQ(together.most(), 1);
  ask_both(apart, "");
  EXPECT_EQ(apart.most(), 2);
}

TEST(ProbeStream, AwaitsNoLongerThanAsked) {
  const ScriptedServer silent([](int socket, int) { testing::wait_for_hangup(socket); });
  const ClosedPort closed;
  const auto stream = started(quick());
  ASSERT_TRUE(stream->put({.endpoint = silent.endpoint(), .node = "silent"}, 1));
  EXPECT_FALSE(stream->await(30ms));
  ASSERT_TRUE(stream->put({.endpoint = closed.endpoint, .node = "closed"}, 2));
  EXPECT_TRUE(stream->await(2s));
  EXPECT_EQ(stream->take()->id, 2U);
  stream->stop();
  EXPECT_TRUE(stream->await(2s));  // that there is none
  EXPECT_FALSE(stream->take().has_value());
}

TEST(ProbeStream, AStopRequestEndsIt) {
  const ScriptedServer silent([](int socket, int) { testing::wait_for_hangup(socket); });
  std::stop_source stop;
  ProbeOptions options{.connect_timeout = 20s, .total_timeout = 20s, .stop = stop.get_token()};
  const auto stream = started(options);
  ASSERT_TRUE(stream->put({.endpoint = silent.endpoint()}, 1));
  std::thread later([&] {
    std::this_thread::sleep_for(50ms);
    stop.request_stop();
  });
  EXPECT_FALSE(stream->take().has_value());
  EXPECT_FALSE(stream->put({.endpoint = silent.endpoint()}, 2));
  later.join();
}

TEST(ProbeStream, AsksAgainOnlyWhereNoAnswerCame) {
  const ScriptedServer silent([](int socket, int) { testing::wait_for_hangup(socket); });
  const ScriptedServer late([](int socket, int nth) {
    if (nth == 0) return testing::wait_for_hangup(socket);
    plain_http(http(felix_metrics("n2")))(socket, nth);
  });
  const ClosedPort closed;
  ProbeOptions options{.connect_timeout = 200ms, .total_timeout = 200ms, .retries = 2};
  const auto stream = started(options);
  (void)stream->put({.endpoint = silent.endpoint(), .node = "silent"}, 1);
  (void)stream->put({.endpoint = late.endpoint(), .node = "late"}, 2);
  (void)stream->put({.endpoint = closed.endpoint, .node = "closed"}, 3);
  stream->close();
  std::map<std::uint64_t, Reach> seen;
  while (const auto answer = stream->take()) seen[answer->id] = answer->record;
  EXPECT_EQ(silent.connections(), 3);
  EXPECT_EQ(seen[1].identity, Identity::unidentified);
  EXPECT_EQ(seen[2].felix_host, "n2");
  EXPECT_EQ(seen[3].outcome, Outcome::refused);
}

TEST(ProbeStream, ThoseThatAreSilentHoldUpNobodyForLong) {
  const ScriptedServer silent([](int socket, int) { testing::wait_for_hangup(socket); });
  const ScriptedServer felix(plain_http(http(felix_metrics("n1"))));
  const auto stream = started(quick());
  for (std::uint64_t i = 0; i < 40; ++i)
    (void)stream->put({.endpoint = silent.endpoint(), .node = fmt::format("n{}", i)}, i);
  (void)stream->put({.endpoint = felix.endpoint()}, 40);
  stream->close();
  EXPECT_EQ(stream->take()->id, 40u);
}

TEST(ProbeStream, BeginsNoMoreThanItsRate) {
  const ClosedPort closed;
  ProbeOptions options = quick();
  options.rate = 100;
  const auto start = std::chrono::steady_clock::now();
  const auto stream = started(options);
  for (std::uint64_t i = 0; i < 31; ++i)
    (void)stream->put({.endpoint = closed.endpoint, .node = fmt::format("n{}", i)}, i);
  stream->close();
  while (stream->take()) {
  }
  // 30 gaps of 10 ms; an upper bound would judge this machine's load.
  EXPECT_GE(std::chrono::steady_clock::now() - start, 295ms);
}

TEST(ProbeStream, ConnectsFromTheAddressAskedFor) {
  const ScriptedServer server(plain_http(http("x 1\n")));
  std::vector<Reach> seen;
  for (const char* source : {"127.0.0.9", "192.0.2.1", "::1"}) {
    ProbeOptions options = quick();
    options.source = IpAddress::parse(source);
    seen.push_back(probe(std::vector<Target>{{.endpoint = server.endpoint()}}, options, kClock)[0]);
  }
  EXPECT_EQ(seen[0].outcome, Outcome::open);
  EXPECT_EQ(seen[1].outcome, Outcome::error);  // not ours
  EXPECT_THAT(seen[1].detail, ::testing::HasSubstr("cannot connect from 192.0.2.1"));
  EXPECT_EQ(seen[2].outcome, Outcome::error);  // another family
}

}  // namespace
}  // namespace catflap::net
