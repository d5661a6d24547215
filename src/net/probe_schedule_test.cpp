// Who is asked when: order, one connection to a node at a time, stopping, too few descriptors.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "net/probe.hpp"
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

ProbeOptions quick() {
  return {.connect_timeout = 1s, .total_timeout = 5s};
}

std::string word(const Reach& reach) {
  return fmt::format("{} {}", to_string(reach.outcome), to_string(reach.identity));
}

TEST(ProbeSchedule, AnswersInTheOrderOfItsTargets) {
  const ScriptedServer felix(plain_http(http(felix_metrics("x"))));
  const ClosedPort closed;
  std::vector<Target> targets;
  for (int i = 0; i < 40; ++i)
    targets.push_back({.endpoint = i % 3 == 0 ? felix.endpoint() : closed.endpoint,
                       .node = fmt::format("n{}", i % 7)});
  const auto records = probe(targets, quick(), RealClock());
  ASSERT_EQ(records.size(), targets.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    EXPECT_EQ(word(records[i]), i % 3 == 0 ? "open felix" : "refused none");
    EXPECT_EQ(records[i].node, targets[i].node);
  }
  EXPECT_TRUE(probe({}, quick(), RealClock()).empty());
}

ScriptedServer::Script slowly(ScriptedServer::Script script) {
  return [script = std::move(script)](int socket, int nth) {
    std::this_thread::sleep_for(20ms);
    script(socket, nth);
    testing::wait_for_hangup(socket);
  };
}

TEST(ProbeSchedule, NeverAsksANodeTwiceAtOnce) {
  Crowd crowd;
  const auto script = slowly(plain_http(http("x 1\n")));
  const ScriptedServer a(script, "127.0.0.1", &crowd);
  const ScriptedServer b(script, "127.0.0.2", &crowd);
  const ScriptedServer c(script, testing::has_ipv6() ? "::1" : "127.0.0.3", &crowd);
  std::vector<Target> targets;
  for (const ScriptedServer* server : {&a, &b, &c, &a, &b, &c})
    targets.push_back({.endpoint = server->endpoint(), .node = "n"});
  for (const Reach& reach : probe(targets, quick(), RealClock()))
    EXPECT_EQ(word(reach), "open other");
  EXPECT_EQ(crowd.most(), 1);
}

TEST(ProbeSchedule, AsksFewInTlsBeforeAPortHasAnsweredInPlainText) {
  const ScriptedServer felix(plain_http(http(felix_metrics("x"))));
  std::vector<Target> targets;
  for (int i = 0; i < 120; ++i)
    targets.push_back({.endpoint = felix.endpoint(), .node = fmt::format("n{}", i)});
  for (const Reach& reach : probe(targets, quick(), RealClock()))
    EXPECT_EQ(word(reach), "open felix");
  EXPECT_LE(felix.connections(), 120 + 16);
}

TEST(ProbeSchedule, AsksAnAddressWithoutANodeOnlyOnceAtATime) {
  Crowd crowd;
  const auto script = slowly(plain_http(http("x 1\n")));
  const ScriptedServer a(script, "127.0.0.1", &crowd);
  const ScriptedServer b(script, "127.0.0.1", &crowd);
  const std::vector<Target> targets{
      {.endpoint = a.endpoint()}, {.endpoint = b.endpoint()}, {.endpoint = a.endpoint()}};
  (void)probe(targets, quick(), RealClock());
  EXPECT_EQ(crowd.most(), 1);
}

TEST(ProbeSchedule, AsksManyNodesAtOnceUpToItsLimit) {
  Crowd crowd;
  std::mutex mutex;
  std::condition_variable all_here;
  // Hangs up only once four connections are there together: that ends in time only if they are
  // asked together.
  const ScriptedServer server(
      [&](int, int) {
        std::unique_lock lock(mutex);
        all_here.notify_all();
        all_here.wait_for(lock, 2s, [&] { return crowd.most() >= 4; });
      },
      "127.0.0.1", &crowd);
  std::vector<Target> targets;
  for (int i = 0; i < 8; ++i)
    targets.push_back({.endpoint = server.endpoint(), .node = fmt::format("n{}", i)});
  ProbeOptions options = quick();
  options.parallel = 4;
  const auto start = std::chrono::steady_clock::now();
  (void)probe(targets, options, RealClock());
  EXPECT_LT(std::chrono::steady_clock::now() - start, 2s);
  EXPECT_EQ(crowd.most(), 4);
}

