// The client against a server that does what each test says. What the real API server was seen to
// do is in the handlers: a text/plain 429, a 410 in mid-list, a connection cut while an answer is
// due.
#include "kube/client.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "support/http_test_server.hpp"
#include "support/test_client.hpp"

namespace catflap::kube {
namespace {

using test::gzip;
using test::line;
using test::TestClient;
using test::TestConnection;
using test::TestRequest;
using test::TestServer;
using test::TestTls;
using ::testing::HasSubstr;

constexpr const char* kVersion = R"({"gitVersion":"v1.33.13"})";

TEST(Client, SendsWhoItIsAndReusesItsConnection) {
  std::vector<TestRequest> seen;
  TestServer server([&](const TestRequest& request, TestConnection& connection) {
    seen.push_back(request);
    connection.answer(200, kVersion);
  });
  TestClient client(server);
  client.config.user.as = {.user = "alice", .groups = {"a", "b"}, .extra = {{"x/y", {"1"}}}};
  for (int i = 0; i < 3; ++i) ASSERT_EQ(line(client.api().get_raw("/version")), "ok");
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(seen[0].header("authorization"), "Bearer t0ken");
  EXPECT_EQ(seen[0].header("impersonate-user"), "alice");
  EXPECT_EQ(seen[0].header("impersonate-group"), "a|b");
  EXPECT_EQ(seen[0].header("impersonate-extra-x%2fy"), "1");
  EXPECT_EQ(seen[0].header("user-agent"), "catflap/" CATFLAP_VERSION);
  EXPECT_EQ(seen[0].header("host"), fmt::format("127.0.0.1:{}", server.port()));
}

TEST(Client, NoCredentialsOverPlainHttp) {
  std::string authorization = "none yet";
  TestServer server(
      [&](const TestRequest& request, TestConnection& connection) {
        authorization = request.header("authorization");
        connection.answer(200, kVersion);
      },
      TestTls::plain);
  TestClient client(server);
  EXPECT_EQ(line(client.api().get_raw("/version")), "ok");
  EXPECT_EQ(authorization, "");
}

TEST(Client, ADeadKeepAliveConnectionIsReplaced) {
  std::atomic<int> cut_from{2};
  TestServer server([&](const TestRequest& request, TestConnection& connection) {
    // The first connection dies when its second request is already on its way.
    if (request.connection == 1 && --cut_from < 1) return connection.cut();
    connection.answer(200, kVersion);
  });
  TestClient client(server);
  EXPECT_EQ(line(client.api().get_raw("/version")), "ok");
  EXPECT_EQ(line(client.api().get_raw("/version")), "ok");
  EXPECT_EQ(server.connections(), 2);
}

TEST(Client, AWriteWhoseAnswerIsLostIsNotSentAgain) {
  std::atomic<int> writes{0};
  TestServer server([&](const TestRequest& request, TestConnection& connection) {
    if (request.method != "PATCH") return connection.answer(200, kVersion);
    ++writes;
    connection.cut();
  });
  TestClient client(server);
  EXPECT_EQ(line(client.api().get_raw("/version")), "ok");
  ObjectRef ref{kDaemonSets, "kube-system", "calico-node"};
  auto patched = client.api().patch(ref, PatchType::merge_patch, json::object{}, {});
  EXPECT_THAT(line(patched), HasSubstr("whether the change was made is not known"));
  EXPECT_EQ(writes, 1);
}

TEST(Client, AWriteThatTheServerPutOffIsSentAgain) {
  std::atomic<int> tries{0};
  std::string query;
  TestServer server([&](const TestRequest& request, TestConnection& connection) {
    query = request.target;
    if (++tries < 3)
      return connection.answer(429, "Too many requests\n",
                               "Retry-After: 0\r\nContent-Type: text/plain\r\n");
    connection.answer(201, R"({"metadata":{"name":"j"}})", "Audit-Id: 42\r\n");
  });
  TestClient client(server);
  auto made = client.api().create(kConfigMaps, "kube-system", json::object{}, {.dry_run = true});
  ASSERT_EQ(line(made), "ok");
  EXPECT_EQ(made->audit_id, "42");
  EXPECT_EQ(tries, 3);
  EXPECT_EQ(query, "/api/v1/namespaces/kube-system/configmaps?fieldManager=catflap&dryRun=All");
}

TEST(Client, RetryAfterIsWaitedFor) {
  std::atomic<int> tries{0};
  TestServer server([&](const TestRequest&, TestConnection& connection) {
    if (++tries == 1) return connection.answer(429, "busy", "Retry-After: 1\r\n");
    connection.answer(200, kVersion);
  });
  TestClient client(server);
  auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(line(client.api().get_raw("/version")), "ok");
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::seconds{1});
}

TEST(Client, AnOverloadedServerIsGivenUpInTime) {
  TestServer server([&](const TestRequest&, TestConnection& connection) {
    connection.answer(429, "busy", "Retry-After: 60\r\n");
  });
  TestClient client(server);
  client.config.request_timeout = std::chrono::seconds{2};
  auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(line(client.api().get_raw("/version")), HasSubstr("overloaded 429"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds{10});
}

TEST(Client, ServerErrorsAreRetriedForReadsOnly) {
  std::atomic<int> requests{0};
  TestServer server([&](const TestRequest&, TestConnection& connection) {
    ++requests;
    connection.answer(503, "starting");
  });
  TestClient client(server);
  EXPECT_THAT(line(client.api().get_raw("/version")), HasSubstr("unreachable 503"));
  EXPECT_EQ(requests, 5);
  requests = 0;
  auto made = client.api().create(kConfigMaps, "x", json::object{}, {});
  EXPECT_THAT(line(made), HasSubstr("whether the change was made is not known"));
  EXPECT_EQ(requests, 1);
  requests = 0;
  // The API server hands on what a pod said: that is an answer and no reason to ask again.
  EXPECT_THAT(line(client.api().get_raw("/api/v1/namespaces/a/pods/b:9091/proxy/metrics")),
              HasSubstr("503"));
  EXPECT_EQ(requests, 1);
}

TEST(Client, A401ReadsTheTokenFileAgainOnce) {
  std::atomic<int> requests{0};
  TestServer server([&](const TestRequest& request, TestConnection& connection) {
    ++requests;
    if (request.header("authorization") == "Bearer new") return connection.answer(200, kVersion);
    connection.answer(401, R"({"kind":"Status","message":"Unauthorized","code":401})");
  });
  TestClient client(server);
  client.config.user.token = Secret();
  client.config.user.token_file = "/token";
  client.files["/token"] = "old\n";
  EXPECT_THAT(line(client.api().get_raw("/version")),
              HasSubstr("unauthenticated 401: /version: the server did not accept the token in "
                        "/token of user \"tester\""));
  EXPECT_EQ(requests, 1) << "the file still says the same";
  client.files["/token"] = "new\n";
  EXPECT_EQ(line(client.api().get_raw("/version")), "ok");
  EXPECT_EQ(requests, 3);
}

TEST(Client, AnswersAreBounded) {
  TestServer server([&](const TestRequest& request, TestConnection& connection) {
    if (request.target == "/large") {
      connection.answer(200, gzip("\"" + std::string(33u << 20, 'x') + "\""),
                        "Content-Encoding: gzip\r\n");
    } else if (request.target == "/head") {
      connection.answer(200, "{}", "X: " + std::string(70'000, 'x') + "\r\n");
    } else if (request.target == "/html") {
      connection.answer(200, "<html>log in</html>");
    } else {
      connection.send("SSH-2.0-OpenSSH_9.2\r\n");
      connection.receive();
    }
  });
  TestClient client(server);
  EXPECT_EQ(line(client.api().get_raw("/large")),
            "malformed_input 0: /large: the answer is larger than 32 MiB");
  EXPECT_THAT(line(client.api().get_raw("/head")), HasSubstr("headers are larger than 64 KiB"));
  EXPECT_THAT(line(client.api().get_raw("/html")),
              HasSubstr("malformed_input 0: /html: the answer is not JSON"));
  EXPECT_THAT(line(client.api().get_raw("/ssh")),
              HasSubstr("malformed_input 0: /ssh: the answer is not HTTP"));
}

TEST(Client, AnAnswerCutShortIsNotAnAnswer) {
  TestServer server([&](const TestRequest&, TestConnection& connection) {
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}");
    connection.cut();
  });
  TestClient client(server);
  client.config.request_timeout = std::chrono::seconds{3};
  EXPECT_THAT(line(client.api().get_raw("/version")), HasSubstr("unreachable 104"));
}

TEST(Client, AHangingServerIsLeftInTime) {
  TestServer server([&](const TestRequest&, TestConnection& connection) { connection.receive(); });
  TestClient client(server);
  client.config.request_timeout = std::chrono::milliseconds{300};
  auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(line(client.api().get_raw("/version")), HasSubstr("timed_out 0"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds{2});
}

TEST(Client, AStopRequestEndsABlockedCall) {
  TestServer server([&](const TestRequest&, TestConnection& connection) { connection.receive(); });
  TestClient client(server);
  std::chrono::steady_clock::time_point stopped;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds{200});
    stopped = std::chrono::steady_clock::now();
    client.stop.request_stop();
  });
  EXPECT_THAT(line(client.api().get_raw("/version")), HasSubstr("interrupted"));
  // It takes less than a millisecond; the rest is for a busy machine.
  EXPECT_LT(std::chrono::steady_clock::now() - stopped, std::chrono::milliseconds{100});
  EXPECT_THAT(line(client.api().get_raw("/version")), HasSubstr("interrupted"))
      << "and every later one";
  EXPECT_EQ(
      client.api().run_until([] { return false; }, client.clock.steady() + std::chrono::hours{1}),
      RunResult::stopped);
}

TEST(Client, RunUntilEndsAtItsDeadlineOrWhenDone) {
  TestServer server([&](const TestRequest&, TestConnection&) {});
  TestClient client(server);
  EXPECT_EQ(client.api().run_until([] { return false; }, client.clock.steady() + Duration{120}),
            RunResult::deadline);
  int asked = 0;
  EXPECT_EQ(client.api().run_until([&] { return ++asked == 3; },
                                   client.clock.steady() + std::chrono::minutes{1}),
            RunResult::done);
  EXPECT_EQ(server.connections(), 0) << "no traffic before the first call";
}

TEST(Client, TlsFailuresSayWhatWasChecked) {
  auto handler = [](const TestRequest&, TestConnection& connection) {
    connection.answer(200, kVersion);
  };
  TestServer good(handler);
  TestServer other(handler);
  {
    TestClient client(good);
    client.config.ca_pem = other.ca_pem();
    auto result = client.api().get_raw("/version");
    EXPECT_THAT(line(result), HasSubstr("is not trusted"));
    EXPECT_THAT(result.error().hint, HasSubstr("certificate-authority-data of cluster \"test\""));
  }
  {
    TestClient client(good);
    client.config.tls_server_name = "other.name";
    EXPECT_THAT(line(client.api().get_raw("/version")),
                HasSubstr("is not for \"other.name\" but for 127.0.0.1, test.invalid"));
  }
  {
    TestClient client(good);
    client.config.tls_server_name = "test.invalid";
    EXPECT_EQ(line(client.api().get_raw("/version")), "ok");
  }
  {
    TestServer expired(handler, TestTls::https_expired);
    TestClient client(expired);
    EXPECT_THAT(line(client.api().get_raw("/version")),
                HasSubstr("certificate has expired, it ended at 20"));
    TestClient careless(expired);
    careless.config.ca_pem.clear();
    careless.config.server_check = ServerCheck::skip;
    EXPECT_EQ(line(careless.api().get_raw("/version")), "ok");
  }
}

TEST(Client, ClientCertificates) {
  TestServer server(
      [](const TestRequest&, TestConnection& connection) { connection.answer(200, kVersion); },
      TestTls::https_wants_client);
  {
    TestClient client(server);
    auto result = client.api().get_raw("/version");
    EXPECT_THAT(line(result), HasSubstr("certificate required"));
    EXPECT_THAT(result.error().hint, HasSubstr("this user has none"));
  }
  {
    TestClient client(server);
    client.config.user.client_certificate_data = server.ca_pem();
    client.config.user.client_key_data = Secret(server.key_pem());
    EXPECT_EQ(line(client.api().get_raw("/version")), "ok");
  }
  {
    TestClient client(server);
    client.config.user.client_certificate_data = "nonsense";
    client.config.user.client_key_data = Secret("nonsense");
    EXPECT_THAT(line(client.api().get_raw("/version")),
                HasSubstr("the client certificate cannot be read"));
  }
}

TEST(Client, AnExpiredClientCertificateIsNamedOn401) {
  TestServer server(
      [](const TestRequest&, TestConnection& connection) { connection.answer(401, ""); });
  TestServer expired([](const TestRequest&, TestConnection&) {}, TestTls::https_expired);
  TestClient client(server);
  client.config.user.token = Secret();
  client.config.user.client_certificate_data = expired.ca_pem();
  client.config.user.client_key_data = Secret(expired.key_pem());
  EXPECT_THAT(line(client.api().get_raw("/version")),
              HasSubstr("did not accept the client certificate of user \"tester\" (expired at 20"));
}

TEST(Client, NobodyThere) {
  TestServer server([](const TestRequest&, TestConnection&) {});
  server.stop_listening();
  TestClient client(server);
  auto result = client.api().get_raw("/version");
  EXPECT_THAT(line(result), HasSubstr("unreachable 111"));
  EXPECT_THAT(line(result), HasSubstr("Connection refused"));
  EXPECT_THAT(result.error().hint, HasSubstr("is the API server running"));
}

TEST(Client, NamesThatDoNotResolve) {
  TestServer server([](const TestRequest&, TestConnection&) {});
  TestClient client(server);
  client.config.server.host = "no-such-host.invalid";
  EXPECT_THAT(line(client.api().get_raw("/version")), HasSubstr("the name cannot be resolved"));
}

TEST(ClientWrite, DeletesWithPreconditions) {
  TestRequest seen;
  TestServer server([&](const TestRequest& request, TestConnection& connection) {
    seen = request;
    connection.answer(200, R"({"kind":"Status","status":"Success"})");
  });
  TestClient client(server);
  ASSERT_EQ(line(client.api().remove({kConfigMaps, "a", "b"}, "u", "7", {})), "ok");
  EXPECT_EQ(seen.method + " " + seen.target, "DELETE /api/v1/namespaces/a/configmaps/b");
  EXPECT_EQ(
      seen.body,
      R"({"kind":"DeleteOptions","apiVersion":"v1","preconditions":{"uid":"u","resourceVersion":"7"}})");
  json::array patch{{{"op", "test"}, {"path", "/a"}, {"value", 1}}};
  ASSERT_EQ(line(client.api().patch({kConfigMaps, "a", "b"}, PatchType::json_patch, patch, {})),
            "ok");
  EXPECT_EQ(seen.header("content-type"), "application/json-patch+json");
  EXPECT_EQ(seen.body, R"([{"op":"test","path":"/a","value":1}])");
}

TEST(Client, TheServersClockIsCompared) {
  TestServer server([&](const TestRequest&, TestConnection& connection) {
    connection.answer(200, kVersion, "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
  });
  TestClient client(server);
  EXPECT_EQ(client.api().clock_skew(), Duration{0});
  ASSERT_EQ(line(client.api().get_raw("/version")), "ok");
  EXPECT_LT(client.api().clock_skew(), -std::chrono::hours{24 * 365 * 30});
}

}  // namespace
}  // namespace catflap::kube
