#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "look/look.hpp"
#include "support/fake_api.hpp"

namespace catflap::look {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kRefused =
    "error forwarding port 9091 to pod 7fce, uid : failed to execute portforward in network "
    "namespace \"host\": failed to connect to localhost:9091 inside namespace \"7fce\", IPv4: dial "
    "tcp4 127.0.0.1:9091: connect: connection refused";

PodFacts felix_pod(const std::string& name, const std::string& node) {
  PodFacts pod{.namespace_ = "kube-system", .name = name, .uid = "uid-" + name, .node = node};
  pod.felix_running = true;
  pod.declared.port.value = 9091;
  return pod;
}

class PortForward : public testing::Test {
 protected:
  PortForward() {
    facts.pods = {felix_pod("p1", "n1"), felix_pod("p2", "n2")};
    for (const auto* name : {"n1", "n2"}) facts.nodes.push_back({.name = name});
    api.on_forward = [this](const kube::ForwardCall& call) -> Result<kube::ForwardAnswer> {
      asked.push_back(fmt::format("{}{}:{}", call.tls ? "tls " : "", call.pod, call.port));
      const auto found = answers.find((call.tls ? "tls " : "") + call.pod);
      if (found == answers.end()) return kube::ForwardAnswer{.ended = true, .trouble = kRefused};
      return found->second;
    };
  }

  Look look() {
    const LookContext context{.api = api, .clock = clock};
    auto result = look::look(context, facts, {.vantages = {"portforward"}});
    EXPECT_TRUE(result.has_value());
    return result.has_value() ? std::move(result).value() : Look{};
  }

  static std::vector<std::string> lines(const Look& seen) {
    std::vector<std::string> all;
    for (const auto& row : seen.reached)
      all.push_back(fmt::format("{} {} {} {}{}", row.node, row.endpoint.to_string(),
                                to_string(row.outcome), to_string(row.identity),
                                row.tls ? " tls" : ""));
    return all;
  }

  ManualClock clock;
  kube::FakeApi api{clock};
  ClusterFacts facts;
  std::map<std::string, Result<kube::ForwardAnswer>> answers;
  std::vector<std::string> asked;
};

kube::ForwardAnswer says(const std::string& body, const std::string& status = "200 OK") {
  return {.received =
              fmt::format("HTTP/1.1 {}\r\nContent-Length: {}\r\n\r\n{}", status, body.size(), body),
          .ended = true};
}

TEST_F(PortForward, EachRunningPodAndPort) {
  answers.emplace("p1", says("felix_host{host=\"n1\"} 1\n"));
  const auto seen = look();
  EXPECT_THAT(asked, ElementsAre("p1:9091", "p2:9091"));
  EXPECT_THAT(lines(seen),
              ElementsAre("n1 127.0.0.1:9091 open felix", "n2 127.0.0.1:9091 refused none"));
  EXPECT_EQ(seen.reached[0].felix_host, "n1");
  EXPECT_THAT(seen.controls, IsEmpty());
}

TEST_F(PortForward, TlsWherePlainTextIsNotWanted) {
  answers.emplace("p1",
                  says("Client sent an HTTP request to an HTTPS server.\n", "400 Bad Request"));
  auto over_tls = says("felix_host{host=\"n1\"} 1\n");
  over_tls.tls = true;
  answers.emplace("tls p1", over_tls);
  answers.emplace("p2", kube::ForwardAnswer{.ended = true});
  answers.emplace("tls p2",
                  kube::ForwardAnswer{.tls_problem = "tlsv13 alert certificate required"});
  const auto seen = look();
  EXPECT_THAT(lines(seen), ElementsAre("n1 127.0.0.1:9091 open felix tls",
                                       "n2 127.0.0.1:9091 open unidentified tls"));
  EXPECT_EQ(seen.reached[1].client_cert, ClientCertAsk::demanded);
}

TEST_F(PortForward, WhatWentWrongIsNoAnswer) {
  answers.emplace("p1", Error{.kind = ErrorKind::timed_out, .what = "no answer"});
  answers.emplace("p2", kube::ForwardAnswer{.ended = true, .trouble = "sandbox not found"});
  EXPECT_THAT(lines(look()),
              ElementsAre("n1 127.0.0.1:9091 timeout none", "n2 127.0.0.1:9091 error none"));
}

TEST_F(PortForward, OnlyPodsThatRunOnTheNodesNetwork) {
  facts.pods[0].felix_running = false;
  facts.pods[1].host_network = false;
  EXPECT_THAT(lines(look()), IsEmpty());
  facts.pods[0].felix_running = true;
  facts.nodes[0].windows = true;
  EXPECT_THAT(lines(look()), IsEmpty());
  EXPECT_THAT(asked, IsEmpty());
}

TEST_F(PortForward, ADeniedRightIsSaidOnce) {
  api.on_forward = nullptr;
  const auto seen = look();
  EXPECT_THAT(seen.reached, IsEmpty());
  ASSERT_THAT(seen.skipped, SizeIs(1));
  EXPECT_EQ(seen.skipped[0].code, "forbidden");
}

TEST_F(PortForward, ItIsSaidBefore) {
  EXPECT_THAT(footprint(facts, {.vantages = {"portforward"}}),
              ElementsAre(HasSubstr("at the loopback of 2 Felix pods (portforward: 2 sessions")));
}

}  // namespace
}  // namespace catflap::look
