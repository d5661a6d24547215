// pods/proxy against a server that the test speaks for by hand.
#include "kube/pod_proxy.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "support/http_test_server.hpp"
#include "support/test_client.hpp"

namespace catflap::kube {
namespace {

using test::TestClient;
using test::TestConnection;
using test::TestRequest;
using test::TestServer;
using Scheme = ProxyCall::Scheme;

std::string status(int code, const std::string& message) {
  return fmt::format(
      R"({{"kind":"Status","apiVersion":"v1","metadata":{{}},"status":"Failure","message":"{}","reason":"x","code":{}}})",
      message, code);
}

ProxyCall metrics(const std::string& pod, Scheme scheme = Scheme::http) {
  return {.namespace_ = "ns",
          .pod = pod,
          .scheme = scheme,
          .port = 9091,
          .path = "/metrics",
          .max_bytes = 1000,
          .timeout = std::chrono::milliseconds{1500}};
}

std::string line(const Result<ProxyAnswer>& result) {
  if (!result) return fmt::format("error {}", to_string(result.error().kind));
  if (result->status == 0) return "unreached: " + result->unreached;
  return fmt::format("{} {} bytes{}{}", result->status, result->body.size(),
                     result->cut ? " cut" : "", result->encoded ? " encoded" : "");
}

TEST(PodProxy, WhoseAnswerItIs) {
  TestServer server([&](const TestRequest& request, TestConnection& connection) {
    const auto is = [&](const char* pod) {
      return request.target.find(fmt::format("%3A{}%3A", pod)) != std::string::npos;
    };
    if (is("down"))
      return connection.answer(
          503, status(503,
                      "error trying to reach service: dial tcp 10.0.0.1:9091: connect: "
                      "connection refused"));
    if (is("denied")) return connection.answer(403, status(403, "no"));
    if (is("gone")) return connection.answer(404, status(404, "pods not found"));
    if (is("own404")) return connection.answer(404, "404 page not found\n", "");
    if (is("own503")) return connection.answer(503, "busy", "");
    if (is("other-code")) return connection.answer(200, status(503, "error trying to reach"));
    if (is("much")) return connection.answer(200, std::string(5000, 'x'), "");
    if (is("packed")) return connection.answer(200, "zz", "Content-Encoding: br\r\n");
    if (is("hang")) return (void)connection.receive();
    connection.answer(200, "felix", "");
  });
  TestClient client(server);
  std::vector<ProxyCall> calls;
  for (const char* pod : {"p", "down", "denied", "gone", "own404", "own503", "other-code", "much",
                          "packed", "hang", "p"})
    calls.push_back(metrics(pod));
  const auto results = client.api().proxy(calls, 3);
  ASSERT_EQ(results.size(), calls.size());
  std::vector<std::string> got;
  for (const auto& result : results) got.push_back(line(result));
  const std::vector<std::string> want{
      "200 5 bytes",
      "unreached: dial tcp 10.0.0.1:9091: connect: connection refused",
      "error not_permitted",
      "error not_found",
      "404 19 bytes",
      "503 4 bytes",
      fmt::format("200 {} bytes", status(503, "error trying to reach").size()),
      "200 1000 bytes cut",
      "200 2 bytes encoded",
      "error timed_out",
      "200 5 bytes"};
  EXPECT_EQ(got, want);
}

TEST(PodProxy, WhatIsSent) {
  TestRequest seen;
  TestServer server([&](const TestRequest& request, TestConnection& connection) {
    seen = request;
    connection.answer(200, "", "");
  });
  TestClient client(server);
  (void)client.api().proxy({metrics("p", Scheme::https)}, 1);
  EXPECT_EQ(seen.method, "GET");
  EXPECT_EQ(seen.target, "/api/v1/namespaces/ns/pods/https%3Ap%3A9091/proxy/metrics");
  EXPECT_EQ(seen.header("accept-encoding"), "");
}

TEST(PodLog, IsBoundedAndNeverHalf) {
  std::mutex mutex;
  std::vector<std::string> targets;
  TestServer server([&](const TestRequest& request, TestConnection& connection) {
    {
      const std::scoped_lock lock(mutex);
      targets.push_back(request.target);
    }
    const auto is = [&](const char* pod) { return request.target.find(pod) != std::string::npos; };
    if (is("denied")) return connection.answer(403, status(403, "no"));
    if (is("much")) return connection.answer(200, std::string(11, 'x'), "");
    if (is("hang")) return (void)connection.receive();
    connection.answer(200, "0123456789", "");
  });
  TestClient client(server);
  const auto call = [](const char* pod) {
    return LogCall{.namespace_ = "ns",
                   .pod = pod,
                   .max_bytes = 10,
                   .timeout = std::chrono::milliseconds{1500}};
  };
  const auto logs = client.api().logs({call("all"), call("denied"), call("much"), call("hang")}, 2);
  ASSERT_EQ(logs.size(), 4U);
  ASSERT_TRUE(logs[0].has_value());
  EXPECT_EQ(*logs[0], "0123456789");
  ASSERT_FALSE(logs[1] || logs[2] || logs[3]);
  EXPECT_EQ(logs[1].error().kind, ErrorKind::not_permitted);
  EXPECT_EQ(logs[2].error().kind, ErrorKind::malformed_input) << "a part may look like the whole";
  EXPECT_EQ(logs[3].error().kind, ErrorKind::timed_out);
  const std::scoped_lock lock(mutex);
  EXPECT_THAT(targets, testing::Contains("/api/v1/namespaces/ns/pods/all/log?limitBytes=11"));
}

}  // namespace
}  // namespace catflap::kube
