// close, undo and plan to their ends, against a cluster that lives: pods are replaced, Felixes
// start.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "app/runtime_test.hpp"
#include "support/calico_world.hpp"
#include "support/fake_api.hpp"

namespace catflap::app {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using testing::HasSubstr;
using testing::Not;

class Living : public testing::Test {
 protected:
  Living() {
    int last = 0;
    for (const auto& node : cluster_->select({.resource = kube::kNodes})) {
      const std::string name(node.at("metadata").at("name").as_string());
      cluster_->edit({kube::kNodes, "", name}, [&](json::object& object) {
        object["status"].as_object()["addresses"] = json::array{
            json::object{{"type", "InternalIP"}, {"address", fmt::format("10.0.0.{}", ++last)}}};
      });
    }
    cluster_->edit(catflap::test::kCalicoNode, [](json::object& set) {
      set["spec"].at("template").at("spec").as_object()["hostNetwork"] = true;
      set["spec"].at("updateStrategy").as_object()["rollingUpdate"] = {{"maxUnavailable", 1}};
    });
    for (int i = 0; i < 1000; ++i) clock_.advance(Duration{50}), calico_.tick();
    cluster_->put(kube::kNamespaces, {{"metadata", {{"name", "kube-system"}, {"uid", "c-1"}}}});
    fs::create_directories(state_);
    world_.clock = &clock_;
    world_.environment = {{"XDG_STATE_HOME", state_}};
    world_.connect = [this](const ConnectFlags&) { return connect(); };
    world_.probe = [this](std::span<const net::Target> targets, const net::ProbeOptions&) {
      std::vector<Reach> answers;
      for (const net::Target& target : targets) answers.push_back(answer(target));
      return answers;
    };
  }
  ~Living() override { fs::remove_all(state_); }

  Result<std::unique_ptr<kube::Api>> connect() {
    auto api = std::make_unique<kube::FakeApi>(cluster_);
    api->raw["/version"] = {{"gitVersion", "v1.33.13"}};
    api->raw["/apis"] = {{"groups", json::array{json::object{{"name", "crd.projectcalico.org"}}}}};
    api->tick = [this] { calico_.tick(); };
    if (on_connect_) on_connect_(*api);
    return std::unique_ptr<kube::Api>(std::move(api));
  }

  Reach answer(const net::Target& target) {
    if (on_probe_) on_probe_();
    Reach reach{.vantage = "direct",
                .node = target.node,
                .endpoint = target.endpoint,
                .outcome = target.control ? Outcome::open : Outcome::refused,
                .at = clock_.now()};
    if (target.control || !calico_.open(target.node)) return reach;
    reach.outcome = Outcome::open;
    reach.identity = Identity::felix;
    reach.felix_host = target.node;
    reach.http_status = 200;
    return reach;
  }

  int run(const std::vector<std::string>& arguments) {
    world_.out.str("");
    world_.err.str("");
    return world_.run(arguments);
  }
  [[nodiscard]] std::string out() const { return world_.out.str(); }
  [[nodiscard]] std::string err() const { return world_.err.str(); }

