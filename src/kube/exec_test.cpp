// exec over a WebSocket that the test speaks by hand. The real kubelet was tried with v5 and v4
// (1.33.13).
#include "kube/exec.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kube/websocket.hpp"
#include "support/http_test_server.hpp"
#include "support/test_client.hpp"

namespace catflap::kube {
namespace {

using test::TestClient;
using test::TestConnection;
using test::TestRequest;
using test::TestServer;
using ::testing::HasSubstr;
using namespace std::string_literals;

constexpr const char* kSuccess = "\x03{\"status\":\"Success\"}";

/// A server's frame, unmasked.
std::string frame(const std::string& payload, char type = '\x82') {
  return std::string(1, type) + static_cast<char>(payload.size()) + payload;
}

void upgrade(const TestRequest& request, TestConnection& connection, const char* protocol) {
  connection.send(fmt::format(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: {}\r\nSec-WebSocket-Protocol: {}\r\n\r\n",
      websocket_accept(request.header("sec-websocket-key")), protocol));
}

std::string line(const Result<ExecOutput>& result) {
  if (!result)
    return fmt::format("{}: {}", to_string(result.error().kind), to_string(result.error()));
  return fmt::format("{} out={} err={}", result->exit_code, result->stdout_, result->stderr_);
}

ExecCall cat(const std::string& pod, Duration timeout = std::chrono::seconds{5}) {
  return {.namespace_ = "ns",
          .pod = pod,
          .container = "c",
          .command = {"cat", "a b"},
          .timeout = timeout};
}

TEST(ExecOverWebSocket, V5AndV4) {
  for (const char* protocol : {"v5.channel.k8s.io", "v4.channel.k8s.io"}) {
    TestRequest seen;
    std::string pong;
    TestServer server([&](const TestRequest& request, TestConnection& connection) {
      seen = request;
      upgrade(request, connection, protocol);
      connection.send(frame("\x01"s) + frame("\x01out") + frame("hi", '\x89'));
      pong = connection.receive();
      connection.send(frame("\x02"
                            "err") +
                      frame("\xff\x01") + frame(kSuccess));
    });
    TestClient client(server);
    auto results = client.api().exec({cat("p")}, 4);
    ASSERT_EQ(results.size(), 1u);
    EXPECT_EQ(line(results[0]), "0 out=out err=err") << protocol;
    EXPECT_EQ(seen.target,
              "/api/v1/namespaces/ns/pods/p/"
              "exec?container=c&stdout=true&stderr=true&command=cat&command=a%20b");
    EXPECT_EQ(seen.header("sec-websocket-protocol"), "v5.channel.k8s.io, v4.channel.k8s.io");
    EXPECT_EQ(seen.header("accept"), "*/*");
    ASSERT_EQ(pong.size(), 8u);
    EXPECT_EQ(pong.substr(0, 2), "\x8a\x82");
  }
}

TEST(ExecOverWebSocket, WhatGoesWrongIsPerCallAndInOrder) {
  TestServer server([&](const TestRequest& request, TestConnection& connection) {
    auto is = [&](const char* pod) {
      return request.target.find(fmt::format("/pods/{}/", pod)) != std::string::npos;
    };
    if (is("denied"))
      return connection.answer(
          403,
          R"({"message":"User \"b\" cannot get resource \"pods/exec\" in API group \"\" in the namespace \"ns\"","code":403})");
    if (is("gone"))
      return connection.answer(404, R"({"message":"pods \"gone\" not found","code":404})");
    if (is("sick"))
      return connection.answer(
          500, R"({"message":"error dialing backend: dial tcp: refused","code":500})");
    if (is("odd")) return connection.answer(200, "{}");
    upgrade(request, connection, is("proto") ? "v1.channel.k8s.io" : "v5.channel.k8s.io");
    if (is("hang")) return (void)connection.receive();
    if (is("cut")) return connection.send(frame("\x01part"));
    if (is("closed")) return connection.send(frame("\x01part") + frame("\x03\xe8", '\x88'));
    if (is("much")) {
      for (int i = 0; i < 50; ++i) connection.send(frame("\x01" + std::string(100, 'x')));
      return;
    }
    connection.send(frame("\x01"
                          "fine") +
                    frame(kSuccess));
  });
  TestClient client(server);
  std::vector<ExecCall> calls;
  for (const char* pod :
       {"ok", "denied", "gone", "sick", "odd", "proto", "hang", "cut", "closed", "much", "ok"}) {
    calls.push_back(cat(pod, Duration{1500}));
    calls.back().max_bytes = 1000;
  }
  auto results = client.api().exec(calls, 3);
  ASSERT_EQ(results.size(), calls.size());
  const char* want[] = {
      "0 out=fine err=",
      "not_permitted: exec in pod ns/denied, container c: User",
      "not_found: exec in pod ns/gone",
      "unreachable: exec in pod ns/sick, container c: error dialing backend",
      "unsupported: exec in pod ns/odd, container c: the server did not switch to WebSocket",
      "malformed_input: exec in pod ns/proto",
      "timed_out: exec in pod ns/hang, container c: the command did not end within 1.5s",
      "unreachable: exec in pod ns/cut, container c: the connection ended before",
      "unreachable: exec in pod ns/closed, container c: the connection ended before",
      "malformed_input: exec in pod ns/much, container c: the command wrote more than 1000 bytes",
      "0 out=fine err="};
  for (std::size_t i = 0; i < results.size(); ++i)
    EXPECT_THAT(line(results[i]), HasSubstr(want[i]));
  EXPECT_THAT(results[1].error().hint, HasSubstr("the right to get pods/exec in namespace ns"));
}

TEST(ExecOverWebSocket, AServerThatPutsItOffIsAskedAgain) {
  std::atomic<int> tries{0};
  TestServer server([&](const TestRequest& request, TestConnection& connection) {
    if (++tries == 1)
      return connection.answer(429, "busy", "Retry-After: 0\r\nConnection: close\r\n");
    upgrade(request, connection, "v5.channel.k8s.io");
    connection.send(frame(kSuccess));
  });
  TestClient client(server);
  EXPECT_EQ(line(client.api().exec({cat("p")}, 1)[0]), "0 out= err=");
}

TEST(ExecOverWebSocket, AtMostSoManyAtOnce) {
  std::atomic<int> now{0};
  std::atomic<int> most{0};
  TestServer server([&](const TestRequest& request, TestConnection& connection) {
    most = std::max(most.load(), ++now);
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
    --now;
    upgrade(request, connection, "v5.channel.k8s.io");
    connection.send(frame(kSuccess));
  });
  TestClient client(server);
  auto results = client.api().exec(std::vector<ExecCall>(9, cat("p")), 3);
  for (const auto& result : results) EXPECT_EQ(line(result), "0 out= err=");
  EXPECT_LE(most, 3);
  EXPECT_GE(most, 2);
  EXPECT_TRUE(client.api().exec({}, 3).empty());
}

TEST(ExecOverWebSocket, AStopRequestEndsAll) {
  TestServer server([&](const TestRequest& request, TestConnection& connection) {
    upgrade(request, connection, "v5.channel.k8s.io");
    connection.receive();
  });
  TestClient client(server);
  std::jthread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds{200});
    client.stop.request_stop();
  });
  auto start = std::chrono::steady_clock::now();
  auto results = client.api().exec(std::vector<ExecCall>(5, cat("p", std::chrono::minutes{1})), 2);
  for (const auto& result : results) EXPECT_THAT(line(result), HasSubstr("interrupted"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds{2});
}

}  // namespace
}  // namespace catflap::kube
