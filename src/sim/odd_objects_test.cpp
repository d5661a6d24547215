// What anybody may write with kubectl: objects without the parts that the played cluster reads, or
// with parts that are something else. The cluster must live on.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "base/json_read.hpp"
#include "sim/api_handler.hpp"
#include "sim/scenario.hpp"
#include "sim/world.hpp"

namespace catflap::sim {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// A cluster without a network, and what kubectl does to it.
struct Played {
  Played() {
    auto settings =
        load_scenario("cluster: {env: {FELIX_PROMETHEUSMETRICSENABLED: \"true\"}}", "test.yaml",
                      store, [](const IpAddress& address) { return std::optional{address}; });
    EXPECT_TRUE(settings.has_value());
    auto opened = World::open(store, std::move(*settings), nullptr,
                              [this](Duration by) { clock.advance(by); });
    EXPECT_TRUE(opened.has_value());
    world = std::move(*opened);
  }

  Reply ask(const std::string& method, const std::string& target, const std::string& body = "",
            const std::string& type = "application/json") {
    ApiRequest request{.method = method,
                       .headers = {{"authorization", "Bearer admin"}, {"content-type", type}},
                       .body = body};
    EXPECT_TRUE(read_target(target, request));
    return std::get<Reply>(handler.handle(request));
  }

  void run(Duration time) {
    for (Duration gone{0}; gone < time; gone += 50ms, clock.advance(50ms)) world->tick();
  }

  ManualClock clock;
  Store store{clock};
  std::unique_ptr<World> world;
  ApiHandler handler{
      store, {{"admin", {.name = "admin", .groups = {"system:masters"}}}}, "v1.33.0"};
};

class OddObjectsTest : public testing::Test, protected Played {};

/// Every member and element below a value.
void collect(json::value& value, std::vector<json::value*>& all) {
  all.push_back(&value);
  if (auto* object = value.if_object())
    for (auto& [key, member] : *object) collect(member, all);
  if (auto* array = value.if_array())
    for (auto& element : *array) collect(element, all);
}

constexpr const char* kPods = "/api/v1/namespaces/default/pods";
constexpr const char* kSets = "/apis/apps/v1/namespaces/default/daemonsets";
constexpr const char* kCalico = "/apis/apps/v1/namespaces/kube-system/daemonsets/calico-node";
constexpr const char* kNode = "/api/v1/nodes/n1";

TEST_F(OddObjectsTest, PartsMayBeMissing) {
  const std::vector<std::pair<std::string, std::string>> objects{
      {kPods, R"({"metadata":{"name":"nothing"}})"},
      {kPods, R"({"metadata":{"name":"no-status"},"spec":{"nodeName":"n1"}})"},
      {kPods, R"({"metadata":{"name":"nulls","labels":null},"spec":null,"status":null})"},
      {kPods, R"({"metadata":{"name":"no-names"},"spec":{"nodeName":"n1","containers":[{}]}})"},
      {kPods, R"({"metadata":{"name":"ends-never"},"spec":{"nodeName":"n1",
                 "terminationGracePeriodSeconds":-9223372036854775808}})"},
      {kSets, R"({"metadata":{"name":"nothing"}})"},
      {kSets,
       R"({"metadata":{"name":"no-template"},"spec":{"selector":{"matchLabels":{"a":"b"}}}})"},
      {kSets, R"({"metadata":{"name":"empty"},"spec":{"selector":{"matchLabels":{"a":"b"}},
                 "updateStrategy":{"rollingUpdate":{"maxUnavailable":1e300}},
                 "template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[]}}}})"},
      {"/api/v1/nodes", R"({"metadata":{"name":"bare","namespace":"default"}})"},
      {"/apis/apps/v1/namespaces/default/controllerrevisions", R"({"metadata":{"name":"r"}})"},
      {"/apis/crd.projectcalico.org/v1/felixconfigurations", R"({"metadata":{"name":"node.n1"}})"},
      {"/api/v1/namespaces/default/configmaps",
       R"({"metadata":{"name":"m"},"spec":"no","data":{"spec":"x"}})"},
  };
  for (const auto& [place, body] : objects) {
    const auto reply = ask("POST", place, body);
    EXPECT_EQ(reply.status, body.find(R"("spec":"no")") == std::string::npos ? 201 : 400)
        << body << reply.body;
    run(200ms);
  }
  run(5s);
  const auto pod = json::parse(ask("GET", std::string{kPods} + "/no-status").body).as_object();
  EXPECT_EQ(text_at(pod, {"status", "phase"}), "Running") << "the kubelet of n1 runs it";
  for (const auto* one : {"nothing", "no-status", "ends-never"}) {
    EXPECT_EQ(ask("DELETE", std::string{kPods} + "/" + one).status, 200) << one;
    run(2s);
    EXPECT_EQ(ask("GET", std::string{kPods} + "/" + one).status, 404) << one;
  }
  EXPECT_TRUE(world->listens("n1"));
}

