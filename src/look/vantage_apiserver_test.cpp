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
using Scheme = kube::ProxyCall::Scheme;

PodFacts felix_pod(const std::string& name, const std::string& node, const char* address) {
  PodFacts pod{.namespace_ = "kube-system", .name = name, .uid = "uid-" + name, .node = node};
  pod.felix_running = true;
  pod.pod_ip = IpAddress::parse(address);
  pod.declared.port.value = 9091;
  return pod;
}

kube::ProxyAnswer says(int status, std::string body) {
  return {.status = status, .body = std::move(body)};
}

kube::ProxyAnswer unreached(std::string words) {
  return {.unreached = std::move(words)};
}

class ApiServer : public testing::Test {
 protected:
  ApiServer() {
    facts.pods = {felix_pod("p1", "n1", "10.0.0.1"), felix_pod("p2", "n2", "10.0.0.2")};
    for (const auto* name : {"n1", "n2"}) facts.nodes.push_back({.name = name});
    api.on_proxy = [this](const kube::ProxyCall& call) -> Result<kube::ProxyAnswer> {
      const bool tls = call.scheme == Scheme::https;
      asked.push_back(
          fmt::format("{}:{}:{}{}", tls ? "https" : "http", call.pod, call.port, call.path));
      const auto found =
          answers.find(fmt::format("{}{}:{}", tls ? "https:" : "", call.pod, call.port));
      if (found != answers.end()) return found->second;
      if (call.port == 10250) return says(401, "Unauthorized");
      return unreached(fmt::format("dial tcp 10.0.0.{}:{}: connect: connection refused",
                                   call.pod.back(), call.port));
    };
  }

  Look look() {
    const LookContext context{.api = api, .clock = clock};
    auto result = look::look(context, facts, {.vantages = {"apiserver"}});
    EXPECT_TRUE(result.has_value());
    return result.has_value() ? std::move(result).value() : Look{};
  }

  static std::vector<std::string> lines(const Look& seen) {
    std::vector<std::string> all;
    for (const auto& row : seen.reached) {
      all.push_back(fmt::format("{} {} {} {}{}", row.node, row.endpoint.to_string(),
                                to_string(row.outcome), to_string(row.identity),
                                row.tls ? " tls" : ""));
    }
    return all;
  }

  ManualClock clock;
  kube::FakeApi api{clock};
  ClusterFacts facts;
  std::map<std::string, Result<kube::ProxyAnswer>> answers;
  std::vector<std::string> asked;
};

TEST_F(ApiServer, EachPodAndPortWithAControl) {
  answers.emplace("p1:9091", says(200, "felix_host{host=\"n1\"} 1\n"));
  const auto seen = look();
  EXPECT_THAT(asked, ElementsAre("https:p1:10250/healthz", "http:p1:9091/metrics",
                                 "https:p2:10250/healthz", "http:p2:9091/metrics"));
  EXPECT_THAT(lines(seen),
              ElementsAre("n1 10.0.0.1:9091 open felix", "n2 10.0.0.2:9091 refused none"));
  EXPECT_EQ(seen.reached[0].felix_host, "n1");
  EXPECT_EQ(seen.reached[0].excerpt, "felix_host{host=\"n1\"} 1\n");
  ASSERT_THAT(seen.controls, SizeIs(2));
  for (const auto& control : seen.controls) EXPECT_TRUE(control.passed());
  EXPECT_THAT(seen.skipped, IsEmpty());
}

TEST_F(ApiServer, TlsIsAskedWherePlainTextIsNotWanted) {
  answers.emplace("p1:9091",
                  unreached("read tcp 10.0.0.9:5->10.0.0.1:9091: read: connection reset by peer"));
  answers.emplace("https:p1:9091", says(200, "felix_host{host=\"n1\"} 1\n"));
  answers.emplace("p2:9091", says(400, "Client sent an HTTP request to an HTTPS server.\n"));
  answers.emplace("https:p2:9091", unreached("remote error: tls: certificate required"));
  const auto seen = look();
  EXPECT_THAT(lines(seen), ElementsAre("n1 10.0.0.1:9091 open felix tls",
                                       "n2 10.0.0.2:9091 open unidentified tls"));
  EXPECT_EQ(seen.reached[1].client_cert, ClientCertAsk::demanded);
  EXPECT_EQ(seen.reached[1].tls->alert, "certificate required");
}

