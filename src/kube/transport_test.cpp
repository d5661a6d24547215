// Connections, their ends and the time of a call: what a server, or the way to it, does to us.
#include "kube/transport.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "kube/client.hpp"
#include "kube/websocket.hpp"
#include "support/http_test_server.hpp"
#include "support/test_client.hpp"

namespace catflap::kube {
namespace {

using test::line;
using test::TestClient;
using test::TestConnection;
using test::TestRequest;
using test::TestServer;
using test::TestTls;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

const ObjectRef kJournal{kConfigMaps, "kube-system", "catflap-journal"};

ExecPlugin shell(const std::string& script) {
  return {.api_version = "client.authentication.k8s.io/v1",
          .command = "sh",
          .args = {"-c", script},
          .env = {}};
}

std::string credential(const std::string& status) {
  return fmt::format(
      R"({{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{}}})",
      status);
}

ExecCall cat(Duration timeout) {
  return {.namespace_ = "ns", .pod = "p", .container = "c", .command = {"cat"}, .timeout = timeout};
}

void upgrade(const TestRequest& request, TestConnection& connection) {
  connection.send(fmt::format(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: {}\r\nSec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n",
      websocket_accept(request.header("sec-websocket-key"))));
  const std::string status = "\x03{\"status\":\"Success\"}";
  connection.send("\x82" + std::string(1, static_cast<char>(status.size())) + status);
}

class SlowPlugin : public ::testing::Test {
 protected:
  TestServer server_{[](const TestRequest& request, TestConnection& connection) {
    if (request.header("connection") == "Upgrade") return upgrade(request, connection);
    connection.answer(200, "{}");
  }};
  TestClient client_{server_};

