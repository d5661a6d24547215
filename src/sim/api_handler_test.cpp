// What the embedded API server answers, without a network: the cases that catflap's client does not
// send, but kubectl does.
#include "sim/api_handler.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json_read.hpp"

namespace catflap::sim {
namespace {

using ::testing::HasSubstr;

class ApiHandlerTest : public testing::Test {
 protected:
  void SetUp() override {
    store.put(kube::kNamespaces, json::parse(R"({"metadata":{"name":"ns"}})").as_object());
    store.put(kube::kPods, json::parse(R"({"metadata":{"name":"p","namespace":"ns"},
        "spec":{"nodeName":"n1","containers":[{"name":"c"}],"terminationGracePeriodSeconds":5},
        "status":{"phase":"Running","podIP":"10.0.0.1","containerStatuses":[
          {"ready":true,"restartCount":2}]}})")
                               .as_object());
    store.put(kube::kDaemonSets, json::parse(R"({"apiVersion":"apps/v1","kind":"DaemonSet",
        "metadata":{"name":"d","namespace":"ns"},
        "spec":{"template":{"spec":{"containers":[{"name":"c","image":"i"}]}}},
        "status":{"numberReady":1}})")
                                     .as_object());
  }

  Reply ask(std::string method, const std::string& target, std::string body = "",
            std::map<std::string, std::string> headers = {}) {
    ApiRequest request{
        .method = std::move(method), .headers = std::move(headers), .body = std::move(body)};
    EXPECT_TRUE(read_target(target, request));
    if (!request.headers.contains("authorization"))
      request.headers["authorization"] = "Bearer admin";
    auto answer = handler.handle(request);
    if (auto* feed = std::get_if<WatchFeed>(&answer)) return {.body = feed->take()};
    return std::get<Reply>(answer);
  }

  json::object object(const Reply& reply) { return json::parse(reply.body).as_object(); }

  Reply strategic(const std::string& body) {
    return ask("PATCH", kSet, body, {{"content-type", "application/strategic-merge-patch+json"}});
  }

  static constexpr const char* kSet = "/apis/apps/v1/namespaces/ns/daemonsets/d";
  ManualClock clock;
  Store store{clock};
  ApiHandler handler{
      store,
      {{"admin", {.name = "admin", .groups = {"system:masters"}}}, {"user", {.name = "user"}}},
      "v1.28.15"};
};

TEST_F(ApiHandlerTest, TablesAreWhatKubectlGetShows) {
  const std::map<std::string, std::string> table{
      {"accept", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}};
  const auto pods = object(ask("GET", "/api/v1/pods", "", table));
  EXPECT_EQ(text_at(pods, {"kind"}), "Table");
  EXPECT_EQ(json::serialize(pods.at("rows").at(0).at("cells")),
            R"(["p","1/1","Running","2","0s","10.0.0.1","n1","<none>","<none>"])");
  const auto set = object(ask("GET", kSet, "", table));
  EXPECT_EQ(json::serialize(set.at("rows").at(0).at("cells")),
            R"(["d",0,0,1,0,0,"<none>","0s","c","i","<none>"])");
  EXPECT_EQ(text_at(object(ask("GET", kSet)), {"kind"}), "DaemonSet");
  const auto line = ask("GET", "/api/v1/pods?watch=true", "", table);
  EXPECT_EQ(text_at(object(line), {"object", "kind"}), "Table");
}

TEST_F(ApiHandlerTest, MetadataAlone) {
  const auto list =
      object(ask("GET", "/api/v1/pods", "",
                 {{"accept", "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"}}));
  EXPECT_EQ(text_at(list, {"kind"}), "PartialObjectMetadataList");
  EXPECT_FALSE(list.at("items").at(0).as_object().contains("spec"));
}

TEST_F(ApiHandlerTest, AWriteOfTheObjectLeavesItsStatusAlone) {
  strategic(R"({"spec":{"x":1},"status":{"numberReady":9}})");
  auto now = object(ask("GET", kSet));
  EXPECT_EQ(number_at(now, {"status", "numberReady"}), 1);
  EXPECT_EQ(number_at(now, {"spec", "x"}), 1);
  ask("PATCH", std::string{kSet} + "/status", R"({"spec":{"x":2},"status":{"numberReady":9}})",
      {{"content-type", "application/merge-patch+json"}});
  now = object(ask("GET", kSet));
  EXPECT_EQ(number_at(now, {"status", "numberReady"}), 9);
  EXPECT_EQ(number_at(now, {"spec", "x"}), 1);
}

