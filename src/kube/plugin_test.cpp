// Credential plugins: real child processes, made of /bin/sh.
#include "kube/plugin.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "kube/subprocess.hpp"
#include "support/http_test_server.hpp"
#include "support/test_client.hpp"

namespace catflap::kube {
namespace {

using test::TestClient;
using test::TestConnection;
using test::TestRequest;
using test::TestServer;
using ::testing::HasSubstr;

constexpr const char* kV1 = "client.authentication.k8s.io/v1";

ExecPlugin shell(const std::string& script) {
  return {.api_version = kV1, .command = "sh", .args = {"-c", script}, .env = {{"WHO", "me"}}};
}

std::string credential(const std::string& status) {
  return fmt::format(R"({{"apiVersion":"{}","kind":"ExecCredential","status":{}}})", kV1, status);
}

std::string print(const std::string& text) {
  return fmt::format("printf '%s' '{}'", text);
}

std::string line(const Result<PluginAnswer>& result) {
  if (!result)
    return fmt::format("{}: {}", to_string(result.error().kind), to_string(result.error()));
  return fmt::format("token={} expires={}", result->token.reveal(),
                     result->expires ? to_rfc3339(*result->expires) : "never");
}

TEST(Plugin, Answers) {
  struct Row {
    std::string text;
    const char* want;
  };
  const std::vector<Row> rows{
      {credential(R"({"token":"t"})"), "token=t expires=never"},
      {credential(R"({"token":"t","expirationTimestamp":"2026-01-02T03:04:05Z"})"),
       "token=t expires=2026-01-02T03:04:05.000Z"},
      {credential(R"({"clientCertificateData":"c","clientKeyData":"k"})"), "token= expires=never"},
      {credential(R"({"clientCertificateData":"c"})"), "only one of"},
      {credential(R"({"token":"a\r\nX: y"})"), "blanks"},
      {credential(R"({"token":"t","expirationTimestamp":"soon"})"), "not a time"},
      {credential("{}"), "neither a token nor"},
      {credential("null"), "has no status"},
      {R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1"})",
       "the kubeconfig asks for"},
      {R"({"kind":"Pod"})", "is not an ExecCredential"},
      {"please log in", "is not a JSON object"},
      {"", "is not a JSON object"},
  };
  for (const Row& row : rows)
    EXPECT_THAT(line(parse_exec_credential(row.text, kV1)), HasSubstr(row.want)) << row.text;
}

TEST(Plugin, IsToldAboutTheCluster) {
  ClientConfig config;
  config.server = *parse_endpoint("https://[fd91::1]:6443/x", "test");
  config.ca_pem = "PEM";
  config.exec_config = {{"audience", "a"}};
  config.proxy = *parse_endpoint("http://from-the-environment:3128", "HTTPS_PROXY");
  config.user.exec = shell("");
  EXPECT_EQ(
      exec_info(config, Environment::Stdin::other),
      R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"interactive":false}})");
  config.user.exec->provide_cluster_info = true;
  EXPECT_EQ(
      exec_info(config, Environment::Stdin::terminal),
      R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"interactive":true,)"
      R"("cluster":{"server":"https://[fd91::1]:6443/x","certificate-authority-data":"UEVN",)"
      R"("config":{"audience":"a"}}}})");
  config.proxy_url = "http://u:p@proxy:3128";  // as client-go: with its user and password
  EXPECT_THAT(exec_info(config, Environment::Stdin::other),
              HasSubstr(R"("proxy-url":"http://u:p@proxy:3128")"));
}

std::string run(const ExecPlugin& plugin) {
  ClientConfig config;
  config.user.exec = plugin;
  Environment environment;
  environment.variables = {"PATH=/usr/bin:/bin", "WHO=not me"};
  return line(run_plugin(config, environment, {}));
}

TEST(Plugin, Runs) {
  EXPECT_EQ(run(shell("echo noise >&2; " + print(credential(R"({"token":"t"})")))),
            "token=t expires=never");
  EXPECT_EQ(
      run(shell(
          R"(printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential",)"
          R"("status":{"token":"%s-%s"}}' "$WHO" "${#KUBERNETES_EXEC_INFO}")")),
      "token=me-101 expires=never");
  EXPECT_THAT(run(shell("echo 'your session has expired' >&2; exit 7")),
              HasSubstr("unauthenticated: sh: the credential plugin failed with exit code 7: your "
                        "session has expired"));
  // A Python plugin's reason is its last line, behind a page of traceback.
  EXPECT_THAT(run(shell("i=0; while [ $i -lt 200 ]; do echo \"  File $i\" >&2; i=$((i+1)); done; "
                        "echo 'NoCredentials: log in' >&2; exit 1")),
              ::testing::EndsWith(" / File 199 / NoCredentials: log in"));
  EXPECT_THAT(run(shell("echo 'open the page x' >&2; echo nonsense")),
              HasSubstr("sh: the credential plugin's answer is not a JSON object; it said: open "
                        "the page x"));
  EXPECT_THAT(run(shell("kill -9 $$")), HasSubstr("exit code 137: it said nothing"));
  ExecPlugin missing = shell("");
  missing.command = "no-such-plugin";
  EXPECT_THAT(run(missing),
              HasSubstr("unauthenticated: no-such-plugin: the credential plugin is not installed"));
  ExecPlugin always = shell("");
  always.interactive = ExecPlugin::Interactive::always;
  EXPECT_THAT(run(always), HasSubstr("standard input is not a terminal"));
}

TEST(Plugin, TheInstallHintIsShown) {
  ClientConfig config;
  config.user.exec = ExecPlugin{
      .api_version = kV1, .command = "no-such-plugin", .install_hint = "get it\x1b[1m here"};
  auto result = run_plugin(config, {}, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().hint, "get it\\x1b[1m here");
}

TEST(Subprocess, IsBoundedInTimeAndOutput) {
  Program program{.command = "sh",
                  .arguments = {"-c", "sleep 60"},
                  .environment = {"PATH=/usr/bin:/bin"},
                  .timeout = Duration{200}};
  auto start = std::chrono::steady_clock::now();
  auto late = run_program(program, {});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, ErrorKind::timed_out);

  program.timeout = std::chrono::seconds{20};
  program.arguments = {"-c", "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done"};
  program.max_stdout = 1000;
  auto much = run_program(program, {});
  ASSERT_FALSE(much);
  EXPECT_EQ(much.error().kind, ErrorKind::malformed_input);

  // A grandchild that keeps the pipes open must not hold us.
  program.arguments = {"-c", "sleep 60 & echo done"};
  auto done = run_program(program, {});
  ASSERT_TRUE(done);
  EXPECT_EQ(done->stdout_, "done\n");

  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
    stop.request_stop();
  });
  program.arguments = {"-c", "sleep 60"};
  auto stopped = run_program(program, stop.get_token());
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().kind, ErrorKind::interrupted);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds{10});
}

