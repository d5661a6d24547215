#include "look/look.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/inside_output.hpp"
#include "support/look_cluster.hpp"

namespace catflap::look {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

IpAddress ip(const char* text) {
  return *IpAddress::parse(text);
}

PodFacts running_pod(const std::string& name, const std::string& node, int port = 9091) {
  PodFacts pod{.namespace_ = "kube-system", .name = name, .uid = "uid-" + name, .node = node};
  pod.felix_container = "calico-node";
  pod.felix_running = true;
  pod.declared.port.value = port;
  return pod;
}

/// n1 has two addresses and a Felix pod, n2 one address and none.
ClusterFacts two_nodes() {
  ClusterFacts facts;
  facts.nodes.push_back(
      {.name = "n1", .addresses = {{ip("10.0.0.1"), "InternalIP"}, {ip("fd00::1"), "InternalIP"}}});
  facts.nodes.push_back({.name = "n2", .addresses = {{ip("10.0.0.2"), "InternalIP"}}});
  facts.pods.push_back(running_pod("p1", "n1"));
  return facts;
}

struct Rig {
  ManualClock clock;
  kube::FakeApi api{clock};
  std::stop_source stop;
  std::map<std::string, Outcome> outcomes;  // by endpoint; else refused
  std::vector<net::Target> asked;
  std::vector<std::string> progress;

  LookContext context() {
    return {.api = api,
            .clock = clock,
            .probe = [this](std::span<const net::Target> targets,
                            const net::ProbeOptions&) { return answer(targets); },
            .stop = stop.get_token(),
            .progress =
                [this](const std::string& vantage, std::size_t done, std::size_t total) {
                  progress.push_back(fmt::format("{} {}/{}", vantage, done, total));
                }};
  }

  std::vector<Reach> answer(std::span<const net::Target> targets) {
    std::vector<Reach> records;
    for (const auto& target : targets) {
      asked.push_back(target);
      const auto known = outcomes.find(target.endpoint.to_string());
      records.push_back({.node = target.node,
                         .endpoint = target.endpoint,
                         .outcome = known != outcomes.end() ? known->second : Outcome::refused,
                         .at = clock.now()});
    }
    return records;
  }

  Look look(const ClusterFacts& facts, std::vector<std::string> vantages) {
    auto result = look::look(context(), facts, {.vantages = std::move(vantages)});
    EXPECT_TRUE(result.has_value());
    return result.has_value() ? std::move(result).value() : Look{};
  }
};

std::string line(const Reach& reach) {
  return fmt::format("{} {} {} {}", reach.vantage, reach.node, reach.endpoint.to_string(),
                     to_string(reach.outcome));
}

std::vector<std::string> lines(const std::vector<Reach>& all) {
  std::vector<std::string> result;
  for (const auto& one : all) result.push_back(line(one));
  return result;
}

TEST(PortsOf, DeclaredOnesAnd9091) {
  auto facts = two_nodes();
  facts.pods.push_back(running_pod("p2", "n1", 9200));
  facts.pods.push_back(running_pod("random", "n1", 0));
  facts.pods.push_back(running_pod("elsewhere", "n2", 9300));
  facts.pods.push_back(running_pod("unknown", "n1"));
  facts.pods.back().declared.port.value.reset();
  EXPECT_THAT(ports_of(facts, "n1"), ElementsAre(9091, 9200));
  EXPECT_THAT(ports_of(facts, "n2"), ElementsAre(9091, 9300));
  facts.daemon_sets.emplace_back().template_declared.port.value = 9080;
  EXPECT_THAT(ports_of(facts, "no-such-node"), ElementsAre(9080, 9091));
}

TEST(Look, UnknownVantageIsAUsageError) {
  Rig rig;
  const auto result = look(rig.context(), two_nodes(), {.vantages = {"direct", "exe"}});
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::usage);
  EXPECT_THAT(result.error().what, HasSubstr("\"exe\""));
  EXPECT_THAT(result.error().hint, HasSubstr("did you mean exec"));
  EXPECT_THAT(rig.asked, IsEmpty());
}

