// What is shown when: files that rotate, plugins whose answers expire. The clock is wound by hand.
#include "kube/credentials.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace catflap::kube {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

struct World {
  std::map<std::string, std::string> files;
  std::map<std::string, std::string> variables;
  Environment environment;
  ManualClock clock;
  ClientConfig config;

  World() {
    config.server = *parse_endpoint("https://10.0.0.1:6443", "test");
    config.info.user_name = "u";
    environment.variables = {"PATH=/usr/bin:/bin"};
    environment.variable = [this](const std::string& name) -> std::optional<std::string> {
      auto found = variables.find(name);
      if (found == variables.end()) return std::nullopt;
      return found->second;
    };
    environment.read_file = [this](const std::string& path) -> Result<std::string> {
      auto found = files.find(path);
      if (found != files.end()) return found->second;
      return Error{
          .kind = ErrorKind::not_found, .what = "cannot be read: No such file", .subject = path};
    };
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;
};

std::string shown(Credentials& credentials) {
  auto identity = credentials.current();
  if (!identity) return to_string(identity.error());
  return fmt::format("{} {} generation {}", identity->authorization.reveal(),
                     identity->certificate_pem, identity->generation);
}

TEST(Credentials, ATokenFileIsReadAgainAfterTenSeconds) {
  World world;
  world.config.user.token_file = "/token";
  world.files["/token"] = "one\n";
  Credentials credentials(world.config, world.environment, world.clock, {});
  EXPECT_EQ(shown(credentials), "Bearer one  generation 0");
  world.files["/token"] = "two\n";
  world.clock.advance(9s);
  EXPECT_EQ(shown(credentials), "Bearer one  generation 0");
  world.clock.advance(2s);
  EXPECT_EQ(shown(credentials), "Bearer two  generation 0");
}

TEST(Credentials, AFileThatIsBeingReplacedDoesNotTakeTheTokenAway) {
  World world;
  world.config.user.token_file = "/token";
  world.files["/token"] = "one";
  Credentials credentials(world.config, world.environment, world.clock, {});
  EXPECT_EQ(shown(credentials), "Bearer one  generation 0");
  world.files.clear();
  world.clock.advance(11s);
  EXPECT_EQ(shown(credentials), "Bearer one  generation 0");
  world.files["/token"] = "\n";
  world.clock.advance(11s);
  EXPECT_EQ(shown(credentials), "Bearer one  generation 0");
  world.files["/token"] = "two";
  world.clock.advance(11s);
  EXPECT_EQ(shown(credentials), "Bearer two  generation 0");
}

TEST(Credentials, AnEmptyOrMissingTokenFileIsNotAnonymous) {
  World world;
  world.config.user.token_file = "/token";
  Credentials credentials(world.config, world.environment, world.clock, {});
  EXPECT_THAT(shown(credentials), HasSubstr("/token: tokenFile of user \"u\" cannot be read"));
  world.files["/token"] = "\n";
  EXPECT_THAT(shown(credentials), HasSubstr("/token: tokenFile of user \"u\" is empty"));
  world.files["/token"] = "one";
  EXPECT_EQ(shown(credentials), "Bearer one  generation 0");
}

TEST(Credentials, AFailedReadIsAnErrorUntilItIsRepaired) {
  World world;
  world.config.user.token_file = "/token";
  world.config.user.client_certificate = "/certificate";
  world.config.user.client_key = "/key";
  world.files = {{"/token", "one"}, {"/certificate", "A"}, {"/key", "K"}};
  Credentials credentials(world.config, world.environment, world.clock, {});
  EXPECT_EQ(shown(credentials), "Bearer one A generation 1");
  world.files.erase("/certificate");
  world.clock.advance(11s);
  EXPECT_THAT(shown(credentials), HasSubstr("client-certificate of user \"u\" cannot be read"));
  EXPECT_THAT(shown(credentials), HasSubstr("cannot be read")) << "also the second time";
  world.files["/certificate"] = "B";
  EXPECT_EQ(shown(credentials), "Bearer one B generation 2");
}

TEST(Credentials, TheServiceAccountsTokenRotates) {
  World world;
  const std::string folder = "/var/run/secrets/kubernetes.io/serviceaccount";
  world.variables = {{"KUBERNETES_SERVICE_HOST", "10.0.0.1"}, {"KUBERNETES_SERVICE_PORT", "443"}};
  world.files = {{folder + "/ca.crt", "CA"}, {folder + "/token", "first"}};
  auto config = load_client_config({}, world.environment);
  ASSERT_TRUE(config) << to_string(config.error());
  Credentials credentials(*config, world.environment, world.clock, {});
  EXPECT_EQ(shown(credentials), "Bearer first  generation 0");
  world.files[folder + "/token"] = "second";
  world.clock.advance(1h);
  EXPECT_EQ(shown(credentials), "Bearer second  generation 0");
}

/// A plugin that prints a file and counts its runs in another.
struct FilePlugin {
  std::string path = fmt::format("{}/catflap-credential-{}", ::testing::TempDir(), ::getpid());
  FilePlugin() = default;
  ~FilePlugin() {
    std::remove(path.c_str());
    std::remove((path + ".runs").c_str());
  }
  FilePlugin(const FilePlugin&) = delete;
  FilePlugin& operator=(const FilePlugin&) = delete;