  std::string state_ = fs::temp_directory_path() / fmt::format("catflap-living-{}", ::getpid());
  ManualClock clock_;
  std::shared_ptr<kube::FakeCluster> cluster_ = std::make_shared<kube::FakeCluster>(clock_);
  catflap::test::CalicoWorld calico_{*cluster_, {}};
  std::function<void(kube::FakeApi&)> on_connect_;
  std::function<void()> on_probe_;
  test::World world_;
};

TEST_F(Living, CloseAndUndoToTheirEnds) {
  EXPECT_EQ(run({"close", "--yes", "--ticket", "CHG-1"}), 0) << err() << out();
  EXPECT_THAT(out(), HasSubstr("All 3 nodes are closed."));
  EXPECT_THAT(out(), HasSubstr("env: changed"));
  EXPECT_THAT(out(), HasSubstr("Undo       catflap undo\n"));
  EXPECT_THAT(err(), HasSubstr("Plan a maintenance window.")) << "said before it writes";
  EXPECT_EQ(calico_.open_nodes(), 0);
  EXPECT_EQ(run({"undo", "--dry-run=client"}), 0) << err();
  EXPECT_EQ(calico_.open_nodes(), 0);
  EXPECT_THAT(out(), HasSubstr("(ticket CHG-1)"));
  EXPECT_THAT(out(), HasSubstr("becomes FELIX_PROMETHEUSMETRICSENABLED=true"));
  EXPECT_THAT(out(), HasSubstr("all 3 pods of kube-system/calico-node"));
  EXPECT_THAT(out(), HasSubstr("the port again"));
  EXPECT_EQ(run({"undo", "--yes"}), 0) << err();
  EXPECT_THAT(out(), HasSubstr("no other change of catflap stands"));
  EXPECT_EQ(calico_.open_nodes(), 3);
  EXPECT_EQ(run({"undo", "--yes"}), 3);
}

TEST_F(Living, UndoAsksAfterSayingWhatHappens) {
  EXPECT_EQ(run({"close", "--yes"}), 0) << err();
  world_.terminal = true;
  world_.answers = {"no"};
  EXPECT_EQ(run({"undo"}), 5);
  for (const char* part : {"Cluster", "becomes", "all 3 pods", "the port again"})
    EXPECT_THAT(err(), HasSubstr(part));
  EXPECT_EQ(calico_.open_nodes(), 0);
}

TEST_F(Living, TimeUpIsToldAndTheNextCloseGoesOn) {
  calico_.stuck = {"node-2"};
  EXPECT_NE(run({"close", "--yes", "--timeout", "30s", "--ticket", "CHG-1"}), 0);
  for (const char* part : {"Time is up", "node-2", "will still restart", "RollingUpdate"})
    EXPECT_THAT(out(), HasSubstr(part));
  EXPECT_EQ(run({"diagnose", "-o", "json"}), 1) << "node-3 was not its turn yet";
  EXPECT_THAT(out(), HasSubstr("CF0048"));
  EXPECT_EQ(run({"plan", "-o", "json"}), 3);
  EXPECT_THAT(out(), HasSubstr("CF0048"));
  calico_.stuck.clear();
  EXPECT_EQ(run({"close", "--yes", "--ticket", "CHG-2"}), 0) << err() << out();
  EXPECT_THAT(err(), HasSubstr("Goes on    with the run of 2023-11-14"));
  EXPECT_THAT(out(), HasSubstr("env: changed")) << "by the first run";
  EXPECT_EQ(run({"diagnose", "-o", "json"}), 0) << out();
  EXPECT_THAT(out(), Not(HasSubstr("CF0048")));
}

TEST_F(Living, AnApprovedPlanBringsItsFlags) {
  calico_.stuck = {"node-2"};
  cluster_->edit(catflap::test::kCalicoNode, [](json::object& set) {
    set["spec"].at("template").as_object()["metadata"] = {{"labels", {{"team", "net"}}}};
  });
  for (int i = 0; i < 100; ++i) clock_.advance(Duration{50}), calico_.tick();
  EXPECT_EQ(run({"plan"}), 5) << "somebody else's change waits";
  EXPECT_EQ(run({"plan", "--include-pending", "-o", "json"}), 1) << err();
  const std::string file = state_ + "/plan.json";
  std::ofstream(file) << out();
  EXPECT_EQ(run({"close", "--plan", file, "--dry-run=client"}), 1) << err();
  calico_.stuck.clear();
  EXPECT_EQ(run({"close", "--plan", file, "--yes"}), 0) << err();
}

TEST_F(Living, AServersDryRunIsCountedAndStoresNothing) {
  EXPECT_EQ(run({"close", "--dry-run=server"}), 1) << err();
  EXPECT_THAT(out(), HasSubstr("the server accepted 1 write; nothing was stored"));
  EXPECT_EQ(calico_.open_nodes(), 3);
}

TEST_F(Living, WhatWasWrittenIsToldAfterAFailure) {
  on_connect_ = [](kube::FakeApi& api) {
    api.inject({.verb = "patch", .plural = "daemonsets", .action = [&api] {
                  api.deny("get", "daemonsets");
                }});
  };
  EXPECT_EQ(run({"close", "--yes", "-o", "json", "--evidence", state_ + "/e.json"}), 4) << err();
  const json::value document = json::parse(out());
  EXPECT_EQ(document.at("kind"), "Error");
  EXPECT_EQ(document.at("change").at("writes").as_array().size(), 1U);
  EXPECT_EQ(document.at("change").at("error").at("kind"), "not_permitted");
  std::ifstream stream(state_ + "/e.json");
  std::ostringstream kept;
  kept << stream.rdbuf();
  EXPECT_EQ(json::parse(kept.str()), document);
  EXPECT_THAT(err(), HasSubstr("3 nodes will still restart"));
  EXPECT_EQ(run({"undo", "--yes"}), 4) << "as forbidden";
  on_connect_ = {};
  EXPECT_EQ(run({"close", "--yes"}), 0) << err();
  EXPECT_THAT(out(), HasSubstr("env: changed")) << "by the run that failed";
}

TEST_F(Living, TheVerdictIsToldEvenIfTheEvidenceCannotBeKept) {
  const std::string folder = state_ + "/gone";
  EXPECT_EQ(run({"verify", "--evidence", state_}), 2) << "a folder";
  const std::string file = folder + "/e.json";
  on_probe_ = [&] { fs::remove_all(folder); };
  for (const auto& command : std::vector<std::vector<std::string>>{
           {"verify", "--evidence", file}, {"close", "--yes", "--evidence", file}}) {
    fs::create_directories(folder);
    EXPECT_EQ(run(command), 4) << err();
    EXPECT_THAT(out(), HasSubstr("All 3 nodes are"));
    EXPECT_THAT(err(), HasSubstr("evidence cannot be written"));
  }
}

TEST_F(Living, AClusterWithoutANameIsConfirmedByItsHost) {
  on_connect_ = [](kube::FakeApi& api) { api.server_info.cluster_name = ""; };
  world_.terminal = true;
  world_.answers = {""};
  EXPECT_EQ(run({"close"}), 5) << "Enter is no answer";
  EXPECT_EQ(calico_.open_nodes(), 3);
  world_.answers = {"127.0.0.1:6443"};
  EXPECT_EQ(run({"close"}), 0) << err();
}

TEST_F(Living, ALookIntoAContainerIsARequestToo) {
  std::vector<Duration> limits;
  on_connect_ = [&](kube::FakeApi& api) {
    api.on_exec = [&](const kube::ExecCall& call) -> Result<kube::ExecOutput> {
      limits.push_back(call.timeout);
      return kube::ExecOutput{};
    };
  };
  const std::vector<std::pair<std::string, int>> rows{{"2s", 2}, {"60s", 15}, {"0", 15}};
  for (const auto& [asked, seconds] : rows) {
    limits.clear();
    (void)run({"diagnose", "--from", "exec", "--request-timeout", asked});
    EXPECT_THAT(limits, testing::Each(std::chrono::seconds{seconds})) << asked;
    EXPECT_FALSE(limits.empty()) << asked << err();
  }
}

TEST_F(Living, PlanRunsNoCommandInAnyContainer) {
  int commands = 0;
  on_connect_ = [&](kube::FakeApi& api) {
    api.on_exec = [&](const kube::ExecCall&) -> Result<kube::ExecOutput> {
      ++commands;
      return kube::ExecOutput{};
    };
  };
  EXPECT_EQ(run({"plan"}), 1) << err();
  EXPECT_EQ(commands, 0);
}

}  // namespace
}  // namespace catflap::app
