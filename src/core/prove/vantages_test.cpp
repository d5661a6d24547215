// What prove makes of observations that somebody else tells: the API server, a forwarded port, a
// pod. The full table is in prove_test.cpp; here all rows are of one node.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "core/prove/prove.hpp"

namespace catflap {
namespace {

using std::chrono::seconds;

const TimePoint kNow{seconds{1'800'000'000}};
const IpAddress kNode = *IpAddress::parse("10.0.0.1");

struct Seen {
  const char* vantage;
  Outcome outcome;
  Identity identity = Identity::none;
};

class Vantages : public testing::Test {
 protected:
  Vantages() {
    facts.nodes = {{.name = "n1", .addresses = {{kNode, "InternalIP"}}, .ready = true}};
    facts.daemon_sets = {{.object = {{"spec", {{"template", {{"spec", json::object{}}}}}}}}};
    pod.node = "n1";
    pod.uid = "pod-1";
    pod.phase = "Running";
    pod.ready = pod.felix_running = true;
    pod.felix_started = kNow - seconds(1000);
    pod.declared.enabled = {.value = false, .raw = "false", .layer = Layer::env};
    pod.declared.port.value = 9091;
    pod.declared.host.value = "";
    pod.declared.tls.value = false;
  }

  void switch_on() {
    pod.declared.enabled.value = true;
    pod.declared.enabled.raw = "true";
  }

  static Reach reach(const Seen& seen, TimePoint at) {
    const auto address =
        std::string_view(seen.vantage) == "portforward" ? *IpAddress::parse("127.0.0.1") : kNode;
    Reach row{.vantage = seen.vantage,
              .node = "n1",
              .endpoint = {address, 9091},
              .outcome = seen.outcome,
              .identity = seen.identity,
              .at = at};
    if (seen.identity == Identity::felix) row.felix_host = "n1";
    return row;
  }

  /// The same in two looks, with every control passed.
  NodeVerdict verdict(const std::vector<Seen>& rows) {
    facts.pods = {pod};
    ProveInput input{.facts = &facts, .purpose = Purpose::verify, .now = kNow};
    for (const auto at : {kNow - seconds(60), kNow - seconds(30)}) {
      Look look{.started = at};
      for (const auto& row : rows) {
        look.reached.push_back(reach(row, at));
        look.controls.push_back(
            {.vantage = row.vantage, .address = kNode, .outcome = Outcome::open, .at = at});
      }
      if (inside) look.inside.push_back(inside_look(at));
      input.looks.push_back(std::move(look));
    }
    for (const auto& row : before) input.before.push_back(reach(row, kNow - seconds(500)));
    return prove(input).nodes.at(0);
  }

  InsideLook inside_look(TimePoint at) const {
    InsideLook look{
        .vantage = "exec", .node = "n1", .pod_uid = "pod-1", .at = at, .complete = true};
    look.felix = {{.pid = 42,
                   .started = kNow - seconds(1000),
                   .environment = {{"FELIX_PROMETHEUSMETRICSENABLED", pod.declared.enabled.raw}}}};
    if (listener) look.listeners = {{.endpoint = *HostPort::parse(*listener), .felix = true}};
    return look;
  }

  std::string line(const std::vector<Seen>& rows) {
    const auto node = verdict(rows);
    std::vector<std::string> codes;
    for (const auto& reason : node.reasons) codes.push_back(reason.code);
    const std::string basis = to_string(node.basis);
    return fmt::format("{}{}{} [{}]", to_string(node.verdict), basis.empty() ? "" : " ", basis,
                       fmt::join(codes, " "));
  }

  ClusterFacts facts;
  PodFacts pod;
  std::vector<Seen> before;
  bool inside = false;
  std::optional<std::string> listener;
};

constexpr Seen kDirectRefused{"direct", Outcome::refused};
constexpr Seen kApiRefused{"apiserver", Outcome::refused};
constexpr Seen kPodRefused{"pod/ns/debug", Outcome::refused};
constexpr Seen kApiReads{"apiserver", Outcome::open, Identity::felix};
constexpr Seen kForwardReads{"portforward", Outcome::open, Identity::felix};
constexpr Seen kForwardRefused{"portforward", Outcome::refused};

TEST_F(Vantages, ARefusalThatIsRetoldIsNoNetworkBasis) {
  EXPECT_EQ(line({kDirectRefused}), "closed network [refused-everywhere]");
  EXPECT_EQ(line({kApiRefused}), "unknown [refusal-retold]");
  EXPECT_EQ(line({kPodRefused}), "unknown [refusal-retold]");
  EXPECT_EQ(line({kDirectRefused, kApiRefused, kForwardRefused}),
            "closed network [refused-everywhere]");
  // Nor is somebody else's page: it may be that of a proxy in between.
  EXPECT_EQ(verdict({{"apiserver", Outcome::open, Identity::other}}).verdict, Verdict::unknown);
  inside = true;
  EXPECT_EQ(line({kApiRefused}), "closed inside [inside-clean]");
}

TEST_F(Vantages, WithABeforeItIsABasisUnlessAnOldPodMayRun) {
  before = {kApiReads};
  EXPECT_EQ(line({kApiRefused}), "closed before-after [refused-before-after]");
  pod.stale = true;
  EXPECT_EQ(line({kApiRefused}), "unknown [pod-stale refusal-retold]");
  pod.stale = false;
  EXPECT_EQ(line({kPodRefused}), "unknown [refusal-retold]");  // somebody else's before
}

TEST_F(Vantages, TheWorseOfTwoDecides) {
  EXPECT_EQ(line({kDirectRefused, kApiReads}), "exposed [anonymous-read]");
  EXPECT_EQ(line({kApiRefused, {"direct", Outcome::open, Identity::felix}}),
            "exposed [anonymous-read]");
  inside = true;
  EXPECT_EQ(line({kApiReads}), "exposed [anonymous-read]");
}

TEST_F(Vantages, ForwardedAndRefusedOutsideIsLocalOnly) {
  switch_on();
  EXPECT_EQ(line({kDirectRefused, kForwardReads}), "local-only [loopback-answered]");
  // Without a refusal that was seen, outsiders may read it as well.
  EXPECT_EQ(verdict({kApiRefused, kForwardReads}).verdict, Verdict::unknown);
  EXPECT_EQ(line({kForwardReads}), "exposed [declared-not-tested]");
  inside = true;
  listener = "127.0.0.1:9091";
  EXPECT_EQ(line({kDirectRefused, kForwardReads}), "local-only [loopback-only]");
}

TEST_F(Vantages, WhatIsReadOnTheNodesLoopbackIsNotClosed) {
  inside = true;
  EXPECT_EQ(line({kDirectRefused, kForwardReads}), "local-only [loopback-answered]")
      << "a look inside that saw no listener does not outweigh an answer";
  EXPECT_EQ(line({kDirectRefused, kForwardRefused}), "closed inside [inside-clean]");
  inside = false;
  EXPECT_EQ(line({kForwardRefused}), "unknown [untested-address]");
}

TEST_F(Vantages, ARetoldRefusalBeforeAListenerIsAFilter) {
  switch_on();
  inside = true;
  listener = "0.0.0.0:9091";
  EXPECT_EQ(line({kApiRefused, kForwardReads}), "filtered [outside-blocked]");
  EXPECT_EQ(line({{"direct", Outcome::timeout}, kApiRefused}), "filtered [outside-blocked]");
}

TEST_F(Vantages, ProtectedIsNotUndoneByWhoCannotShowACredential) {
  switch_on();
  inside = true;
  listener = "0.0.0.0:9091";
  facts.pods = {pod};
  auto guarded = reach({"direct", Outcome::open, Identity::unidentified}, kNow - seconds(30));
  guarded.client_cert = ClientCertAsk::demanded;
  guarded.throwaway = ThrowawayResult::refused;
  const auto retold = reach({"apiserver", Outcome::reset}, kNow - seconds(30));
  const auto read = reach(kApiReads, kNow - seconds(30));
  const auto judge = [&](const std::vector<Reach>& rows) {
    Look look{.started = kNow - seconds(30)};
    look.reached = rows;
    look.inside = {inside_look(kNow - seconds(30))};
    return prove({.facts = &facts, .looks = {look}, .now = kNow}).nodes.at(0).verdict;
  };
  EXPECT_EQ(judge({guarded, retold}), Verdict::protected_);
  EXPECT_EQ(judge({retold}), Verdict::unknown);
  EXPECT_EQ(judge({guarded, read}), Verdict::exposed);
}

}  // namespace
}  // namespace catflap