TEST_F(OddObjectsTest, PartsOfAnotherTypeAreRefused) {
  const auto pod = [](const std::string& more) {
    return R"({"metadata":{"name":"p"})" + more + "}";
  };
  for (const auto& more :
       {R"(,"spec":"x")", R"(,"spec":[])", R"(,"status":7)", R"(,"spec":{"containers":{}})",
        R"(,"spec":{"containers":["x"]})", R"(,"spec":{"containers":[null]})",
        R"(,"spec":{"containers":[{"env":{}}]})", R"(,"spec":{"containers":[{"env":["A=1"]}]})",
        R"(,"spec":{"tolerations":[1]})", R"(,"status":{"conditions":["Ready"]})"}) {
    const auto reply = ask("POST", kPods, pod(more));
    EXPECT_EQ(reply.status, 400) << more;
    EXPECT_THAT(reply.body, HasSubstr("cannot be handled as a Pod: json: cannot unmarshal"));
  }
  for (const auto* metadata :
       {R"({"name":"p","labels":[]})", R"({"name":"p","labels":{"a":1}})",
        R"({"name":"p","annotations":"x"})", R"({"name":"p","ownerReferences":{}})"})
    EXPECT_EQ(ask("POST", kPods, fmt::format(R"({{"metadata":{}}})", metadata)).status, 400);
  const std::vector<std::pair<std::string, std::string>> patches{
      {kNode, R"({"spec":{"taints":["x"]}})"},
      {std::string{kNode} + "/status", R"({"status":{"conditions":["x"]}})"},
      {kCalico, R"({"spec":{"template":{"spec":{"containers":["x"]}}}})"},
      {kCalico, R"({"spec":{"template":"x"}})"},
      {kCalico, R"({"spec":{"template":{"metadata":{"labels":{"a":true}}}}})"}};
  for (const auto& [target, body] : patches) {
    EXPECT_EQ(ask("PATCH", target, body, "application/merge-patch+json").status, 400) << body;
    run(1s);
  }
  run(3s);
  EXPECT_TRUE(world->listens("n1"));
}

TEST_F(OddObjectsTest, WhatOnlyTheServerSaysCannotBeWritten) {
  const auto type = "application/merge-patch+json";
  const auto patched = ask("PATCH", kNode,
                           R"({"metadata":{"namespace":"x","managedFields":[{"fieldsV1":7}],
                               "deletionTimestamp":"soon","labels":{"a":"b"}}})",
                           type);
  ASSERT_EQ(patched.status, 200) << patched.body;
  run(1s);
  const auto node = json::parse(ask("GET", kNode).body).as_object();
  EXPECT_EQ(text_at(node, {"metadata", "labels", "a"}), "b");
  EXPECT_EQ(text_at(node, {"metadata", "namespace"}), "");
  EXPECT_EQ(text_at(node, {"metadata", "deletionTimestamp"}), "");
  EXPECT_EQ(ask("POST", "/api/v1/nodes", R"({"metadata":{"name":"n9","namespace":"x"}})").status,
            201);
  EXPECT_EQ(ask("GET", "/api/v1/nodes/n9").status, 200);
}

