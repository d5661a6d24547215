// What is written is what catflap's own loader reads.
#include "sim/kubeconfig_text.hpp"

#include <gtest/gtest.h>

#include "kube/client_config.hpp"

namespace catflap::sim {
namespace {

TEST(KubeconfigText, IsReadBack) {
  const auto text = kubeconfig_text("https://127.0.0.1:6443", "-----BEGIN CERTIFICATE-----\n",
                                    {{"admin", "t1"}, {"user", "t2"}}, "user");
  kube::Environment environment;
  environment.variable = [](const std::string&) { return std::nullopt; };
  environment.read_file = [&](const std::string&) -> Result<std::string> { return text; };
  const auto current = kube::load_client_config({.kubeconfig = "/k"}, environment);
  ASSERT_TRUE(current);
  EXPECT_EQ(current->server.to_string(), "https://127.0.0.1:6443");
  EXPECT_EQ(current->ca_pem, "-----BEGIN CERTIFICATE-----\n");
  EXPECT_EQ(current->info.cluster_name, "sim");
  EXPECT_EQ(current->user.token.reveal(), "t2");
  const auto admin =
      kube::load_client_config({.kubeconfig = "/k", .context = "admin"}, environment);
  ASSERT_TRUE(admin);
  EXPECT_EQ(admin->user.token.reveal(), "t1");
}

}  // namespace
}  // namespace catflap::sim