  void give(const std::string& status) const {
    std::ofstream(path)
        << R"({"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":)"
        << status << "}";
  }
  [[nodiscard]] ExecPlugin plugin() const {
    return {.api_version = "client.authentication.k8s.io/v1",
            .command = "sh",
            .args = {"-c", fmt::format("echo x >> {0}.runs; cat {0}", path)}};
  }
  [[nodiscard]] int runs() const {
    std::ifstream file(path + ".runs");
    return static_cast<int>(std::count(std::istreambuf_iterator<char>(file), {}, '\n'));
  }
};

TEST(Credentials, APluginsAnswerIsKeptUntilItExpires) {
  World world;
  FilePlugin plugin;
  world.config.user.exec = plugin.plugin();
  auto in_an_hour = to_rfc3339(world.clock.now() + 1h);
  plugin.give(fmt::format(R"({{"token":"t","expirationTimestamp":"{}"}})", in_an_hour));
  Credentials credentials(world.config, world.environment, world.clock, {});
  for (int minute = 0; minute < 60; minute += 10, world.clock.advance(10min - 1ms))
    EXPECT_EQ(shown(credentials), "Bearer t  generation 0");
  EXPECT_EQ(plugin.runs(), 1);
  world.clock.advance(1min);
  plugin.give(R"({"clientCertificateData":"C","clientKeyData":"K"})");
  EXPECT_EQ(shown(credentials), " C generation 1");
  EXPECT_EQ(plugin.runs(), 2);
  world.clock.advance(24h);
  EXPECT_EQ(shown(credentials), " C generation 1");
  EXPECT_EQ(plugin.runs(), 2) << "no expiry: for good";
}

TEST(Credentials, AnExpiredAnswerDoesNotOutliveAFailingPlugin) {
  World world;
  FilePlugin plugin;
  world.config.user.exec = plugin.plugin();
  plugin.give(fmt::format(R"({{"token":"t","expirationTimestamp":"{}"}})",
                          to_rfc3339(world.clock.now() + 1min)));
  Credentials credentials(world.config, world.environment, world.clock, {});
  EXPECT_EQ(shown(credentials), "Bearer t  generation 0");
  plugin.give("null");
  world.clock.advance(2min);
  EXPECT_THAT(shown(credentials), HasSubstr("has no status"));
  EXPECT_THAT(shown(credentials), HasSubstr("has no status"));
  EXPECT_EQ(plugin.runs(), 3);
}

}  // namespace
}  // namespace catflap::kube