// Whatever single part of whatever object becomes whatever else: an answer comes, and the cluster
// goes on.
TEST(OddObjects, AnyPartMayBecomeAnything) {
  const char* const places[] = {"api/v1/pods", "api/v1/nodes", "apis/apps/v1/daemonsets",
                                "apis/apps/v1/controllerrevisions",
                                "apis/crd.projectcalico.org/v1/felixconfigurations"};
  std::mt19937 random(1);
  const auto below = [&](std::size_t count) { return random() % count; };
  for (int round = 0; round < 12; ++round) {
    Played cluster;
    for (int i = 0; i < 40; ++i) {
      const std::string place = places[below(std::size(places))];
      const auto list = json::parse(cluster.ask("GET", "/" + place).body);
      const auto items = objects_at(list.as_object(), {"items"});
      if (items.empty()) continue;
      json::value object = *items[below(items.size())];
      const auto name = text_at(object.as_object(), {"metadata", "name"});
      const auto namespace_ = text_at(object.as_object(), {"metadata", "namespace"});
      object.as_object()["metadata"].as_object().erase("resourceVersion");
      std::vector<json::value*> parts;
      collect(object, parts);
      static const json::value kOdd[] = {nullptr,
                                         "",
                                         "x",
                                         7,
                                         -1,
                                         1e300,
                                         true,
                                         json::object{},
                                         json::array{},
                                         json::array{nullptr},
                                         json::array{"x"},
                                         json::array{json::object{}},
                                         json::object{{"a", 1}}};
      *parts[below(parts.size())] = kOdd[below(std::size(kOdd))];
      const auto slash = place.rfind('/');
      auto target = "/" + place.substr(0, slash);
      if (!namespace_.empty()) target += "/namespaces/" + namespace_;
      target += place.substr(slash) + "/" + name + (below(3) == 0 ? "/status" : "");
      const auto body = json::serialize(object);
      const auto reply = cluster.ask("PUT", target, body);
      EXPECT_LT(reply.status, 500) << target << body << reply.body;
      cluster.run(300ms);
    }
    EXPECT_EQ(cluster.ask("GET", "/api/v1/nodes").status, 200);
  }
}

TEST_F(OddObjectsTest, AnEmptyValueIsLeftOut) {
  const auto body = R"({"spec":{"template":{"spec":{"containers":[{"name":"calico-node",
      "env":[{"name":"A","value":""},{"name":"B","value":"b"}]}]}}}})";
  ASSERT_EQ(ask("PATCH", kCalico, body, "application/strategic-merge-patch+json").status, 200);
  const auto stored = ask("GET", kCalico).body;
  EXPECT_THAT(stored, HasSubstr(R"({"name":"A"})"));
  EXPECT_THAT(stored, HasSubstr(R"({"name":"B","value":"b"})"));
  const auto generation = [&] {
    const auto set = json::parse(ask("GET", kCalico).body).as_object();
    return number_at(set, {"metadata", "generation"});
  };
  const auto before = generation();
  ask("PATCH", kCalico, body, "application/strategic-merge-patch+json");
  EXPECT_EQ(generation(), before) << "nothing has changed";
  // Where an empty text is data, it stays.
  ask("POST", "/api/v1/namespaces/default/configmaps",
      R"({"metadata":{"name":"m"},"data":{"value":""}})");
  EXPECT_THAT(ask("GET", "/api/v1/namespaces/default/configmaps/m").body,
              HasSubstr(R"("data":{"value":""})"));
}

}  // namespace
}  // namespace catflap::sim
