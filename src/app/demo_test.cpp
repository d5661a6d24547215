// demo: catflap against the cluster that it serves itself; everything between them is real.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <thread>

#include "app/connect.hpp"
#include "app/runtime_test.hpp"
#include "net/probe.hpp"
#include "sim/cluster.hpp"

namespace catflap::app {
namespace {

using testing::HasSubstr;

struct File {
  explicit File(const std::string& text, const char* what)
      : path(testing::TempDir() + "catflap-demo-" + what + std::to_string(::getpid())) {
    std::ofstream(path) << text;
  }
  ~File() { std::remove(path.c_str()); }
  std::string path;
};

/// A catflap with everything real but its streams.
struct Real : test::World {
  RealClock real;
  Real() {
    clock = &real;
    connect = [this](const ConnectFlags& flags) { return app::connect(flags, real, {}, err); };
    probe = [this](std::span<const net::Target> targets, const net::ProbeOptions& options) {
      return net::probe(targets, options, real);
    };
  }
};

TEST(Demo, DiagnoseSeesWhatTheScenarioSays) {
  const auto cluster = sim::Cluster::open({.scenario = R"(
cluster:
  nodes: [{name: a, addresses: [10.91.78.1]}, {name: b, addresses: [10.91.78.2]}]
  env: {FELIX_PROMETHEUSMETRICSENABLED: "true"}
  listeners: {b: [{port: 9091, serves: pushgateway}]}
)",
                                           .file = "x.yaml"});
  ASSERT_TRUE(cluster.has_value()) << to_string(cluster.error());
  const File kubeconfig((*cluster)->kubeconfig(), "config");
  Real catflap;
  EXPECT_EQ(catflap.run({"diagnose", "--from", "direct,exec", "-o", "json", "--kubeconfig",
                         kubeconfig.path}),
            1)
      << catflap.err.str();
  const auto document = boost::json::parse(catflap.out.str());
  // What answers at a loopback address is no proof that others can read it; where the machine has
  // the nodes' own addresses, it is.
  const auto seen = [&](std::size_t node) {
    const auto& all = document.at("nodes").at(node).at("reachable").as_array();
    return all.empty() ? boost::json::value{} : all[0].at("identity");
  };
  EXPECT_EQ(seen(0), "felix");
  EXPECT_EQ(seen(1), "other");
  EXPECT_NE(document.at("nodes").at(0).at("verdict"), "closed");
  EXPECT_NE(document.at("nodes").at(1).at("verdict"), "closed") << "it takes the port when it can";
}

TEST(Demo, TellsOfANodeThatIsNotClosedAtFirst) {
  Real catflap;
  EXPECT_EQ(catflap.run({"demo"}), 0) << catflap.err.str() << catflap.out.str();
  const auto told = catflap.out.str();
  const auto place = [&](const char* text, std::size_t from) { return told.find(text, from); };
  const auto before = place("All 3 nodes are exposed.", 0);
  ASSERT_NE(before, std::string::npos) << told;
  const auto between = place("exposed  1 node: n3", before);
  ASSERT_NE(between, std::string::npos) << told;
  const auto after = place("All 3 nodes are closed.", between);
  ASSERT_NE(after, std::string::npos) << told;
  EXPECT_NE(place("Every node is proven closed", after), std::string::npos) << told;
  EXPECT_THAT(told, testing::Not(HasSubstr("--kubeconfig")));

  // One after the other: two demos at once would want the same addresses.
  Real fooled;
  fooled.probe = [&](std::span<const net::Target> targets, const net::ProbeOptions&) {
    std::vector<Reach> always_open;
    for (const auto& target : targets)
      always_open.push_back({.vantage = "direct",
                             .node = target.node,
                             .endpoint = target.endpoint,
                             .outcome = Outcome::open,
                             .identity = Identity::felix,
                             .felix_host = target.node,
                             .http_status = 200,
                             .at = fooled.real.now()});
    return always_open;
  };
  EXPECT_EQ(fooled.run({"demo"}), 4);
  EXPECT_THAT(fooled.out.str(), testing::Not(HasSubstr("proven closed")));
}

TEST(Demo, SaysWhatItNeeds) {
  test::World without;
  EXPECT_EQ(without.run({"demo", "--scenario", "x.yaml"}), 2);
  EXPECT_THAT(without.err.str(), HasSubstr("--serve"));
  test::World missing;
  EXPECT_EQ(missing.run({"demo", "--serve", "--scenario", "/no/such/file"}), 2);
  EXPECT_THAT(missing.err.str(), HasSubstr("/no/such/file"));
  const File scenario("cluster: {colour: red}", "scenario");
  test::World wrong;
  EXPECT_EQ(wrong.run({"demo", "--serve", "--scenario", scenario.path}), 2);
  EXPECT_THAT(wrong.err.str(), HasSubstr("colour"));
  const File good("cluster: {nodes: [{name: a, addresses: [10.91.79.1]}]}", "good");
  test::World nowhere;
  EXPECT_EQ(nowhere.run({"demo", "--serve", "--scenario", good.path, "--kubeconfig", "/no/such/f"}),
            2);
  EXPECT_THAT(nowhere.err.str(), HasSubstr("/no/such/f"));
}

}  // namespace
}  // namespace catflap::app