TEST(ProbeSchedule, TheTimeOfAVisitHasAllItsTries) {
  const ScriptedServer silent([](int socket, int) { testing::wait_for_hangup(socket); });
  const std::vector<Target> targets{{.endpoint = silent.endpoint(), .node = "n"}};
  ProbeOptions options{.connect_timeout = 200ms, .total_timeout = 200ms};
  const auto once = probe(targets, options, RealClock()).at(0);
  EXPECT_EQ(silent.connections(), 1);
  EXPECT_GE(once.took, 200ms);
  EXPECT_LT(once.took, 600ms);
  options.retries = 2;
  const auto thrice = probe(targets, options, RealClock()).at(0);
  EXPECT_EQ(silent.connections(), 1 + 3);
  EXPECT_GE(thrice.took, 600ms);
}

TEST(ProbeSchedule, AStopRequestEndsItAtOnceAndLeavesNoVerdict) {
  const ScriptedServer silent([](int socket, int) { testing::wait_for_hangup(socket); });
  const ClosedPort closed;
  const std::vector<Target> targets{{.endpoint = closed.endpoint, .node = "done"},
                                    {.endpoint = silent.endpoint(), .node = "running"},
                                    {.endpoint = closed.endpoint, .node = "running"}};
  std::stop_source stop;
  ProbeOptions options{.connect_timeout = 20s, .total_timeout = 20s, .stop = stop.get_token()};
  std::thread later([&] {
    std::this_thread::sleep_for(100ms);
    stop.request_stop();
  });
  const auto start = std::chrono::steady_clock::now();
  const auto records = probe(targets, options, RealClock());
  later.join();
  EXPECT_LT(std::chrono::steady_clock::now() - start, 3s);
  EXPECT_EQ(word(records.at(0)), "refused none");
  for (const std::size_t i : {1u, 2u}) {
    EXPECT_EQ(word(records.at(i)), "error none");
    EXPECT_EQ(records.at(i).detail, "interrupted");
    EXPECT_EQ(records.at(i).node, "running");
    EXPECT_EQ(records.at(i).endpoint, targets[i].endpoint);
  }
  EXPECT_EQ(word(probe(targets, options, RealClock()).at(0)),
            "error none");  // stopped before it began
}

/// The soft limit of descriptors, for as long as it lives.
class DescriptorLimit {
 public:
  explicit DescriptorLimit(rlim_t soft) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit now{soft, before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &now);
  }
  ~DescriptorLimit() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  DescriptorLimit(const DescriptorLimit&) = delete;
  DescriptorLimit& operator=(const DescriptorLimit&) = delete;

 private:
  rlimit before_{};
};

TEST(ProbeSchedule, LivesWithFewDescriptors) {
  const ClosedPort closed;
  std::vector<Target> targets;
  for (int i = 0; i < 300; ++i)
    targets.push_back({.endpoint = closed.endpoint, .node = fmt::format("n{}", i)});
  const int next = ::dup(0);
  ::close(next);
  // Nothing is judged under the limit: UBSan's checks need a descriptor too.
  const auto probe_under = [&](int limit) {
    const DescriptorLimit lowered(static_cast<rlim_t>(limit));
    return probe(targets, quick(), RealClock());
  };
  for (const Reach& reach : probe_under(next + 8)) EXPECT_EQ(word(reach), "refused none");
  for (const Reach& reach : probe_under(next)) {
    EXPECT_EQ(word(reach), "error none");
    EXPECT_THAT(reach.detail, ::testing::HasSubstr("Too many open files"));
  }
}

}  // namespace
}  // namespace catflap::net
