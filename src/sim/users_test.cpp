// The rights that the shipped roles give, as RBAC would.
#include "sim/users.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace catflap::sim {
namespace {

User shipped(const std::string& role) {
  std::ifstream file(std::string{CATFLAP_SOURCE_DIR} + "/deploy/" + role + ".yaml");
  std::stringstream text;
  text << file.rdbuf();
  auto rules = parse_roles(text.str());
  EXPECT_TRUE(rules && !rules->empty()) << role;
  return {.name = "user", .rules = rules ? *std::move(rules) : std::vector<Rule>{}};
}

const Action kPatchCalico{"patch", "apps", "daemonsets", "kube-system", "calico-node"};
const Action kListPods{"list", "", "pods", "kube-system", ""};
const Action kExec{"get", "", "pods/exec", "kube-system", "p"};

TEST(Users, RolesGiveWhatTheySay) {
  const auto reader = shipped("reader");
  EXPECT_TRUE(is_allowed(reader, kListPods));
  EXPECT_TRUE(is_allowed(reader, {"list", "", "nodes", "", ""}));
  EXPECT_FALSE(is_allowed(reader, kExec));
  EXPECT_FALSE(is_allowed(reader, kPatchCalico));
  const auto closer = shipped("closer");
  EXPECT_TRUE(is_allowed(closer, kExec));
  EXPECT_TRUE(is_allowed(closer, kPatchCalico));
}

TEST(Users, NamesAndNamespacesAreBounds) {
  const auto closer = shipped("closer");
  EXPECT_FALSE(is_allowed(closer, {"patch", "apps", "daemonsets", "kube-system", "kube-proxy"}));
  EXPECT_FALSE(is_allowed(closer, {"patch", "apps", "daemonsets", "default", "calico-node"}));
  EXPECT_FALSE(is_allowed(closer, {"list", "", "pods", "", ""})) << "a Role is for its namespace";
  EXPECT_FALSE(is_allowed(closer, {"list", "", "configmaps", "kube-system", ""}));
  EXPECT_TRUE(is_allowed(closer, {"get", "", "configmaps", "kube-system", "catflap-journal"}));
  EXPECT_TRUE(is_allowed(closer, {"create", "", "configmaps", "kube-system", ""}));
}

TEST(Users, WhatIsDeniedIsTakenAwayAgain) {
  auto closer = shipped("closer");
  closer.denied = {{"get", "pods/exec"}, {"patch", "daemonsets.apps"}};
  EXPECT_FALSE(is_allowed(closer, kExec));
  EXPECT_FALSE(is_allowed(closer, kPatchCalico));
  EXPECT_TRUE(is_allowed(closer, kListPods));
  User admin{.name = "admin", .groups = {"system:masters"}};
  EXPECT_TRUE(is_allowed(admin, kPatchCalico));
  admin.denied = {{"*", "daemonsets"}};
  EXPECT_FALSE(is_allowed(admin, kPatchCalico));
}

TEST(Users, WhatIsNoRoleIsAnError) {
  EXPECT_FALSE(parse_roles("a: [b"));
  EXPECT_FALSE(parse_roles("kind: Role\nrules: []\n")) << "it says no namespace";
  EXPECT_FALSE(parse_roles("kind: ClusterRole\nrules: [{verbs: {a: b}}]\n"));
  const auto other = parse_roles("kind: ConfigMap\n");
  ASSERT_TRUE(other);
  EXPECT_TRUE(other->empty());
}

}  // namespace
}  // namespace catflap::sim
