// Every kind of server, asked by the engine that catflap asks with.
#include "sim/servers.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <thread>

#include "net/probe.hpp"
#include "sim/server_answers.hpp"
#include "sim/server_kinds.hpp"

namespace catflap::sim {
namespace {

using namespace std::chrono_literals;

const IpAddress kLoopback = IpAddress::v4({127, 91, 7, 1});

/// A server of that kind, served by a thread of its own.
class Served {
 public:
  explicit Served(std::string_view kind) : servers_(std::move(*Servers::create(io_))) {
    port = servers_->open(1, {.kind = std::string{kind}, .node = "n1", .addresses = {kLoopback}})
               .value_or(0);
    thread_ = std::jthread([this] { io_.run(); });
  }
  ~Served() {
    io_.stop();
    thread_.join();
  }
  Port port = 0;

 private:
  boost::asio::io_context io_;
  std::unique_ptr<Servers> servers_;
  std::jthread thread_;
};

Reach ask(Port port, Duration time = 5s) {
  const std::vector<net::Target> targets{{.endpoint = {kLoopback, port}, .node = "n1"}};
  return net::probe(targets, {.connect_timeout = 1s, .total_timeout = time}, RealClock()).at(0);
}

/// "open felix n1 http=200 tls cert=demanded throwaway=refused"
std::string seen(std::string_view kind, Duration time = 5s) {
  const Served served(kind);
  const auto reach = ask(served.port, time);
  auto text = fmt::format("{} {}", to_string(reach.outcome), to_string(reach.identity));
  if (!reach.felix_host.empty()) text += " " + reach.felix_host;
  if (reach.http_status != 0) text += fmt::format(" http={}", reach.http_status);
  if (reach.tls) text += " tls";
  if (reach.client_cert != ClientCertAsk::none)
    text += fmt::format(" cert={}", to_string(reach.client_cert));
  if (reach.throwaway != ThrowawayResult::not_tried)
    text += fmt::format(" throwaway={}", to_string(reach.throwaway));
  return text;
}

TEST(Servers, TheProbeTellsEachKind) {
  EXPECT_EQ(seen("felix"), "open felix n1 http=200");
  EXPECT_EQ(seen("felix-tls"), "open felix n1 http=200 tls");
  EXPECT_EQ(seen("felix-mtls"), "open unidentified tls cert=demanded throwaway=refused");
  EXPECT_EQ(seen("felix-any-cert"), "open felix n1 http=200 tls cert=demanded throwaway=accepted");
  EXPECT_EQ(seen("felix-verify-if-given"), "open felix n1 http=200 tls cert=requested");
  EXPECT_EQ(seen("felix-token"), "open unidentified http=401 tls throwaway=refused");
  EXPECT_EQ(seen("typha"), "open typha http=200");
  EXPECT_EQ(seen("pushgateway"), "open other http=200");
  EXPECT_EQ(seen("csi"), "open other http=200");
  EXPECT_EQ(seen("plain-404"), "open other http=404");
  EXPECT_EQ(seen("redirect-loop"), "open other http=302");
}

TEST(Servers, HostileOnesCostBoundedTimeAndAreNeverTakenForClosed) {
  const auto asked = RealClock().steady();
  for (const auto* kind :
       {"tls-garbage", "reset", "silent", "slow-drip", "endless-body", "huge-header"}) {
    const auto text = seen(kind, 2s);
    EXPECT_THAT(text, testing::AnyOf(testing::StartsWith("open unidentified"),
                                     testing::StartsWith("reset")))
        << kind;
  }
  EXPECT_LT(RealClock().steady() - asked, 30s);
}

TEST(Servers, EveryKindIsPlayed) {
  for (const auto kind : kServerKinds) {
    const Served served(kind);
    EXPECT_NE(served.port, 0) << kind;
  }
}

TEST(Servers, ATakenPortIsNotOpenedAndAClosedOneRefuses) {
  boost::asio::io_context io;
  auto servers = std::move(*Servers::create(io));
  const ServerSpec spec{.kind = "felix", .node = "n1", .addresses = {kLoopback}};
  const auto port = servers->open(1, spec);
  ASSERT_TRUE(port);
  auto same = spec;
  same.port = *port;
  EXPECT_FALSE(servers->open(2, same));
  servers->close(1);
  EXPECT_EQ(ask(*port).outcome, Outcome::refused);
  EXPECT_TRUE(servers->open(3, same));
  same.addresses = {*IpAddress::parse("192.0.2.1")};
  EXPECT_FALSE(servers->open(4, same)) << "not an address of this machine";
  EXPECT_FALSE(can_bind(same.addresses.front()));
  EXPECT_TRUE(can_bind(kLoopback));
}

TEST(Servers, TheMetricsLookLikeFelixs) {
  const auto body = felix_metrics("node-7");
  EXPECT_EQ(body.find("felix_host{host=\"node-7\"} 1\n"), 5512u);
  std::size_t lines = 0;
  for (std::size_t at = 0; (at = body.find("\nfelix_", at)) != std::string::npos; ++at) ++lines;
  EXPECT_GT(lines, 150u);
  EXPECT_LT(body.find("go_goroutines"), body.find("felix_"));
}

}  // namespace
}  // namespace catflap::sim
