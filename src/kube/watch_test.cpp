// Watches against a server that ends, forgets and breaks off as real ones do.
#include "kube/watch.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "support/http_test_server.hpp"
#include "support/test_client.hpp"

namespace catflap::kube {
namespace {

using test::TestClient;
using test::TestConnection;
using test::TestRequest;
using test::TestServer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string pod(const std::string& name, const std::string& uid, const std::string& version) {
  return fmt::format(
      R"({{"metadata":{{"namespace":"ns","name":"{}","uid":"{}","resourceVersion":"{}"}}}})", name,
      uid, version);
}

std::string event(const std::string& type, const std::string& object) {
  return fmt::format("{{\"type\":\"{}\",\"object\":{}}}\n", type, object);
}

std::string list(const std::string& version, const std::vector<std::string>& items) {
  return fmt::format(R"({{"metadata":{{"resourceVersion":"{}"}},"items":[{}]}})", version,
                     fmt::join(items, ","));
}

/// The server's script: one step per request.
struct Script {
  std::vector<std::function<void(const TestRequest&, TestConnection&)>> steps;
  std::vector<std::string> targets;

  TestServer::Handler handler() {
    return [this](const TestRequest& request, TestConnection& connection) {
      targets.push_back(request.target.substr(request.target.find('?') + 1));
      std::size_t at = targets.size() - 1;
      if (at >= steps.size()) {
        connection.receive();  // hang: the test is over
        return;
      }
      steps[at](request, connection);
    };
  }
};

std::function<void(const TestRequest&, TestConnection&)> answers(int status, std::string body) {
  return [=](const TestRequest&, TestConnection& connection) { connection.answer(status, body); };
}

/// A watch's answer; it ends in good order.
std::function<void(const TestRequest&, TestConnection&)> streams(std::vector<std::string> pieces) {
  return [=](const TestRequest&, TestConnection& connection) {
    connection.begin_chunks();
    for (const std::string& piece : pieces) connection.chunk(piece);
    connection.end_chunks();
  };
}

/// One word per event until there are `count` of them.
std::vector<std::string> watch(Script& script, std::size_t count) {
  TestServer server(script.handler());
  TestClient client(server);
  std::vector<std::string> out;
  auto handle =
      client.api().watch({.resource = kPods, .namespace_ = "ns"}, [&](const WatchEvent& e) {
        static constexpr const char* kNames[] = {"added",  "modified", "deleted",
                                                 "synced", "trouble",  "resumed"};
        std::string text = kNames[static_cast<int>(e.type)];
        if (const json::value* metadata = e.object.if_contains("metadata")) {
          text += fmt::format(" {}/{}", metadata->at("name").as_string().c_str(),
                              metadata->at("uid").as_string().c_str());
        }
        if (!e.text.empty()) text += ": " + e.text;
        out.push_back(text);
      });
  client.api().run_until([&] { return out.size() >= count; },
                         client.clock.steady() + std::chrono::seconds{10});
  return out;
}

TEST(Watch, ListsThenFollowsAndResumesFromTheLastVersion) {
  Script script;
  script.steps = {
      answers(200, list("5", {pod("a", "1", "3")})),
      streams({event("ADDED", pod("b", "2", "6")), event("BOOKMARK", pod("", "", "8"))}),
      streams({event("MODIFIED", pod("b", "2", "9")).substr(0, 20),
               event("MODIFIED", pod("b", "2", "9")).substr(20) +
                   event("DELETED", pod("a", "1", "10"))})};
  EXPECT_THAT(watch(script, 5),
              ElementsAre("added a/1", "synced", "added b/2", "modified b/2", "deleted a/1"));
  EXPECT_THAT(script.targets[1],
              HasSubstr("watch=true&allowWatchBookmarks=true&resourceVersion=5&"));
  EXPECT_THAT(script.targets[2], HasSubstr("resourceVersion=8&"));
}

TEST(Watch, A410AsAnEventListsAgainAndTellsWhatVanished) {
  Script script;
  script.steps = {
      answers(200, list("5", {pod("a", "1", "3"), pod("b", "2", "3"), pod("c", "3", "3")})),
      streams({event("ERROR",
                     R"({"kind":"Status","message":"too old","reason":"Expired","code":410})")}),
      answers(200, list("20", {pod("a", "1", "3"), pod("c", "30", "19")})),
      streams({event("MODIFIED", pod("a", "1", "21"))})};
  EXPECT_THAT(watch(script, 10),
              ElementsAre("added a/1", "added b/2", "added c/3", "synced", "added a/1",
                          "deleted c/3", "added c/30", "deleted b/2", "synced", "modified a/1"));
  EXPECT_THAT(script.targets[3], HasSubstr("resourceVersion=20&"));
}

TEST(Watch, A410AsAStatusListsAgain) {
  Script script;
  script.steps = {answers(200, list("5", {})), answers(410, R"({"kind":"Status","code":410})"),
                  answers(200, list("9", {}))};
  EXPECT_THAT(watch(script, 2), ElementsAre("synced", "synced"));
}

TEST(Watch, ALostConnectionIsTroubleAndResumes) {
  Script script;
  script.steps = {answers(200, list("5", {})),
                  [](const TestRequest&, TestConnection& connection) {
                    connection.begin_chunks();
                    connection.chunk(event("ADDED", pod("a", "1", "6")) + "{\"type\":\"MOD");
                    // A reset makes the receiver's kernel drop what it has not read yet.
                    std::this_thread::sleep_for(std::chrono::milliseconds{200});
                    connection.cut();
                  },
                  streams({event("MODIFIED", pod("a", "1", "7"))})};
  auto events = watch(script, 5);
  ASSERT_EQ(events.size(), 5u);
  EXPECT_EQ(events[1], "added a/1");
  EXPECT_THAT(events[2], HasSubstr("trouble: "));
  EXPECT_EQ(events[3], "resumed");
  EXPECT_EQ(events[4], "modified a/1");
  EXPECT_THAT(script.targets[2], HasSubstr("resourceVersion=6&"));
}

TEST(Watch, ASilentWatchIsBegunAgain) {
  Script script;
  script.steps = {answers(200, list("5", {})),
                  [](const TestRequest&, TestConnection& connection) {
                    connection.begin_chunks();
                    connection.receive();
                  },
                  streams({event("ADDED", pod("a", "1", "6"))})};
  TestServer server(script.handler());
  TestClient client(server);
  std::vector<WatchEvent> events;
  Loop loop({});
  Transport transport(loop, client.config, client.environment, client.clock, {});
  auto handle = start_watch(
      loop, transport, {.resource = kPods}, [&](const WatchEvent& e) { events.push_back(e); },
      std::chrono::milliseconds{300});
  auto deadline = client.clock.steady() + std::chrono::seconds{10};
  while (events.size() < 4 && client.clock.steady() < deadline)
    (void)loop.run_one_for(Duration{50});
  loop.shut_down();
  ASSERT_GE(events.size(), 4u);
  EXPECT_THAT(events[1].text, HasSubstr("the watch hangs"));
  EXPECT_EQ(events[2].type, WatchEvent::Type::resumed);
  EXPECT_EQ(events[3].type, WatchEvent::Type::added);
}

TEST(Watch, OtherErrorsAndGarbageListAgain) {
  for (const std::string& bad : {event("ERROR", R"({"kind":"Status","message":"boom","code":500})"),
                                 event("NEW", pod("a", "1", "6")), std::string("<html>\n"),
                                 event("ADDED", "{}"), std::string(5u << 20, 'x')}) {
    Script script;
    script.steps = {answers(200, list("5", {})), streams({bad}),
                    answers(200, list("9", {pod("a", "1", "6")}))};
    auto events = watch(script, 4);
    ASSERT_EQ(events.size(), 4u) << bad.substr(0, 60);
    EXPECT_THAT(events[1], HasSubstr("trouble: "));
    EXPECT_EQ(events[2], "added a/1");
    EXPECT_EQ(events[3], "synced");
  }
}

TEST(Watch, ADeniedListIsTroubleThatSaysWhy) {
  Script script;
  script.steps = {answers(
      403, R"({"kind":"Status","message":"User \"b\" cannot list resource \"pods\"","code":403})")};
  auto events = watch(script, 1);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_THAT(events[0], HasSubstr("trouble: pods in namespace ns: User"));
}

TEST(Watch, AServerThatEndsEachWatchAtOnceIsNotAskedInACircle) {
  Script script;
  script.steps = {answers(200, list("5", {}))};
  for (int i = 0; i < 1000; ++i) script.steps.push_back(streams({}));
  TestServer server(script.handler());
  TestClient client(server);
  auto handle = client.api().watch({.resource = kPods}, [](const WatchEvent&) {});
  client.api().run_until([] { return false; }, client.clock.steady() + Duration{1500});
  EXPECT_LT(script.targets.size(), 8u);
}

TEST(Watch, NothingComesAfterItsEnd) {
  Script script;
  script.steps = {answers(200, list("5", {pod("a", "1", "3"), pod("b", "2", "3")}))};
  TestServer server(script.handler());
  TestClient client(server);
  int events = 0;
  std::unique_ptr<Watch> handle;
  // Ended from inside its own callback, the hardest place.
  handle = client.api().watch({.resource = kPods}, [&](const WatchEvent&) {
    ++events;
    handle.reset();
  });
  auto deadline = client.clock.steady() + std::chrono::seconds{10};
  client.api().run_until([&] { return events > 0; }, deadline);
  client.api().run_until([] { return false; }, client.clock.steady() + Duration{300});
  EXPECT_EQ(events, 1);
}

TEST(Watch, TheClientMayGoWhileAListIsOnItsWay) {
  std::atomic<bool> asked{false};
  TestServer server([&](const TestRequest&, TestConnection& connection) {
    asked = true;
    connection.receive();
  });
  TestClient client(server);
  {
    auto api = connect(client.config, client.environment, client.clock, client.stop.get_token());
    auto handle = api->watch({.resource = kPods}, [](const WatchEvent&) {});
    api->run_until([&] { return asked.load(); }, client.clock.steady() + std::chrono::seconds{10});
  }
  EXPECT_TRUE(asked);
}

TEST(Watch, GoesOnWhileOtherCallsAreMade) {
  TestServer server([](const TestRequest& request, TestConnection& connection) {
    if (request.target.find("watch=") != std::string::npos) {
      connection.begin_chunks();
      connection.chunk(event("ADDED", pod("a", "1", "6")));
      connection.receive();
    } else if (request.target.find("limit=") != std::string::npos) {
      connection.answer(200, list("5", {}));
    } else {
      std::this_thread::sleep_for(std::chrono::milliseconds{300});
      connection.answer(200, "{}");
    }
  });
  TestClient client(server);
  int events = 0;
  auto handle = client.api().watch({.resource = kPods}, [&](const WatchEvent&) { ++events; });
  ASSERT_TRUE(client.api().get_raw("/slow"));
  EXPECT_EQ(events, 2);
}

}  // namespace
}  // namespace catflap::kube
