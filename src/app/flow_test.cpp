// Whole commands against a cluster in memory: exit codes, what is written where, and above all what
// is not.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "app/runtime_test.hpp"
#include "support/look_cluster.hpp"

namespace catflap::app {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

const char* const kOn = R"({"name":"FELIX_PROMETHEUSMETRICSENABLED","value":"true"})";
const char* const kOff = R"({"name":"FELIX_PROMETHEUSMETRICSENABLED","value":"false"})";

/// Two nodes; `env` decides. The port answers as told.
class Flow : public testing::Test {
 protected:
  void serve(const char* env, Outcome outcome) {
    cluster_.emplace(look::container_json(env));
    world_.terminal = false;
    world_.clock = &cluster_->clock;
    world_.environment = {{"XDG_STATE_HOME", state_}};
    world_.connect = [this](const ConnectFlags&) -> Result<std::unique_ptr<kube::Api>> {
      auto api = std::make_unique<kube::FakeApi>(cluster_->api.shared_cluster());
      api->raw = cluster_->api.raw;
      for (const std::string& plural : denied_) api->deny("list", plural);
      api_ = api.get();
      return std::unique_ptr<kube::Api>(std::move(api));
    };
    world_.probe = [this, outcome](std::span<const net::Target> targets, const net::ProbeOptions&) {
      std::vector<Reach> answers;
      for (const net::Target& target : targets) answers.push_back(answer(target, outcome));
      return answers;
    };
  }

  void TearDown() override { fs::remove_all(state_); }

  Reach answer(const net::Target& target, Outcome outcome) {
    Reach reach{.vantage = "direct",
                .node = target.node,
                .endpoint = target.endpoint,
                .at = cluster_->clock.now()};
    reach.outcome = target.control ? control_ : outcome;
    if (target.control || outcome != Outcome::open) return reach;
    reach.identity = Identity::felix;
    reach.felix_host = target.node;
    reach.http_status = 200;
    return reach;
  }

  [[nodiscard]] std::vector<std::string> writes() {
    std::vector<std::string> all;
    for (const auto& change : cluster_->api.cluster().history()) all.push_back(change.resource);
    return all;
  }