/// A plugin that counts its runs in a file and gives token-N.
struct CountingPlugin {
  std::string path = fmt::format("{}/catflap-plugin-{}", ::testing::TempDir(), ::getpid());
  CountingPlugin() { std::remove(path.c_str()); }
  ~CountingPlugin() { std::remove(path.c_str()); }
  CountingPlugin(const CountingPlugin&) = delete;
  CountingPlugin& operator=(const CountingPlugin&) = delete;

  [[nodiscard]] ExecPlugin plugin(const std::string& more = "") const {
    return shell(fmt::format(
        R"(echo x >> {0}; n=$(wc -l < {0}); printf '{{"apiVersion":"{1}","kind":"ExecCredential",)"
        R"("status":{{"token":"token-%s"{2}}}}}' "$n")",
        path, kV1, more));
  }
  [[nodiscard]] int runs() const {
    std::ifstream file(path);
    return static_cast<int>(std::count(std::istreambuf_iterator<char>(file), {}, '\n'));
  }
};

TEST(Plugin, IsCachedAndRunAgainOnceAfterA401) {
  CountingPlugin counting;
  std::atomic<int> refuse_below{0};
  TestServer server([&](const TestRequest& request, TestConnection& connection) {
    int number = std::stoi(request.header("authorization").substr(sizeof "Bearer token-" - 1));
    number < refuse_below ? connection.answer(401, "") : connection.answer(200, "{}");
  });
  TestClient client(server);
  client.config.user.token = Secret();
  client.config.user.exec = counting.plugin();
  client.environment.variables = {"PATH=/usr/bin:/bin"};
  ASSERT_TRUE(client.api().get_raw("/a"));
  ASSERT_TRUE(client.api().get_raw("/b"));
  EXPECT_EQ(counting.runs(), 1) << "no expiry: once per process";
  refuse_below = 2;
  ASSERT_TRUE(client.api().get_raw("/c"));
  EXPECT_EQ(counting.runs(), 2);
  refuse_below = 100;
  auto refused = client.api().get_raw("/d");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::unauthenticated);
  EXPECT_THAT(refused.error().what, HasSubstr("what the credential plugin sh gave"));
  EXPECT_EQ(counting.runs(), 3) << "one refresh, not a loop";
}

TEST(Plugin, AnExpiredAnswerIsRenewed) {
  CountingPlugin counting;
  TestServer server(
      [&](const TestRequest&, TestConnection& connection) { connection.answer(200, "{}"); });
  TestClient client(server);
  client.config.user.token = Secret();
  client.config.user.exec = counting.plugin(R"(,"expirationTimestamp":"2001-01-01T00:00:00Z")");
  client.environment.variables = {"PATH=/usr/bin:/bin"};
  ASSERT_TRUE(client.api().get_raw("/a"));
  ASSERT_TRUE(client.api().get_raw("/b"));
  EXPECT_EQ(counting.runs(), 2);
}

}  // namespace
}  // namespace catflap::kube
