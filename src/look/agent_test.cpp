// The vantage point agent against a fake API in which this test plays the Job's controller and the
// kubelets.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

#include "base/json_read.hpp"
#include "look/agent_answer.hpp"
#include "look/agent_job.hpp"
#include "look/agent_run.hpp"
#include "look/look.hpp"
#include "support/fake_api.hpp"
#include "support/inside_output.hpp"

namespace catflap::look {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::string text_in(const json::object& object, JsonPath path) {
  return text_at(object, path);
}

constexpr const char* kBinding =
    "\n#{0} begin machine\n{1}\n\n#{0} end 0\n\n#{0} begin boot\n{2}\n\n#{0} end 0\n"
    "\n#{0} begin network\nnet:[1]\nnet:[{3}]\n\n#{0} end 0\n";

struct Spoil {
  std::string machine = "m1";
  std::string boot = "b1";
  int network = 1;
};

std::string shell_log(const std::string& nonce, const Spoil& spoil = {}) {
  return InsideOutput().text(nonce) +
         fmt::format(kBinding, nonce, spoil.machine, spoil.boot, spoil.network);
}

NodeFacts node(const std::string& name, const std::string& number) {
  return {.name = name,
          .machine_id = "m" + number,
          .boot_id = "b" + number,
          .addresses = {{*IpAddress::parse("10.0.0." + number), "InternalIP"}},
          .ready = true};
}

TEST(AgentAnswer, IsBoundToItsNode) {
  const auto says = [](const std::string& log, const NodeFacts& of = node("n1", "1")) {
    const auto inside = read_agent_look(AgentKind::shell, log, "5eed", of, TimePoint{});
    EXPECT_EQ(inside.complete, inside.problem_code.empty()) << inside.problem;
    EXPECT_TRUE(inside.table_only);
    EXPECT_FALSE(inside.config_file_readable) << "it is the agent's, not Felix's";
    return inside.problem_code;
  };
  EXPECT_EQ(says(shell_log("5eed")), "");
  EXPECT_EQ(says(shell_log("5eed"), node("n2", "2")), "agent-other-node");
  EXPECT_EQ(says(shell_log("5eed", {.machine = "m2"})), "agent-other-node");
  EXPECT_EQ(says(shell_log("5eed", {.boot = "b0"})), "agent-other-node") << "an earlier boot";
  EXPECT_EQ(says(shell_log("5eed", {.machine = ""})), "agent-incomplete") << "no SYS_PTRACE";
  EXPECT_EQ(says(shell_log("5eed"), {.name = "n1"}), "agent-other-node") << "ids not known";
  EXPECT_EQ(says(shell_log("5eed", {.network = 2})), "agent-incomplete") << "a network of its own";
  EXPECT_EQ(says(shell_log("other")), "agent-unreadable");
  EXPECT_EQ(says(""), "agent-unreadable");
  const auto whole = shell_log("5eed");
  for (std::size_t size = 0; size < whole.size(); size += 7)
    EXPECT_NE(says(whole.substr(0, size)), "") << size;
}

TEST(AgentAnswer, TheScriptRunsInARealShell) {
  const auto script = agent_look(AgentKind::shell, "5eed").at(2);
  const std::string file = testing::TempDir() + "agent-look.sh";
  std::ofstream(file) << script;
  std::string log;
  FILE* shell = ::popen(("sh " + file + " 2>/dev/null").c_str(), "r");
  ASSERT_NE(shell, nullptr);
  for (int c = 0; (c = std::fgetc(shell)) != EOF;) log += static_cast<char>(c);
  EXPECT_EQ(::pclose(shell), 0);
  std::ifstream boot_id("/proc/sys/kernel/random/boot_id");
  std::ifstream machine_id("/proc/1/root/etc/machine-id");
  NodeFacts here{.name = "here"};
  std::getline(boot_id, here.boot_id);
  const bool readable = static_cast<bool>(std::getline(machine_id, here.machine_id));
  const auto inside = read_agent_look(AgentKind::shell, log, "5eed", here, TimePoint{});
  // No Felix runs here; without the right to see process 1's root it does not come to that.
  EXPECT_EQ(inside.problem_code, readable ? "felix-process-not-seen" : "agent-incomplete")
      << inside.problem << log.substr(0, 2000);
}

TEST(AgentAnswer, OfCatflapItself) {
  const auto says = [](const std::string& log) {
    return read_agent_look(AgentKind::catflap, log, "", node("n1", "1"), TimePoint{}).problem_code;
  };
  const std::string head =
      R"({"apiVersion":"catflap/v1alpha1","kind":"Listeners","host":{"machineId":"m1","bootId":)";
  const auto log = [&](const char* boot, const char* network, const char* state) {
    return head +
           fmt::format(R"("{}","hostname":null,"network":"{}"}},"at":"2026-01-01T00:00:00Z",)"
                       R"("method":"sock-diag","complete":true,"problem":null,"ports":[],)"
                       R"("listeners":[{{"family":"ipv4","address":"0.0.0.0","port":22,"inode":7,)"
                       R"("uid":0,"interface":null,"ownerState":"{}","owners":[]}}]}})",
                       boot, network, state);
  };
  EXPECT_EQ(says(log("b1", "node", "not-found")), "");
  EXPECT_EQ(says(log("b2", "node", "not-found")), "agent-other-node");
  EXPECT_EQ(says(log("b1", "other", "not-found")), "agent-incomplete");
  EXPECT_EQ(says(log("b1", "node", "not-permitted")), "agent-incomplete");
  EXPECT_EQ(says("Segmentation fault"), "agent-unreadable");
}

TEST(AgentAnswer, WhatCatflapToldIsReadAsItWas) {
  const auto again = [](Reach reach) {
    reach.endpoint = *HostPort::parse("10.0.0.1:9091");
    Reach read{.vantage = "agent"};
    EXPECT_TRUE(read_agent_asks(AgentKind::catflap,
                                agent_opening("5eed") + agent_section("5eed", 0, reach), "5eed",
                                {&read, 1}));
    return fmt::format("{} {} {} {}", to_string(read.outcome), to_string(read.identity),
                       read.felix_host, to_string(read.client_cert));
  };
  EXPECT_EQ(again({.outcome = Outcome::refused}), "refused none  none");
  EXPECT_EQ(again({.outcome = Outcome::timeout}), "timeout none  none");
  EXPECT_EQ(again({.outcome = Outcome::reset}), "reset none  none");
  EXPECT_EQ(again({.outcome = Outcome::unreachable}), "unreachable none  none");
  EXPECT_EQ(again({.outcome = Outcome::rejected}), "error none  none") << "it hides a listener";
  EXPECT_EQ(again({.outcome = Outcome::open,
                   .identity = Identity::felix,
                   .felix_host = "n1",
                   .http_status = 200}),
            "open felix n1 none");
  EXPECT_EQ(again({.outcome = Outcome::open, .identity = Identity::other, .http_status = 404}),
            "open other  none");
  EXPECT_EQ(
      again({.outcome = Outcome::open, .identity = Identity::unidentified, .http_status = 200}),
      "open unidentified  none")
      << "a cut body";
  EXPECT_EQ(again({.outcome = Outcome::open,
                   .tls = TlsFacts{.alert = "certificate required"},
                   .identity = Identity::unidentified}),
            "open unidentified  demanded");
}

class Agent : public testing::Test {
 protected:
  Agent() {
    for (const auto* number : {"1", "2", "3"}) {
      const std::string name = std::string("n") + number;
      facts.nodes.push_back(node(name, number));
      facts.pods.push_back({.namespace_ = "calico-system",
                            .name = "calico-node-" + name,
                            .uid = "uid-" + name,
                            .node = name,
                            .felix_running = true,
                            .image = "calico/node:v3"});
    }
    facts.daemon_sets.push_back({.namespace_ = "calico-system", .name = "calico-node"});
    api.tick = [this] { play(); };
    api.on_log = [this](const kube::LogCall& call) -> Result<std::string> {
      const auto* pod = api.cluster().find({kube::kPods, call.namespace_, call.pod});
      const auto& container = pod->at("spec").at("containers").at(0).as_object();
      const std::string script{container.at("command").at(2).as_string()};
      const auto nonce = script.substr(2, script.find('\n') - 2);
      const auto number = text_in(*pod, {"spec", "nodeName"}).substr(1);
      if (!true_at(*pod, {"spec", "hostNetwork"})) return "\n#" + nonce + " tool bash\n";
      return shell_log(nonce, {.machine = "m" + number, .boot = "b" + number});
    };
  }