TEST(Look, OnlyTheVantagesAskedFor) {
  Rig rig;
  rig.outcomes["10.0.0.1:10250"] = Outcome::open;
  EXPECT_THAT(rig.look(two_nodes(), {"direct", "direct"}).inside, IsEmpty());
  EXPECT_THAT(rig.api.requests(), IsEmpty());
  EXPECT_THAT(rig.asked, SizeIs(6));
  rig.asked.clear();
  rig.look(two_nodes(), {"exec"});
  EXPECT_THAT(rig.asked, IsEmpty());
}

TEST(Look, StoppedIsInterrupted) {
  Rig rig;
  rig.stop.request_stop();
  const auto result = look(rig.context(), two_nodes(), {});
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::interrupted);
  EXPECT_THAT(rig.api.requests(), IsEmpty());
}

// direct

TEST(Direct, EveryAddressAndPortWithAControlEach) {
  Rig rig;
  rig.outcomes["10.0.0.1:10250"] = Outcome::open;
  rig.outcomes["10.0.0.1:9091"] = Outcome::open;
  rig.outcomes["[fd00::1]:9091"] = Outcome::timeout;
  const auto seen = rig.look(two_nodes(), {"direct"});
  EXPECT_THAT(lines(seen.reached),
              ElementsAre("direct n1 10.0.0.1:9091 open", "direct n1 [fd00::1]:9091 timeout",
                          "direct n2 10.0.0.2:9091 refused"));
  ASSERT_THAT(seen.controls, SizeIs(3));
  for (const auto& control : seen.controls) {
    EXPECT_EQ(control.vantage, "direct");
    EXPECT_EQ(control.port, 10250);
    EXPECT_EQ(control.passed(), control.address == ip("10.0.0.1"));
  }
  EXPECT_THAT(seen.skipped, IsEmpty());
  EXPECT_EQ(rig.progress.back(), "direct 6/6");
}

TEST(Direct, BlindKeepsOnlyWhatAnswered) {
  Rig rig;
  rig.outcomes["10.0.0.1:9091"] = Outcome::open;
  rig.outcomes["10.0.0.1:10250"] = Outcome::refused;
  rig.outcomes["10.0.0.2:10250"] = Outcome::timeout;
  const auto seen = rig.look(two_nodes(), {"direct"});
  EXPECT_THAT(lines(seen.reached), ElementsAre("direct n1 10.0.0.1:9091 open"));
  ASSERT_THAT(seen.skipped, SizeIs(1));
  EXPECT_EQ(seen.skipped[0].code, "blind");
  for (const auto& control : seen.controls) EXPECT_FALSE(control.passed());
}

TEST(Direct, WithoutNodesNothingIsBlind) {
  Rig rig;
  const auto seen = rig.look({}, {"direct"});
  EXPECT_THAT(seen.reached, IsEmpty());
  EXPECT_THAT(seen.skipped, IsEmpty());
}

// exec

std::string nonce_of(const kube::ExecCall& call) {
  const auto& script = call.command.at(2);
  return script.substr(2, script.find('\n') - 2);  // "n=…"
}

Result<kube::ExecOutput> healthy(const kube::ExecCall& call) {
  return kube::ExecOutput{.stdout_ = InsideOutput().text(nonce_of(call))};
}

/// "n1 complete", "n2 pod-not-running"
std::vector<std::string> insides(const Look& seen) {
  std::vector<std::string> result;
  for (const auto& inside : seen.inside) {
    result.push_back(inside.node + " " + (inside.complete ? "complete" : inside.problem_code));
  }
  return result;
}