TEST_F(ApiHandlerTest, AFieldThatATemplateRefersToHasAVersion) {
  const auto patch = [&](const std::string& reference) {
    ask("PATCH", kSet,
        R"({"spec":{"template":{"spec":{"containers":[{"name":"c","env":[
          {"name":"A","valueFrom":{"fieldRef":)" +
            reference + "}}]}]}}}}",
        {{"content-type", "application/merge-patch+json"}});
    const json::value now = object(ask("GET", kSet));
    return now.at_pointer("/spec/template/spec/containers/0/env/0/valueFrom/fieldRef");
  };
  EXPECT_EQ(patch(R"({"fieldPath":"spec.nodeName"})"),
            json::parse(R"({"fieldPath":"spec.nodeName","apiVersion":"v1"})"));
  const auto said = R"({"apiVersion":"v2","fieldPath":"spec.nodeName"})";
  EXPECT_EQ(patch(said), json::parse(said));
}

TEST_F(ApiHandlerTest, PutReplacesWhatTheClientHasSeen) {
  auto seen = object(ask("GET", kSet));
  seen["spec"].as_object()["y"] = 1;
  const auto body = json::serialize(seen);
  EXPECT_EQ(ask("PUT", kSet, body).status, 200);
  EXPECT_EQ(ask("PUT", kSet, body).status, 409);
  seen["metadata"].as_object()["name"] = "other";
  EXPECT_THAT(ask("PUT", kSet, json::serialize(seen)).body,
              HasSubstr("the name of the object (other) does not match the name on the URL (d)"));
}

TEST_F(ApiHandlerTest, BodiesThatAreNotWhatTheySayAreRefused) {
  EXPECT_EQ(strategic("nonsense").status, 400);
  EXPECT_EQ(strategic("[]").status, 400);
  EXPECT_EQ(strategic("null").status, 400);
  EXPECT_EQ(strategic(R"({"metadata":null})").status, 400);
  const std::map<std::string, std::string> json_patch{
      {"content-type", "application/json-patch+json"}};
  for (const auto* patch : {"{}", "[1]", R"([{"op":"add"}])", R"([{"op":"add","path":1}])"})
    EXPECT_EQ(ask("PATCH", kSet, patch, json_patch).status, 400) << patch;
  for (const auto* target : {kSet, "/api/v1/namespaces/ns/configmaps/not-there"}) {
    const auto applied =
        ask("PATCH", target, "{}", {{"content-type", "application/apply-patch+yaml"}});
    EXPECT_EQ(applied.status, 415);
    EXPECT_THAT(applied.body, HasSubstr("without --server-side works"));
  }
  EXPECT_EQ(ask("POST", "/api/v1/namespaces/ns/configmaps", "[]").status, 400);
  EXPECT_EQ(ask("POST", "/api/v1/namespaces/ns/configmaps", "{}").status, 422);
  EXPECT_EQ(ask("POST", "/api/v1/namespaces/ns/configmaps", R"({"metadata":{"name":7}})").status,
            422);
  EXPECT_EQ(ask("DELETE", kSet, "7").status, 400);
  EXPECT_EQ(ask("POST", "/api/v1/configmaps", R"({"metadata":{"name":"x"}})").status, 405);
  EXPECT_EQ(ask("POST", "/api/v1/namespaces/ns/pods/p/log").status, 405);
  EXPECT_EQ(ask("GET", "/apis/apps/v1/bars").status, 404);
  EXPECT_EQ(ask("GET", "/api/v1/pods?limit=x").status, 400);
  EXPECT_EQ(ask("GET", "/api/v1/pods?resourceVersion=99999").status, 504);
}

TEST_F(ApiHandlerTest, ADeletedPodEndsInItsTime) {
  ask("DELETE", "/api/v1/namespaces/ns/pods/p");
  const auto pod = object(ask("GET", "/api/v1/namespaces/ns/pods/p"));
  EXPECT_EQ(number_at(pod, {"metadata", "deletionGracePeriodSeconds"}), 5);
  ask("DELETE", "/api/v1/namespaces/ns/pods/p", R"({"gracePeriodSeconds":0})");
  EXPECT_EQ(ask("GET", "/api/v1/namespaces/ns/pods/p").status, 404);
}

TEST_F(ApiHandlerTest, TypesThatAManifestBringsAreServed) {
  const auto manifest = json::parse(R"({"apiVersion":"argoproj.io/v1alpha1","kind":"Application",
                      "metadata":{"name":"a","namespace":"ns"}})")
                            .as_object();
  EXPECT_EQ(ask("GET", "/apis/argoproj.io/v1alpha1").status, 404);
  store.put(kind_of(manifest).resource, manifest);
  EXPECT_THAT(ask("GET", "/apis/argoproj.io/v1alpha1").body, HasSubstr("\"applications\""));
  const auto list = object(ask("GET", "/apis/argoproj.io/v1alpha1/applications"));
  EXPECT_EQ(text_at(list, {"kind"}), "ApplicationList");
  EXPECT_EQ(list.at("items").at(0).at("kind"), "Application");
}