  void SetUp() override {
    client_.config.user.token = Secret();
    client_.config.user.exec =
        shell(fmt::format("sleep 2; printf '%s' '{}'", credential(R"({"token":"t"})")));
    client_.config.request_timeout = 1s;
    client_.environment.variables = {"PATH=/usr/bin:/bin"};
  }
};

TEST_F(SlowPlugin, TakesNoTimeOfARequest) {
  EXPECT_EQ(line(client_.api().get_raw("/version")), "ok");
}

TEST_F(SlowPlugin, TakesNoTimeOfAnExec) {
  auto results = client_.api().exec({cat(1s)}, 1);
  EXPECT_EQ(line(results.at(0)), "ok");
}

TEST(Transport, APluginThatFailsIsRunOnceForAllExecs) {
  const std::string path = fmt::format("{}/catflap-runs-{}", ::testing::TempDir(), ::getpid());
  TestServer server([](const TestRequest&, TestConnection&) {});
  TestClient client(server);
  client.config.user.token = Secret();
  client.config.user.exec = shell(fmt::format("echo x >> {}; exit 1", path));
  client.environment.variables = {"PATH=/usr/bin:/bin"};
  auto results = client.api().exec(std::vector<ExecCall>(20, cat(1s)), 4);
  ASSERT_EQ(results.size(), 20u);
  for (const auto& result : results)
    EXPECT_THAT(line(result), HasSubstr("credential plugin failed"));
  std::ifstream file(path);
  EXPECT_EQ(std::count(std::istreambuf_iterator<char>(file), {}, '\n'), 1);
  std::remove(path.c_str());
}

TEST(Transport, ARefusalLeavesItsConnectionUsable) {
  TestServer server([](const TestRequest& request, TestConnection& connection) {
    connection.answer(request.target == "/gone" ? 404 : 200, "{}");
  });
  TestClient client(server);
  EXPECT_THAT(line(client.api().get_raw("/gone")), HasSubstr("not_found 404"));
  EXPECT_EQ(line(client.api().get_raw("/version")), "ok");
  EXPECT_EQ(server.connections(), 1);
}

TEST(Transport, AServerThatIsBusyForNowIsNotAskedInACircle) {
  std::atomic<int> tries{0};
  TestServer server([&](const TestRequest&, TestConnection& connection) {
    ++tries;
    connection.answer(429, "busy", "Retry-After: 0\r\n");
  });
  TestClient client(server);
  client.config.request_timeout = 1500ms;
  EXPECT_THAT(line(client.api().get_raw("/version")), HasSubstr("overloaded 429"));
  EXPECT_LE(tries, 4);
}

/// A NAT or a load balancer that has forgotten a connection drops its packets without a word.
TestServer::Handler silent_after_the_first_request() {
  return [first = std::make_shared<std::atomic<bool>>(true)](const TestRequest& request,
                                                             TestConnection& connection) {
    if (request.connection == 1 && !first->exchange(false)) return (void)connection.receive();
    if (request.header("connection") == "Upgrade") return upgrade(request, connection);
    connection.answer(200, "{}");
  };
}

TEST(Transport, AKeptConnectionThatIsSilentIsReplaced) {
  TestServer server(silent_after_the_first_request());
  TestClient client(server);
  client.config.request_timeout = 1s;
  EXPECT_EQ(line(client.api().get_raw("/version")), "ok");
  EXPECT_EQ(line(client.api().get_raw("/version")), "ok");
  EXPECT_EQ(server.connections(), 2);
}

TEST(Transport, AWriteGoesOutOnAConnectionOfItsOwn) {
  TestServer server(silent_after_the_first_request());
  TestClient client(server);
  EXPECT_EQ(line(client.api().get_raw("/version")), "ok");
  EXPECT_EQ(line(client.api().patch(kJournal, PatchType::merge_patch, json::object{}, {})), "ok");
}

TEST(Transport, SoDoesAnExec) {
  TestServer server(silent_after_the_first_request());
  TestClient client(server);
  EXPECT_EQ(line(client.api().get_raw("/version")), "ok");
  EXPECT_EQ(line(client.api().exec({cat(5s)}, 1).at(0)), "ok");
}

TEST(Transport, AServerThatRestartsIsWaitedFor) {
  TestServer server([](const TestRequest&, TestConnection& connection) {
    connection.answer(200, "{}", "Connection: close\r\n");
  });
  TestClient client(server);
  EXPECT_EQ(line(client.api().get_raw("/version")), "ok");
  server.stop_listening();
  std::jthread restart([&] {
    std::this_thread::sleep_for(700ms);
    server.listen_again();
  });
  EXPECT_EQ(line(client.api().patch(kJournal, PatchType::merge_patch, json::object{}, {})), "ok")
      << "also a write: a refused connection has not carried it";
}

TEST(Transport, AnAnswerToAWriteThatCannotBeReadLeavesItUnclear) {
  TestServer server([](const TestRequest& request, TestConnection& connection) {
    bool large = request.target.find("large") != std::string::npos;
    connection.answer(200, large ? std::string(33u << 20, ' ') : "<html>");
  });
  TestClient client(server);
  for (const char* name : {"large", "html"}) {
    auto patched = client.api().patch({kConfigMaps, "a", name}, PatchType::merge_patch,
                                      json::object{}, {.dry_run = false});
    EXPECT_THAT(line(patched), HasSubstr("whether the change was made is not known")) << name;
    EXPECT_EQ(patched.error().hint, "look at the object before trying again");
  }
}

TEST(Transport, ADryRunIsAskedForInEveryWrite) {
  TestRequest seen;
  TestServer server([&](const TestRequest& request, TestConnection& connection) {
    seen = request;
    connection.answer(200, "{}");
  });
  TestClient client(server);
  const WriteOptions dry{.dry_run = true};
  ASSERT_EQ(line(client.api().patch(kJournal, PatchType::merge_patch, json::object{}, dry)), "ok");
  EXPECT_EQ(seen.header("content-type"), "application/merge-patch+json");
  EXPECT_THAT(seen.target, HasSubstr("dryRun=All"));
  ASSERT_EQ(line(client.api().remove(kJournal, "", "", dry)), "ok");
  EXPECT_THAT(seen.target, HasSubstr("dryRun=All"));
  ASSERT_EQ(line(client.api().remove(kJournal, "", "", {})), "ok");
  EXPECT_THAT(seen.target, ::testing::Not(HasSubstr("dryRun")));
}

TEST(Transport, AServerOverIPv6) {
  if (!test::has_ipv6()) GTEST_SKIP() << "this machine has no ::1";
  std::string host;
  TestServer server(
      [&](const TestRequest& request, TestConnection& connection) {
        host = request.header("host");
        connection.answer(200, "{}");
      },
      TestTls::https, "::1");
  TestClient client(server);
  EXPECT_EQ(line(client.api().get_raw("/version")), "ok");
  EXPECT_EQ(host, fmt::format("[::1]:{}", server.port()));

  std::string asked;
  TestServer proxy(
      [&](const TestRequest& request, TestConnection& connection) {
        asked = request.method + " " + request.target;
        connection.send("HTTP/1.1 200 Connection established\r\n\r\n");
        connection.splice_to(server.port(), "::1");
      },
      TestTls::plain, "::1");
  TestClient proxied(server);
  proxied.config.proxy = *parse_endpoint(proxy.url(), "test");
  EXPECT_EQ(line(proxied.api().get_raw("/version")), "ok");
  EXPECT_EQ(asked, fmt::format("CONNECT [::1]:{}", server.port()));
}

TEST(Transport, AClientCertificateFromFiles) {
  TestServer server(
      [](const TestRequest&, TestConnection& connection) { connection.answer(200, "{}"); },
      TestTls::https_wants_client);
  TestClient client(server);
  client.config.user.client_certificate = "/c.crt";
  client.config.user.client_key = "/c.key";
  client.files = {{"/c.crt", server.ca_pem()}, {"/c.key", server.key_pem()}};
  EXPECT_EQ(line(client.api().get_raw("/version")), "ok");
}

TEST(Transport, ANewCertificateFromAPluginMakesANewConnection) {
  auto answer = [](const TestRequest&, TestConnection& connection) {
    connection.answer(200, "{}");
  };
  TestServer server(answer, TestTls::https_wants_client);
  TestServer other(answer);
  const std::string path = fmt::format("{}/catflap-pair-{}", ::testing::TempDir(), ::getpid());
  auto give = [&](const TestServer& pair) {
    json::object status{{"clientCertificateData", pair.ca_pem()},
                        {"clientKeyData", pair.key_pem()},
                        {"expirationTimestamp", "2001-01-01T00:00:00Z"}};  // ask each time
    std::ofstream(path) << credential(json::serialize(status));
  };
  TestClient client(server);
  client.config.user.token = Secret();
  client.config.user.exec = shell("cat " + path);
  client.environment.variables = {"PATH=/usr/bin:/bin"};
  give(server);
  EXPECT_EQ(line(client.api().get_raw("/version")), "ok");
  EXPECT_EQ(line(client.api().get_raw("/version")), "ok");
  EXPECT_EQ(server.connections(), 1) << "the same certificate: the same connection";
  give(other);
  EXPECT_THAT(line(client.api().get_raw("/version")), HasSubstr("unknown ca"));
  EXPECT_EQ(server.connections(), 2);
  std::remove(path.c_str());
}

}  // namespace
}  // namespace catflap::kube
