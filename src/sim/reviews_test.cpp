#include "sim/reviews.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json_read.hpp"

namespace catflap::sim {
namespace {

const User kReader{.name = "reader",
                   .groups = {"system:authenticated"},
                   .rules = {{.api_groups = {""}, .resources = {"pods"}, .verbs = {"get", "list"}},
                             {.api_groups = {""},
                              .resources = {"pods/exec"},
                              .verbs = {"create"},
                              .namespace_ = "kube-system"}},
                   .denied = {{"list", "pods"}}};
const User kAdmin{.name = "admin", .groups = {"system:masters"}};

std::optional<json::object> ask(const User& user, const std::string& path,
                                const std::string& body) {
  ApiRequest request{.method = "POST", .body = body};
  EXPECT_TRUE(read_target(path, request));
  const auto reply = review_reply(user, request);
  if (!reply || reply->status != 201) return std::nullopt;
  return json::parse(reply->body).as_object();
}

bool may(const User& user, const std::string& spec) {
  const auto answer = ask(user, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                          R"({"spec":)" + spec + "}");
  return answer && true_at(*answer, {"status", "allowed"});
}

std::string on(const std::string& verb, const std::string& resource, const std::string& more = "") {
  return R"({"resourceAttributes":{"verb":")" + verb + R"(","resource":")" + resource + "\"" +
         more + "}}";
}

TEST(Reviews, SayWhatTheServerWouldAllow) {
  EXPECT_TRUE(may(kReader, on("get", "pods")));
  EXPECT_FALSE(may(kReader, on("list", "pods"))) << "the scenario denies it";
  EXPECT_FALSE(may(kReader, on("delete", "pods")));
  const std::string exec = R"(,"subresource":"exec","namespace":")";
  EXPECT_TRUE(may(kReader, on("create", "pods", exec + "kube-system\"")));
  EXPECT_FALSE(may(kReader, on("create", "pods", exec + "default\"")));
  EXPECT_TRUE(may(kAdmin, on("delete", "nodes")));
  const std::string version = R"({"nonResourceAttributes":{"verb":"get","path":"/version"}})";
  const std::string metrics = R"({"nonResourceAttributes":{"verb":"get","path":"/metrics"}})";
  EXPECT_TRUE(may(kReader, version));
  EXPECT_FALSE(may(kReader, metrics));
  EXPECT_TRUE(may(kAdmin, metrics));
  EXPECT_FALSE(may(kReader, "{}"));
  EXPECT_FALSE(may(kReader, "7"));
}

TEST(Reviews, ListTheRules) {
  const auto rules = [](const char* body) {
    return ask(kReader, "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", body);
  };
  const auto there = rules(R"({"spec":{"namespace":"kube-system"}})");
  ASSERT_TRUE(there);
  EXPECT_EQ(objects_at(*there, {"status", "resourceRules"}).size(), 2u);
  EXPECT_TRUE(true_at(*there, {"status", "incomplete"})) << "a denial is no rule";
  const auto elsewhere = rules(R"({"spec":{"namespace":"default"}})");
  ASSERT_TRUE(elsewhere);
  EXPECT_EQ(objects_at(*elsewhere, {"status", "resourceRules"}).size(), 1u);
}

TEST(Reviews, SayWhoAsks) {
  const auto who =
      ask(kReader, "/apis/authentication.k8s.io/v1/selfsubjectreviews", R"({"kind":"x"})");
  ASSERT_TRUE(who);
  EXPECT_EQ(text_at(*who, {"status", "userInfo", "username"}), "reader");
  EXPECT_FALSE(ask(kReader, "/apis/authentication.k8s.io/v1/selfsubjectreviews", "nonsense"));
  EXPECT_FALSE(ask(kReader, "/apis/authorization.k8s.io/v1/subjectaccessreviews", "{}"));
}

}  // namespace
}  // namespace catflap::sim