  /// A pod for each Job, which has ended at once; unless the node is one of those that do not.
  void play() {
    for (const auto& job : api.cluster().select({.resource = kJobs})) {
      const auto name = text_in(job, {"metadata", "name"});
      const auto& spec = job.at("spec").at("template").at("spec").as_object();
      most_at_once = std::max(most_at_once, api.cluster().select({.resource = kJobs}).size());
      if (api.cluster().find({kube::kPods, "calico-system", name + "-x"}) != nullptr) continue;
      if (text_in(spec, {"nodeName"}) == no_pod_on) continue;
      const bool silent = text_in(spec, {"nodeName"}) == silent_on;
      api.cluster().put(
          kube::kPods,
          {{"metadata",
            {{"name", name + "-x"},
             {"namespace", "calico-system"},
             {"labels",
              {{kRunLabel, text_in(job, {"metadata", "labels", kRunLabel})}, {"job-name", name}}},
             {"ownerReferences",
              json::array{
                  json::object{{"kind", "Job"}, {"uid", text_in(job, {"metadata", "uid"})}}}}}},
           {"spec", spec},
           {"status", {{"phase", silent ? "Pending" : "Succeeded"}}}});
    }
  }

  Look look(std::size_t parallel = 64) {
    auto result = look::look({.api = api, .clock = clock, .stop = stop.get_token()}, facts,
                             {.vantages = {"agent"}, .agent_parallel = parallel});
    EXPECT_EQ(result.has_value(), !stop.stop_requested());
    return result.has_value() ? std::move(result).value() : Look{};
  }
  std::size_t jobs_left() { return api.cluster().select({.resource = kJobs}).size(); }
  static std::vector<std::string> codes(const Look& seen) {
    std::vector<std::string> list;
    for (const auto& inside : seen.inside) list.push_back(inside.node + ":" + inside.problem_code);
    return list;
  }

