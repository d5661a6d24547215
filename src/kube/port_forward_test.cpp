// Forwarded ports over a WebSocket that the test speaks by hand. The frames were recorded from the
// real kubelet and containerd (1.33.13, containerd 1.6).
#include "kube/port_forward.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

std::string frame(const std::string& payload, char type = '\x82') {
  if (payload.size() < 126)
    return std::string(1, type) + static_cast<char>(payload.size()) + payload;
  return std::string(1, type) + '\x7e' + static_cast<char>(payload.size() >> 8) +
         static_cast<char>(payload.size() & 0xff) + payload;
}

// 9091 is 0x2383.
const std::string kOpened = frame("\x00\x83\x23"s) + frame("\x01\x83\x23"s);
constexpr const char* kRefused =
    "error forwarding port 9091 to pod 7fce, uid : failed to execute portforward in network "
    "namespace \"host\": failed to connect to localhost:9091 inside namespace \"7fce\", IPv4: dial "
    "tcp4 127.0.0.1:9091: connect: connection refused IPv6 dial tcp6: address localhost: no "
    "suitable address";

void upgrade(const TestRequest& request, TestConnection& connection,
             const char* protocol = "v4.channel.k8s.io") {
  connection.send(fmt::format(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: {}\r\nSec-WebSocket-Protocol: {}\r\n\r\n",
      websocket_accept(request.header("sec-websocket-key")), protocol));
}

ForwardCall metrics(const std::string& pod) {
  return {.namespace_ = "ns",
          .pod = pod,
          .port = 9091,
          .request = "GET /metrics",
          .max_bytes = 1000,
          .timeout = std::chrono::milliseconds{1500}};
}

std::string line(const Result<ForwardAnswer>& result) {
  if (!result)
    return fmt::format("error {}: {}", to_string(result.error().kind), result.error().what);
  return fmt::format("\"{}\"{}{}{}{}", result->received, result->ended ? " ended" : "",
                     result->cut ? " cut" : "", result->tls_problem.empty() ? "" : " tls problem",
                     result->trouble.empty() ? "" : " trouble: " + result->trouble);
}

TEST(PortForward, DataComesBackUntilTheEnd) {
  TestRequest seen;
  std::string sent;
  TestServer server([&](const TestRequest& request, TestConnection& connection) {
    seen = request;
    upgrade(request, connection);
    connection.send(kOpened);
    sent = connection.receive();
    connection.send(frame("\x00HTTP/1.1 "s) + frame("hi", '\x89') +
                    frame("\x00"
                          "200 OK"s) +
                    frame("\x03\xe8", '\x88'));
  });
  TestClient client(server);
  const auto results = client.api().forward({metrics("p")}, 1);
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(line(results[0]), "\"HTTP/1.1 200 OK\" ended");
  EXPECT_EQ(seen.method, "GET");
  EXPECT_EQ(seen.target, "/api/v1/namespaces/ns/pods/p/portforward?ports=9091");
  EXPECT_EQ(seen.header("sec-websocket-protocol"), "v4.channel.k8s.io");
  ASSERT_GE(sent.size(), 6u + 13u);
  EXPECT_EQ(sent.substr(0, 2), "\x82\x8d"s);  // channel 0 and twelve bytes, masked
  EXPECT_EQ(sent[6] ^ sent[2], 0);
}

TEST(PortForward, WhatGoesWrongIsPerCall) {
  TestServer server([&](const TestRequest& request, TestConnection& connection) {
    const auto is = [&](const char* pod) {
      return request.target.find(fmt::format("/pods/{}/", pod)) != std::string::npos;
    };
    if (is("denied"))
      return connection.answer(
          403, R"({"message":"User \"b\" cannot get resource \"pods/portforward\"","code":403})");
    if (is("sick"))
      return connection.answer(
          500, R"({"message":"error dialing backend: dial tcp: refused","code":500})");
    upgrade(request, connection, is("proto") ? "v5.channel.k8s.io" : "v4.channel.k8s.io");
    if (is("other-port")) return connection.send(frame("\x00\x84\x23"s) + frame("\x01\x84\x23"s));
    connection.send(kOpened);
    if (is("hang")) {
      while (!connection.receive().empty()) continue;
      return;
    }
    if (is("closed")) return connection.send(frame("\x01"s + kRefused) + frame("\x03\xe8", '\x88'));
    if (is("much")) {
      for (int i = 0; i < 30; ++i) connection.send(frame("\x00"s + std::string(100, 'x')));
      return;
    }
    if (is("words"))
      for (int i = 0; i < 100; ++i) connection.send(frame("\x01"s + std::string(100, 'x')));
    if (is("channel")) connection.send(frame("\x05x"s));
  });
  TestClient client(server);
  std::vector<ForwardCall> calls;
  for (const char* pod :
       {"denied", "sick", "proto", "other-port", "hang", "closed", "much", "words", "channel"})
    calls.push_back(metrics(pod));
  const auto results = client.api().forward(calls, 3);
  ASSERT_EQ(results.size(), calls.size());
  const std::string want[] = {"error not_permitted",
                              "error unreachable",
                              "error malformed_input",
                              "error malformed_input: another port",
                              "error timed_out",
                              "\"\" ended trouble: " + std::string(kRefused),
                              "\"" + std::string(1000, 'x') + "\" cut",
                              "error malformed_input: an error text",
                              "error malformed_input: an unknown channel 5"};
  for (std::size_t i = 0; i < calls.size(); ++i)
    EXPECT_THAT(line(results[i]), HasSubstr(want[i])) << calls[i].pod;
}

TEST(PortForward, ReadsNoMoreThanIsWanted) {
  TestServer server([&](const TestRequest& request, TestConnection& connection) {
    upgrade(request, connection);
    connection.send(kOpened + frame("\x00"
                                    "enough"s));
    (void)connection.receive();
    (void)connection.receive();
  });
  TestClient client(server);
  auto call = metrics("p");
  call.enough = [](std::string_view piece) { return piece == "enough"; };
  const auto results = client.api().forward({call}, 1);
  EXPECT_EQ(line(results.at(0)), "\"enough\"");
}

TEST(PortForward, TlsToAPortThatSpeaksNone) {
  TestServer server([&](const TestRequest& request, TestConnection& connection) {
    upgrade(request, connection);
    connection.send(kOpened);
    (void)connection.receive();
    connection.send(frame("\x00HTTP/1.1 400 Bad Request\r\n\r\n"s) + frame("\x03\xe8", '\x88'));
  });
  TestClient client(server);
  auto call = metrics("p");
  call.tls = true;
  const auto results = client.api().forward({call}, 1);
  EXPECT_EQ(line(results.at(0)), "\"\" tls problem");
}

TEST(ForwardChannels, APortInTwoPiecesAndWords) {
  ForwardChannels channels(9091);
  for (const auto& message : {"\x00\x83"s, "\x00\x23"s,
                              "\x00"
                              "ab"s,
                              "\x01\x83\x23why"s, ""s})
    EXPECT_TRUE(channels.take(message).has_value());
  EXPECT_EQ(channels.data(), "ab");
  EXPECT_EQ(channels.trouble(), "why");
  EXPECT_FALSE(channels.take("\x02x"s).has_value());
}

}  // namespace
}  // namespace catflap::kube