TEST_F(ApiServer, WhatOthersMayHaveSaidIsNoAnswer) {
  answers.emplace("p1:9091", says(502, "<html>gateway</html>"));
  answers.emplace("p2:9091", says(200, "<html>log in</html>"));
  EXPECT_THAT(lines(look()),
              ElementsAre("n1 10.0.0.1:9091 error none", "n2 10.0.0.2:9091 open other"));
}

TEST_F(ApiServer, ACutBodyIsNotIdentified) {
  answers.emplace("p1:9091", kube::ProxyAnswer{.status = 200, .body = "# TYPE x\n", .cut = true});
  answers.emplace("p2:9091", kube::ProxyAnswer{.status = 200, .encoded = true, .body = "x"});
  EXPECT_THAT(lines(look()), ElementsAre("n1 10.0.0.1:9091 open unidentified",
                                         "n2 10.0.0.2:9091 open unidentified"));
}

TEST_F(ApiServer, SilenceAndErrorsAreWhatTheyAre) {
  answers.emplace("p1:9091", Error{.kind = ErrorKind::timed_out, .what = "no answer"});
  answers.emplace("p2:9091", Error{.kind = ErrorKind::not_found, .what = "pods \"p2\" not found"});
  EXPECT_THAT(lines(look()),
              ElementsAre("n1 10.0.0.1:9091 timeout none", "n2 10.0.0.2:9091 error none"));
}

TEST_F(ApiServer, ADeniedRightIsSaidOnce) {
  api.on_proxy = nullptr;
  const auto seen = look();
  EXPECT_THAT(seen.reached, IsEmpty());
  EXPECT_THAT(seen.controls, IsEmpty());
  ASSERT_THAT(seen.skipped, SizeIs(1));
  EXPECT_EQ(seen.skipped[0].code, "forbidden");
}

TEST_F(ApiServer, BlindWithoutAKubelet) {
  for (const auto* pod : {"https:p1:10250", "https:p2:10250"})
    answers.emplace(pod, unreached("No agent available"));
  answers.emplace("p1:9091", says(200, "felix_host{host=\"n1\"} 1\n"));
  const auto seen = look();
  EXPECT_THAT(lines(seen), ElementsAre("n1 10.0.0.1:9091 open felix"));
  ASSERT_THAT(seen.skipped, SizeIs(1));
  EXPECT_EQ(seen.skipped[0].code, "blind");
}

TEST_F(ApiServer, LoopbackAddressesAreNotAsked) {
  facts.pods = {felix_pod("p1", "n1", "127.1.0.1")};
  const auto seen = look();
  EXPECT_THAT(asked, IsEmpty());
  ASSERT_THAT(seen.skipped, SizeIs(1));
  EXPECT_EQ(seen.skipped[0].code, "loopback");
  EXPECT_THAT(seen.skipped[0].detail, HasSubstr("loopback"));
}

TEST_F(ApiServer, OfTwoPodsAtOneAddressTheLivingOneIsAsked) {
  facts.pods.insert(facts.pods.begin(), felix_pod("old", "n1", "10.0.0.1"));
  facts.pods.front().terminating = true;
  (void)look();
  EXPECT_THAT(asked, testing::Not(testing::Contains(HasSubstr(":old:"))));
  EXPECT_THAT(asked, SizeIs(4));
}

TEST_F(ApiServer, ItIsSaidBefore) {
  facts.pods[1].declared.port.value = 9200;
  EXPECT_THAT(footprint(facts, {.vantages = {"apiserver", "exec"}}),
              ElementsAre(HasSubstr("at 2 Felix pods (apiserver: 5 GET requests"),
                          HasSubstr("inside 2 Felix containers")));
  facts.pods.clear();
  EXPECT_THAT(footprint(facts, {.vantages = {"apiserver", "portforward", "exec"}}),
              testing::IsEmpty());
}

}  // namespace
}  // namespace catflap::look