TEST_F(ApiHandlerTest, ADefinitionBringsATypeBeforeItsFirstObject) {
  const auto definition =
      json::parse(R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",
        "metadata":{"name":"installations.operator.tigera.io"},"spec":{"group":"operator.tigera.io",
        "scope":"Cluster","names":{"plural":"installations","kind":"Installation"},
        "versions":[{"name":"v1","served":true},{"name":"v0","served":false}]}})")
          .as_object();
  store.put(kind_of(definition).resource, definition);
  EXPECT_EQ(ask("GET", "/apis/operator.tigera.io/v1/installations").status, 200);
  EXPECT_EQ(ask("GET", "/apis/operator.tigera.io/v0/installations").status, 404);
}

TEST_F(ApiHandlerTest, SaysThatAPatchCanBeValidated) {
  const auto roots = object(ask("GET", "/openapi/v3"));
  EXPECT_EQ(text_at(roots, {"paths", "apis/apps/v1", "serverRelativeURL"}),
            "/openapi/v3/apis/apps/v1");
  EXPECT_THAT(ask("GET", "/openapi/v3/apis/apps/v1").body, HasSubstr("fieldValidation"));
  EXPECT_EQ(ask("GET", "/openapi/v3/apis/nobody/v1").status, 404);
}

TEST_F(ApiHandlerTest, OnlyTheAdminActsAsSomebodyElse) {
  EXPECT_EQ(ask("GET", kSet, "", {{"impersonate-user", "user"}}).status, 403);
  const auto reply =
      ask("GET", kSet, "", {{"authorization", "Bearer user"}, {"impersonate-user", "admin"}});
  EXPECT_THAT(reply.body, HasSubstr("cannot impersonate resource"));
  EXPECT_EQ(ask("GET", kSet, "", {{"authorization", "Basic admin"}}).status, 401);
}

TEST_F(ApiHandlerTest, WhatIsServedEverybodyMayAsk) {
  const std::map<std::string, std::string> user{{"authorization", "Bearer user"}};
  for (const auto* path : {"/api", "/apis", "/api/v1", "/apis/apps", "/apis/apps/v1"})
    EXPECT_EQ(ask("GET", path, "", user).status, 200) << path;
  for (const auto* path : {"/apis/nobody.example", "/apis/nobody.example/v1", "/api/v9"})
    EXPECT_EQ(ask("GET", path, "", user).status, 404) << path;
  // A right is asked for before there is something to read.
  EXPECT_EQ(ask("GET", "/apis/nobody.example/v1/things/x", "", user).status, 403);
  EXPECT_EQ(ask("GET", "/metrics", "", user).status, 403);
}

TEST_F(ApiHandlerTest, SaysThatPortsAreNotForwardedOverSpdy) {
  const std::string target = "/api/v1/namespaces/ns/pods/p/portforward";
  for (const auto& [name, value] : {std::pair{"upgrade", "SPDY/3.1"},
                                    {"sec-websocket-protocol", "SPDY/3.1+portforward.k8s.io"}})
    EXPECT_THAT(ask("POST", target, "", {{name, value}}).body, HasSubstr("does not serve SPDY"));
  EXPECT_THAT(ask("GET", target).body, HasSubstr("is required"));
}

TEST_F(ApiHandlerTest, FieldsHaveTheirWriter) {
  ask("PATCH", std::string{kSet} + "?fieldManager=one",
      R"({"metadata":{"labels":{"a":"1","b":"1"}}})",
      {{"content-type", "application/merge-patch+json"}});
  clock.advance(std::chrono::seconds{90});
  ask("PATCH", std::string{kSet} + "?fieldManager=two", R"({"metadata":{"labels":{"b":"2"}}})",
      {{"content-type", "application/merge-patch+json"}});
  const auto set = object(ask("GET", kSet));
  const auto entries = objects_at(set, {"metadata", "managedFields"});
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(json::serialize(entries[0]->at("fieldsV1")),
            R"({"f:metadata":{"f:labels":{"f:a":{}}}})");
  EXPECT_EQ(json::serialize(entries[1]->at("fieldsV1")),
            R"({"f:metadata":{"f:labels":{"f:b":{}}}})");
  EXPECT_EQ(text_at(*entries[1], {"time"}), "2023-11-14T22:14:50Z");
  // Nothing changed: nobody wrote.
  ask("PATCH", std::string{kSet} + "?fieldManager=three", R"({"metadata":{"labels":{"b":"2"}}})",
      {{"content-type", "application/merge-patch+json"}});
  EXPECT_EQ(object(ask("GET", kSet)), set);
}

}  // namespace
}  // namespace catflap::sim
