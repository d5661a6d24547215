// The embedded cluster as a whole: the real client and the real probe against it.
#include "sim/cluster.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/yaml.hpp"

namespace catflap::sim {
namespace {

// Nodes of their own for each test: tests run side by side, and ports are the machine's.
constexpr const char* kTwoNodes = R"(
cluster:
  nodes: [{name: a, addresses: [10.91.77.1]}, {name: b, addresses: [10.91.77.2, "fd91:77::2"]}]
  env: {FELIX_PROMETHEUSMETRICSENABLED: "true"}
)";
constexpr const char* kOneNode = "cluster: {nodes: [{name: a, addresses: [10.91.76.1]}]}";

std::string refusal(const std::string& scenario) {
  const auto opened = Cluster::open({.scenario = scenario, .file = "x.yaml"});
  return opened.has_value() ? "" : to_string(opened.error());
}

TEST(Cluster, ServesAndEnds) {
  const auto opened = Cluster::open({.scenario = kTwoNodes, .file = "two.yaml"});
  ASSERT_TRUE(opened.has_value()) << to_string(opened.error());
  EXPECT_EQ((*opened)->failure(), std::nullopt);
  const auto config = parse_yaml((*opened)->kubeconfig(), "kubeconfig");
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->front().at("current-context"), "user");
  EXPECT_EQ(config->front().at("contexts").as_array().size(), 2u);
}

TEST(Cluster, WhatCannotBeServedIsSaid) {
  EXPECT_THAT(refusal("cluster: {rbac: [king], nodes: 0}"), testing::HasSubstr("king"));
  EXPECT_THAT(refusal("cluster: {colour: red}"), testing::HasSubstr("colour"));
  const auto first = Cluster::open({.scenario = kOneNode, .file = "one.yaml"});
  ASSERT_TRUE(first.has_value());
  EXPECT_THAT(refusal(kOneNode), testing::HasSubstr("10250")) << "the nodes' ports are taken";
}

}  // namespace
}  // namespace catflap::sim