TEST(Exec, LooksIntoRunningPodsOnly) {
  Rig rig;
  rig.api.on_exec = [&](const kube::ExecCall& call) {
    EXPECT_EQ(call.container, "calico-node");
    EXPECT_EQ(call.pod, "p1");
    rig.clock.advance(Duration{2000});
    return healthy(call);
  };
  const auto asked = rig.clock.now();
  auto facts = two_nodes();
  facts.clock_skew = Duration{60'000};
  const auto seen = rig.look(facts, {"exec"});
  EXPECT_THAT(insides(seen), ElementsAre("n2 pod-not-running", "n1 complete"));
  const auto& inside = seen.inside[1];
  EXPECT_EQ(inside.vantage, "exec");
  EXPECT_EQ(inside.pod_uid, "uid-p1");
  EXPECT_EQ(inside.at, asked);
  // By the server's clock, and as late as it can have been.
  EXPECT_EQ(inside.felix.at(0).started,
            asked + Duration{2000} + Duration{60'000} - std::chrono::seconds(500));
}

/// Felix listens at these ports on every address as well.
InsideOutput listening_at(const std::vector<int>& ports) {
  InsideOutput output;
  auto& held = output.at("fd 40");
  int inode = 1000;
  for (const int port : ports) {
    output.at("tcp6").text += row6(kAny6, port, ++inode);
    held.text += fmt::format("lrwx------ 1 0 0 64 Jan  1 00:00 9 -> socket:[{}]\n", inode);
  }
  return output;
}

/// "10.0.0.1:9091", controls left out.
std::vector<std::string> endpoints(const std::vector<net::Target>& asked) {
  std::vector<std::string> result;
  for (const auto& one : asked)
    if (!one.control) result.push_back(one.endpoint.to_string());
  return result;
}

TEST(Look, APortFoundInsideIsAskedFromOutsideToo) {
  Rig rig;
  auto output = listening_at({9091, 33333});
  rig.api.on_exec = [&](const kube::ExecCall& call) -> Result<kube::ExecOutput> {
    return kube::ExecOutput{.stdout_ = output.text(nonce_of(call))};
  };
  rig.outcomes["10.0.0.1:33333"] = Outcome::open;
  const auto seen = rig.look(two_nodes(), {"direct", "exec"});
  EXPECT_THAT(endpoints(rig.asked), ElementsAre("10.0.0.1:9091", "[fd00::1]:9091", "10.0.0.2:9091",
                                                "10.0.0.1:33333", "[fd00::1]:33333"));
  EXPECT_THAT(lines(seen.reached), testing::Contains("direct n1 10.0.0.1:33333 open"));
  // Without a look inside nobody knows; without a way from outside nobody is asked.
  rig.asked.clear();
  rig.look(two_nodes(), {"direct"});
  EXPECT_THAT(endpoints(rig.asked), SizeIs(3));
  rig.asked.clear();
  rig.look(two_nodes(), {"exec"});
  EXPECT_THAT(rig.asked, IsEmpty());
}

TEST(Look, WhatTheNodeSaysOfItselfStartsNoScan) {
  Rig rig;
  std::vector<int> ports{9099, 9091};  // its health endpoint, and what is asked anyway
  auto output = listening_at(ports);
  rig.api.on_exec = [&](const kube::ExecCall& call) -> Result<kube::ExecOutput> {
    return kube::ExecOutput{.stdout_ = output.text(nonce_of(call))};
  };
  rig.look(two_nodes(), {"direct", "exec"});
  EXPECT_THAT(endpoints(rig.asked), SizeIs(3));
  rig.asked.clear();
  for (int port = 20000; port < 20300; ++port) ports.push_back(port);
  output = listening_at(ports);
  rig.look(two_nodes(), {"direct", "exec"});
  EXPECT_THAT(endpoints(rig.asked), SizeIs(3 + 2 * 8));
}

TEST(Exec, WhatCannotBeAskedHasAReason) {
  Rig rig;
  rig.api.on_exec = healthy;
  auto facts = two_nodes();
  facts.nodes[1].windows = true;
  facts.pods.push_back(running_pod("windows", "n2"));
  facts.pods.push_back(running_pod("pending", "n1"));
  facts.pods.back().felix_running = false;
  facts.pods.push_back(running_pod("own-network", "n1"));
  facts.pods.back().host_network = false;
  EXPECT_THAT(
      insides(rig.look(facts, {"exec"})),
      ElementsAre("n2 windows-node", "n1 pod-not-running", "n1 inside-incomplete", "n1 complete"));
  EXPECT_THAT(rig.api.requests(), SizeIs(1));
}

TEST(Exec, EachFailureIsItsNodes) {
  struct Row {
    Error error;
    const char* code;
  };
  const Row rows[] = {{kube::fake_timed_out(), "exec-timeout"},
                      {kube::fake_unreachable(), "exec-failed"},
                      {{.kind = ErrorKind::malformed_input, .what = "too large"}, "exec-failed"},
                      {{.kind = ErrorKind::not_found, .what = "gone"}, "pod-not-running"}};
  for (const auto& row : rows) {
    Rig rig;
    rig.api.on_exec = [&](const kube::ExecCall&) -> Result<kube::ExecOutput> { return row.error; };
    const auto seen = rig.look(two_nodes(), {"exec"});
    EXPECT_THAT(insides(seen), ElementsAre("n2 pod-not-running", std::string("n1 ") + row.code));
    EXPECT_THAT(seen.skipped, IsEmpty());
  }
}

TEST(Exec, WithoutAShellItFailed) {
  Rig rig;
  rig.api.on_exec = [](const kube::ExecCall&) -> Result<kube::ExecOutput> {
    return kube::ExecOutput{.stderr_ = "sh: not found", .exit_code = 127};
  };
  const auto seen = rig.look(two_nodes(), {"exec"});
  EXPECT_EQ(seen.inside.at(1).problem_code, "exec-failed");
  EXPECT_THAT(seen.inside.at(1).problem, HasSubstr("sh: not found"));
}

TEST(Exec, AnAnswerOfAnotherRunIsNotBelieved) {
  Rig rig;
  rig.api.on_exec = [](const kube::ExecCall&) -> Result<kube::ExecOutput> {
    return kube::ExecOutput{.stdout_ = InsideOutput().text("0")};
  };
  EXPECT_EQ(rig.look(two_nodes(), {"exec"}).inside.at(1).problem_code, "table-cut");
}

ClusterFacts many_nodes(int count) {
  ClusterFacts facts;
  for (int i = 0; i < count; ++i) {
    const auto name = fmt::format("n{:03}", i);
    facts.nodes.push_back({.name = name});
    facts.pods.push_back(running_pod("p-" + name, name));
  }
  return facts;
}

TEST(Exec, ForbiddenIsSaidOnceAndSoon) {
  Rig rig;  // FakeApi forbids exec unless told otherwise
  const auto seen = rig.look(many_nodes(100), {"exec"});
  EXPECT_THAT(seen.inside, IsEmpty());
  ASSERT_THAT(seen.skipped, SizeIs(1));
  EXPECT_EQ(seen.skipped[0].code, "forbidden");
  EXPECT_THAT(seen.skipped[0].detail, HasSubstr("pods/exec"));
  EXPECT_THAT(rig.api.requests(), SizeIs(16));
}

TEST(Exec, ForbiddenInOneNamespaceOnlyIsTheNodes) {
  Rig rig;
  rig.api.on_exec = [](const kube::ExecCall& call) -> Result<kube::ExecOutput> {
    if (call.namespace_ == "other") return kube::fake_forbidden("create", {"", "v1", "pods/exec"});
    return healthy(call);
  };
  auto facts = many_nodes(2);
  facts.pods[1].namespace_ = "other";
  const auto seen = rig.look(facts, {"exec"});
  EXPECT_THAT(insides(seen), ElementsAre("n000 complete", "n001 exec-forbidden"));
  EXPECT_THAT(seen.skipped, IsEmpty());
}

TEST(Exec, AForbiddenNamespaceIsNotAskedAgain) {
  Rig rig;
  rig.api.on_exec = [](const kube::ExecCall& call) -> Result<kube::ExecOutput> {
    if (call.namespace_ == "other") return kube::fake_forbidden("create", {"", "v1", "pods/exec"});
    return healthy(call);
  };
  auto facts = many_nodes(40);
  for (int i = 0; i < 30; ++i) facts.pods[static_cast<std::size_t>(i)].namespace_ = "other";
  const auto seen = rig.look(facts, {"exec"});
  EXPECT_THAT(rig.api.requests(), SizeIs(16 + 10));
  EXPECT_THAT(seen.inside, SizeIs(40));
  EXPECT_THAT(seen.skipped, IsEmpty());
}

TEST(Exec, AsksAllNodesOfALargeCluster) {
  Rig rig;
  rig.api.on_exec = healthy;
  const auto seen = rig.look(many_nodes(200), {"exec"});
  EXPECT_THAT(seen.inside, SizeIs(200));
  EXPECT_TRUE(std::ranges::all_of(seen.inside, &InsideLook::complete));
}

TEST(Exec, StopsBetweenRounds) {
  Rig rig;
  rig.api.on_exec = [&](const kube::ExecCall& call) {
    rig.stop.request_stop();
    return healthy(call);
  };
  EXPECT_FALSE(look(rig.context(), many_nodes(100), {.vantages = {"exec"}}).has_value());
  EXPECT_THAT(rig.api.requests(), SizeIs(16));
}

}  // namespace
}  // namespace catflap::look
