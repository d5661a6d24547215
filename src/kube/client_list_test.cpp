// Lists: pages, and what happens between two of them.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();  // GCC 12 brings no header for it
#else
#include <malloc.h>
#endif

#include "kube/client.hpp"
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
using ::testing::HasSubstr;

struct Listed {
  std::vector<std::string> names;
  int restarts = 0;
  Result<std::string> version = std::string();
};

Listed list_all(TestClient& client, int page_size = 2) {
  Listed out;
  out.version = client.api().list(
      {.resource = kNodes, .page_size = page_size},
      [&] {
        ++out.restarts;
        out.names.clear();
      },
      [&](json::object&& item) {
        out.names.emplace_back(item.at("metadata").at("name").as_string());
      });
  return out;
}

std::string page(const std::string& version, const std::string& next,
                 const std::vector<std::string>& names) {
  json::array items;
  for (const auto& name : names) items.push_back(json::object{{"metadata", {{"name", name}}}});
  return json::serialize(
      json::object{{"kind", "NodeList"},
                   {"metadata", {{"resourceVersion", version}, {"continue", next}}},
                   {"items", items}});
}

TEST(ClientList, PagesAndGzip) {
  std::vector<std::string> targets;
  TestServer server([&](const TestRequest& request, TestConnection& connection) {
    targets.push_back(request.target);
    bool first = request.target.find("continue=") == std::string::npos;
    std::string body = first ? page("7", "a b", {"n1", "n2"}) : page("7", "", {"n3"});
    EXPECT_EQ(request.header("accept-encoding"), "gzip");
    connection.answer(200, gzip(body), "Content-Encoding: gzip\r\n");
  });
  TestClient client(server);
  Listed listed = list_all(client);
  ASSERT_EQ(line(listed.version), "ok");
  EXPECT_EQ(*listed.version, "7");
  EXPECT_THAT(listed.names, ::testing::ElementsAre("n1", "n2", "n3"));
  EXPECT_THAT(targets, ::testing::ElementsAre("/api/v1/nodes?limit=2",
                                              "/api/v1/nodes?limit=2&continue=a%20b"));
  EXPECT_EQ(server.connections(), 1);
}

TEST(ClientList, A410InMidListStartsAgain) {
  std::atomic<int> requests{0};
  TestServer server([&](const TestRequest&, TestConnection& connection) {
    switch (++requests) {
      case 1:
        return connection.answer(200, page("7", "c", {"gone"}));
      case 2:
        return connection.answer(
            410, R"({"kind":"Status","reason":"Expired","message":"too old","code":410})");
      case 3:
        return connection.answer(200, page("9", "d", {"n1"}));
      default:
        return connection.answer(200, page("9", "", {"n2"}));
    }
  });
  TestClient client(server);
  Listed listed = list_all(client);
  ASSERT_EQ(line(listed.version), "ok");
  EXPECT_EQ(*listed.version, "9");
  EXPECT_EQ(listed.restarts, 1);
  EXPECT_THAT(listed.names, ::testing::ElementsAre("n1", "n2"));
}

TEST(ClientList, AServerThatForgetsForEverIsLeft) {
  TestServer server([&](const TestRequest& request, TestConnection& connection) {
    bool first = request.target.find("continue=") == std::string::npos;
    first ? connection.answer(200, page("7", "c", {"n1"})) : connection.answer(410, "");
  });
  TestClient client(server);
  EXPECT_THAT(line(list_all(client).version), HasSubstr("overloaded 410"));
}

TEST(ClientList, APageLostInTheMiddleComesOnce) {
  std::atomic<int> requests{0};
  TestServer server([&](const TestRequest&, TestConnection& connection) {
    std::string body = page("7", "", {"n1", "n2"});
    if (++requests > 1) return connection.answer(200, body);
    connection.begin_chunks();
    connection.chunk(body.substr(0, body.size() - 20));
    connection.cut();
  });
  TestClient client(server);
  Listed listed = list_all(client);
  ASSERT_EQ(line(listed.version), "ok");
  EXPECT_THAT(listed.names, ::testing::ElementsAre("n1", "n2"));
}

TEST(ClientList, APageTooLargeIsAskedForInHalves) {
  std::vector<std::string> targets;
  TestServer server([&](const TestRequest& request, TestConnection& connection) {
    targets.push_back(request.target);
    bool fits = request.target == "/api/v1/nodes?limit=1";
    std::string body = page("7", "", {"n1"});
    if (!fits) body.insert(1, "\"x\":\"" + std::string(33u << 20, 'x') + "\",");
    connection.answer(200, gzip(body), "Content-Encoding: gzip\r\n");
  });
  TestClient client(server);
  Listed listed = list_all(client, 4);
  ASSERT_EQ(line(listed.version), "ok");
  EXPECT_EQ(targets.size(), 3u);
}

TEST(ClientList, AListThatGoesInACircleIsLeft) {
  for (const bool empty : {false, true}) {
    std::atomic<int> requests{0};
    TestServer server([&](const TestRequest&, TestConnection& connection) {
      std::string next = empty ? fmt::format("c{}", ++requests) : (++requests, "c");
      connection.answer(200, empty ? page("7", next, {}) : page("7", next, {"n1"}));
    });
    TestClient client(server);
    EXPECT_THAT(line(list_all(client).version),
                HasSubstr("malformed_input 0: nodes: the list does not end"));
    EXPECT_EQ(requests, empty ? 3 : 2);
  }
}

/// What is allocated now, without what a sanitizer keeps back.
std::size_t held_bytes() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return __sanitizer_get_current_allocated_bytes();
#else
  return ::mallinfo2().uordblks;
#endif
}

TEST(ClientList, HoldsOnePageAtATime) {
  constexpr int kPages = 40;
  std::atomic<int> requests{0};
  std::vector<std::string> bodies;
  for (const char* next : {"a", "b", ""}) {
    std::string body = page("7", next, {"n1", "n2"});
    body.insert(body.rfind("\"n2\""),
                "\"x\",\"filler\":\"" + std::string(1u << 20, 'x') + "\",\"z\":");
    bodies.push_back(gzip(body));
  }
  TestServer server([&](const TestRequest&, TestConnection& connection) {
    int n = ++requests;
    connection.answer(200, n == kPages ? bodies[2] : bodies[static_cast<std::size_t>(n % 2)],
                      "Content-Encoding: gzip\r\n");
  });
  TestClient client(server);
  std::size_t before = held_bytes();
  std::size_t most = 0;
  int items = 0;
  auto version = client.api().list({.resource = kNodes}, {}, [&](json::object&&) {
    ++items;
    most = std::max(most, held_bytes());
  });
  ASSERT_EQ(line(version), "ok");
  EXPECT_EQ(items, 2 * kPages);
  EXPECT_LT(most - std::min(most, before), 16u << 20);
}

TEST(ClientList, WhatIsNotAListIsNotEmpty) {
  TestServer server(
      [&](const TestRequest&, TestConnection& connection) { connection.answer(200, "{}"); });
  TestClient client(server);
  EXPECT_THAT(line(list_all(client).version),
              HasSubstr("malformed_input 0: nodes: the answer is not a list"));
}

}  // namespace
}  // namespace catflap::kube