  ManualClock clock;
  kube::FakeApi api{clock};
  std::stop_source stop;
  ClusterFacts facts;
  std::string no_pod_on, silent_on;
  std::size_t most_at_once = 0;
};

TEST_F(Agent, LooksInsideEachNodeAndLeavesNothing) {
  const auto seen = look();
  EXPECT_THAT(codes(seen), ElementsAre("n1:", "n2:", "n3:"));
  EXPECT_EQ(seen.inside.at(0).vantage, "agent");
  EXPECT_EQ(seen.inside.at(0).pod_uid, "uid-n1");
  EXPECT_EQ(jobs_left(), 0u);
  for (const auto& request : api.requests()) {
    if (request.verb != "delete") continue;
    EXPECT_EQ(json::serialize(request.body), R"({"propagationPolicy":"Background"})")
        << "a Job's pods stay else";
  }
}

TEST_F(Agent, NotMoreThanAFewAtOnce) {
  EXPECT_THAT(codes(look(1)), SizeIs(3));
  EXPECT_EQ(most_at_once, 1u);
}

TEST_F(Agent, WhoGaveNoAnswerAndWhy) {
  no_pod_on = "n1";
  silent_on = "n2";
  auto seen = look();
  EXPECT_THAT(codes(seen), ElementsAre("n1:agent-timeout", "n2:agent-timeout", "n3:"));
  EXPECT_THAT(seen.inside.at(0).problem, HasSubstr("no pod within"));
  EXPECT_EQ(jobs_left(), 0u);
  // Its controller says why in an event.
  api.tick = [this] {
    play();
    for (const auto& job : api.cluster().select({.resource = kJobs})) {
      if (text_in(job, {"spec", "template", "spec", "nodeName"}) != "n1") continue;
      api.cluster().put(kEvents, {{"metadata", {{"name", "e"}, {"namespace", "calico-system"}}},
                                  {"reason", "FailedCreate"},
                                  {"involvedObject",
                                   {{"kind", "Job"}, {"name", text_in(job, {"metadata", "name"})}}},
                                  {"message", "violates PodSecurity"}});
    }
  };
  seen = look();
  EXPECT_THAT(codes(seen).at(0), "n1:agent-blocked");
  EXPECT_THAT(seen.inside.at(0).problem, HasSubstr("violates PodSecurity"));
}

TEST_F(Agent, WithoutTheRightItIsSkipped) {
  api.deny("create", "jobs");
  const auto seen = look();
  EXPECT_THAT(seen.inside, IsEmpty());
  ASSERT_THAT(seen.skipped, SizeIs(1));
  EXPECT_EQ(seen.skipped[0].code, "forbidden");
}

TEST_F(Agent, WithoutTheirPodsInSightNoJobIsMade) {
  api.inject({.verb = "watch",
              .plural = "pods",
              .nth = 1,
              .when = kube::Fault::When::before,
              .error = Error{.kind = ErrorKind::not_permitted, .what = "cannot watch"}});
  const auto seen = look();
  EXPECT_THAT(seen.inside, IsEmpty());
  ASSERT_THAT(seen.skipped, SizeIs(1));
  EXPECT_THAT(seen.skipped[0].detail, HasSubstr("cannot watch"));
  EXPECT_EQ(most_at_once, 0u);
}

TEST_F(Agent, NoMoreAreBegunThanAreDue) {
  const std::vector<AgentJob> jobs(6, {.node = "n1", .image = "i", .words = {"sh", "-c", "n=1\n"}});
  const auto took = [&](std::size_t a_second) {
    const auto began = clock.steady();
    std::size_t answers = 0;
    const auto outcome = run_agents(
        {.api = api, .clock = clock, .stop = stop.get_token()}, "calico-system", jobs,
        {.a_second = a_second}, Duration{0}, [&](std::size_t, AgentAnswer&&) { ++answers; },
        [](std::size_t) {});
    EXPECT_EQ(outcome.done, jobs.size());
    EXPECT_EQ(answers, jobs.size());
    return clock.steady() - began;
  };
  const auto quick = took(1000);
  EXPECT_GT(took(2), quick + std::chrono::milliseconds(1900));
  EXPECT_EQ(jobs_left(), 0u);
}

TEST_F(Agent, AReplyThatIsLostLosesNoJob) {
  api.inject({.verb = "create",
              .plural = "jobs",
              .nth = 2,
              .when = kube::Fault::When::after,
              .error = Error{.kind = ErrorKind::timed_out, .what = "lost"}});
  EXPECT_THAT(codes(look()), ElementsAre("n1:", "n2:", "n3:"));
  EXPECT_EQ(jobs_left(), 0u);
}

TEST_F(Agent, AfterAStopTheJobsAreTakenAway) {
  silent_on = "n2";
  int ticks = 0;
  const auto playing = api.tick;
  api.tick = [&, playing] {
    playing();
    if (++ticks == 30) stop.request_stop();
  };
  static_cast<void>(look());
  EXPECT_EQ(jobs_left(), 0u);
}

TEST_F(Agent, APodOfAnothersIsNotBelieved) {
  no_pod_on = "n1";
  const auto playing = api.tick;
  api.tick = [&, playing] {
    playing();
    for (const auto& job : api.cluster().select({.resource = kJobs})) {
      if (text_in(job, {"spec", "template", "spec", "nodeName"}) != "n1") continue;
      const auto name = text_in(job, {"metadata", "name"});
      api.cluster().put(
          kube::kPods,
          {{"metadata",
            {{"name", "false"},
             {"namespace", "calico-system"},
             {"labels",
              {{kRunLabel, text_in(job, {"metadata", "labels", kRunLabel})}, {"job-name", name}}}}},
           {"status", {{"phase", "Succeeded"}}}});
    }
  };
  EXPECT_EQ(codes(look()).at(0), "n1:agent-timeout");
}

}  // namespace
}  // namespace catflap::look