  std::string state_ = fs::temp_directory_path() / fmt::format("catflap-flow-{}", ::getpid());
  Outcome control_ = Outcome::open;
  std::optional<look::TestCluster> cluster_;
  std::vector<std::string> denied_;
  kube::FakeApi* api_ = nullptr;  // borrowed, while a command runs
  test::World world_;
};

TEST_F(Flow, DiagnoseTellsExposedNodes) {
  serve(kOn, Outcome::open);
  EXPECT_EQ(world_.run({"diagnose"}), 1) << world_.err.str();
  EXPECT_NE(world_.out.str().find("All 2 nodes are exposed."), std::string::npos)
      << world_.out.str();
  EXPECT_NE(world_.out.str().find(
                "FELIX_PROMETHEUSMETRICSENABLED=\"true\" in DaemonSet kube-system/calico-node"),
            std::string::npos)
      << world_.out.str();
}

TEST_F(Flow, DiagnoseAsDocument) {
  serve(kOn, Outcome::open);
  EXPECT_EQ(world_.run({"diagnose", "-o", "json"}), 1);
  const json::value document = json::parse(world_.out.str());
  EXPECT_EQ(document.at("kind"), "Diagnosis");
  EXPECT_EQ(document.at("cluster").at("counts").at("exposed"), 2);
  EXPECT_EQ(document.at("metadata").at("cluster").at("uid"), "cluster-1");
}

TEST_F(Flow, RefusalsAloneAreNotClosedWithoutABasis) {
  control_ = Outcome::refused;  // whatever refuses there, refuses everything
  serve(kOff, Outcome::refused);
  EXPECT_EQ(world_.run({"diagnose"}), 3) << world_.out.str();
  EXPECT_NE(world_.out.str().find("All 2 nodes are unknown."), std::string::npos)
      << world_.out.str();
}

TEST_F(Flow, APodThatGoesWhileOneLooksMakesItLookTwice) {
  serve(kOff, Outcome::refused);
  cluster_->clock.advance(std::chrono::hours(24 * 365 * 4));  // its Felixes started some time ago
  EXPECT_EQ(world_.run({"diagnose"}), 0) << world_.out.str();
  EXPECT_EQ(world_.err.str().find("looking twice"), std::string::npos) << world_.err.str();
  const auto probe = world_.probe;
  world_.probe = [this, probe](std::span<const net::Target> targets,
                               const net::ProbeOptions& options) {
    cluster_->api.cluster().edit(
        {kube::kPods, "kube-system", "calico-node-2"}, [this](json::object& pod) {
          pod["metadata"].as_object()["deletionTimestamp"] = to_rfc3339(cluster_->clock.now());
        });
    return probe(targets, options);
  };
  EXPECT_EQ(world_.run({"diagnose"}), 3) << world_.out.str();
  EXPECT_NE(world_.err.str().find("looking twice"), std::string::npos) << world_.err.str();
}

TEST_F(Flow, TimeoutsAreNotClosed) {
  serve(kOff, Outcome::timeout);
  EXPECT_EQ(world_.run({"diagnose"}), 3) << world_.out.str();
  EXPECT_NE(world_.out.str().find("All 2 nodes are unknown."), std::string::npos)
      << world_.out.str();
}

TEST_F(Flow, NoCommandThatReadsWrites) {
  serve(kOn, Outcome::open);
  const std::size_t before = writes().size();
  for (const char* command : {"diagnose", "plan", "verify"})
    EXPECT_EQ(world_.run({command}), 1) << command;
  EXPECT_EQ(world_.run({"close", "--dry-run=client"}), 1);
  EXPECT_EQ(writes().size(), before);
}

TEST_F(Flow, PlanNamesTheChange) {
  serve(kOn, Outcome::open);
  EXPECT_EQ(world_.run({"plan"}), 1);
  EXPECT_NE(world_.out.str().find("Step 1: Disable Felix Prometheus metrics"), std::string::npos)
      << world_.out.str();
  EXPECT_NE(world_.out.str().find(
                "set env ds/calico-node -c calico-node FELIX_PROMETHEUSMETRICSENABLED=false"),
            std::string::npos)
      << world_.out.str();
}

TEST_F(Flow, CloseWritesNothingWithoutTheClustersName) {
  serve(kOn, Outcome::open);
  world_.terminal = true;
  world_.answers = {"yes"};
  const std::size_t before = writes().size();
  EXPECT_EQ(world_.run({"close"}), 5);
  EXPECT_EQ(writes().size(), before);
  EXPECT_NE(world_.err.str().find("that is not the cluster's name"), std::string::npos)
      << world_.err.str();
  world_.answers.clear();
  EXPECT_EQ(world_.run({"close"}), 130) << "no answer at all";
  EXPECT_EQ(writes().size(), before);
}

TEST_F(Flow, CloseTakesOnlyThePlanThatWasApproved) {
  serve(kOn, Outcome::open);
  EXPECT_EQ(world_.run({"plan", "-o", "json"}), 1);
  fs::create_directories(state_);
  const std::string file = state_ + "/plan.json";
  std::ofstream(file) << world_.out.str();
  EXPECT_EQ(world_.run({"close", "--plan", file, "--dry-run=client"}), 1) << world_.err.str();
  json::value changed = json::parse(world_.out.str().substr(0, world_.out.str().find("\n}\n") + 3));
  changed.as_object()["digest"] = "other";
  std::ofstream(file) << json::serialize(changed);
  EXPECT_EQ(world_.run({"close", "--plan", file, "--dry-run=client"}), 5);
  std::ofstream(file) << "{}";
  EXPECT_EQ(world_.run({"close", "--plan", file, "--dry-run=client"}), 2);
}

TEST_F(Flow, VerifyKeepsEvidenceForItsOwnerOnly) {
  serve(kOn, Outcome::open);
  EXPECT_EQ(world_.run({"verify", "-o", "json"}), 1) << world_.err.str();
  const std::string file(json::parse(world_.out.str()).at("evidenceFile").as_string());
  ASSERT_TRUE(file.starts_with(state_)) << file;
  struct stat info{};
  ASSERT_EQ(::stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  std::ifstream stream(file);
  std::ostringstream text;
  text << stream.rdbuf();
  const json::value bundle = json::parse(text.str());
  EXPECT_EQ(bundle.at("kind"), "Evidence");
  EXPECT_FALSE(bundle.at("observations").as_array().empty());
  EXPECT_EQ(bundle.at("binary").at("sha256").as_string().size(), 64U);
  EXPECT_EQ(std::distance(fs::directory_iterator(fs::path(file).parent_path()), {}), 1)
      << "no temporary file is left";
}

TEST_F(Flow, EvidenceThatCannotBeKeptIsToldFirst) {
  serve(kOn, Outcome::open);
  EXPECT_EQ(world_.run({"verify", "--evidence", "/no/such/folder/e.json"}), 2);
  EXPECT_EQ(api_, nullptr) << "before anything is asked of the server";
}

TEST_F(Flow, AForbiddenListIsOneClearMessage) {
  serve(kOn, Outcome::open);
  denied_ = {"daemonsets"};
  EXPECT_EQ(world_.run({"diagnose"}), 4);
  EXPECT_TRUE(world_.err.str().starts_with("catflap: ")) << world_.err.str();
  EXPECT_EQ(world_.out.str(), "");
}

TEST_F(Flow, UndoWithoutAJournalSaysSo) {
  serve(kOn, Outcome::open);
  EXPECT_EQ(world_.run({"undo", "--yes"}), 3) << world_.err.str();
  EXPECT_NE(world_.out.str().find("nothing to undo"), std::string::npos) << world_.out.str();
}

TEST_F(Flow, WaitEndsAtItsTimeWithTheList) {
  serve(kOn, Outcome::open);
  cluster_->api.cluster().edit(
      {kube::kPods, "kube-system", "calico-node-2"}, [](json::object& pod) {
        pod["metadata"].at("labels").as_object()["controller-revision-hash"] = "older";
      });
  EXPECT_EQ(world_.run({"wait", "kube-system/calico-node", "--timeout", "2s", "-o", "json"}), 1)
      << world_.err.str();
  const json::value document = json::parse(world_.out.str());
  EXPECT_EQ(document.at("result"), "not-done");
  const json::value& set = document.at("daemonSets").at(0);
  EXPECT_EQ(set.at("end"), "time-up");
  EXPECT_EQ(set.at("nodes").at(1).at("name"), "n2");
  EXPECT_EQ(set.at("nodes").at(1).at("state"), "not-started");
}

TEST_F(Flow, WaitForADaemonSetThatDoesNotExist) {
  serve(kOn, Outcome::open);
  EXPECT_EQ(world_.run({"wait", "kube-system/no-such", "--timeout", "2s"}), 4);
  EXPECT_NE(world_.err.str().find("no-such"), std::string::npos) << world_.err.str();
}

TEST_F(Flow, QuietIsQuiet) {
  serve(kOn, Outcome::open);
  EXPECT_EQ(world_.run({"diagnose", "-q"}), 1);
  EXPECT_EQ(world_.err.str(), "");
}

}  // namespace
}  // namespace catflap::app
