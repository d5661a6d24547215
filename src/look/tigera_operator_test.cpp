#include "look/tigera_operator.hpp"

#include <gmock/gmock.h>

#include "base/json_read.hpp"
#include "core/plan/tigera_operator.hpp"
#include "support/fake_api.hpp"

namespace catflap::look {
namespace {

using testing::HasSubstr;

class ReadOperator : public testing::Test {
 protected:
  void put(const kube::Resource& resource, const char* text) {
    api.cluster().put(resource, json::parse(text).as_object());
  }
  void put_installation(const char* text) {
    put({"operator.tigera.io", "v1", "installations"}, text);
  }
  void put_operator(const char* text) { put({"apps", "v1", "deployments"}, text); }
  void put_status(const std::string& condition) {
    const auto text =
        R"({"metadata":{"name":"calico"},"status":{"conditions":[)" + condition + "]}}";
    put({"operator.tigera.io", "v1", "tigerastatuses"}, text.c_str());
  }
  OperatorFacts read() { return read_operator(api).value(); }

  ManualClock clock;
  kube::FakeApi api{clock};
};

TEST_F(ReadOperator, TheOverlayCounts) {
  put_installation(R"({"metadata":{"name":"overlay"},"spec":{"nodeMetricsPort":9095}})");
  put_installation(
      R"({"metadata":{"name":"default","labels":{"a":"b"}},"spec":{"nodeMetricsPort":9091,"variant":"Calico"}})");
  put_installation(R"({"metadata":{"name":"other"},"spec":{"nodeMetricsPort":9999}})");
  const auto facts = read();
  ASSERT_EQ(facts.installations.size(), 2u);
  EXPECT_EQ(effective_port(facts), json::value(9095));
  EXPECT_EQ(text_at(facts.installations[0], {"metadata", "labels", "a"}), "b");
  EXPECT_FALSE(facts.installations[0].at("spec").as_object().contains("variant"));
}

TEST_F(ReadOperator, AbsentAndNullAreNoPort) {
  put_installation(R"({"metadata":{"name":"default"},"spec":{"nodeMetricsPort":null}})");
  const auto facts = read();
  EXPECT_TRUE(facts.installations_state.readable);
  EXPECT_TRUE(effective_port(facts).is_null());
  EXPECT_TRUE(changes_to_absent(facts).empty());
}

TEST_F(ReadOperator, AForbiddenInstallationIsSaidAndNotGuessed) {
  put_installation(R"({"metadata":{"name":"default"},"spec":{}})");
  api.deny("get", "installations");
  const auto facts = read();
  EXPECT_FALSE(facts.installations_state.readable);
  EXPECT_THAT(facts.installations_state.why, HasSubstr("installations"));
}

TEST_F(ReadOperator, OneOfThemForbiddenIsEnoughNotToKnow) {
  put_installation(R"({"metadata":{"name":"default"},"spec":{}})");
  api.inject({.verb = "get",
              .plural = "installations",
              .nth = 2,
              .error = kube::fake_forbidden("get", {"operator.tigera.io", "v1", "installations"})});
  EXPECT_FALSE(read().installations_state.readable);
}

TEST_F(ReadOperator, NoInstallationIsNotKnown) {
  EXPECT_FALSE(read().installations_state.readable);
}

TEST_F(ReadOperator, WhetherItRuns) {
  put_installation(R"({"metadata":{"name":"default"},"spec":{}})");
  const json::object set;
  EXPECT_FALSE(read().deployment_state.readable) << "it is not there";
  EXPECT_EQ(operator_trouble(read(), set), "");
  put_operator(
      R"({"metadata":{"name":"tigera-operator","namespace":"tigera-operator"},"spec":{"replicas":0},"status":{"availableReplicas":1}})");
  EXPECT_THAT(operator_trouble(read(), set), HasSubstr("scaled to 0"));
  put_operator(
      R"({"metadata":{"name":"tigera-operator","namespace":"tigera-operator"},"spec":{},"status":{}})");
  EXPECT_THAT(operator_trouble(read(), set), HasSubstr("no available pod"));
  put_operator(
      R"({"metadata":{"name":"tigera-operator","namespace":"tigera-operator"},"spec":{"replicas":1},"status":{"availableReplicas":1}})");
  EXPECT_EQ(operator_trouble(read(), set), "");
  put_status(R"({"type":"Degraded","status":"False","message":"fine"})");
  EXPECT_EQ(operator_trouble(read(), set), "");
  put_status(
      R"({"type":"Degraded","status":"True","reason":"ResourceReadError","message":"no secret"})");
  EXPECT_THAT(operator_trouble(read(), set), HasSubstr("ResourceReadError: no secret"));
}

TEST_F(ReadOperator, WhatTheStatusSaysIsBoundedAndPrintable) {
  put_installation(R"({"metadata":{"name":"default"},"spec":"nonsense"})");
  put_status(R"({"type":"Degraded","status":"True","message":"\u001b[31m)" +
             std::string(5000, 'x') + "\"}");
  const auto facts = read();
  EXPECT_LE(facts.degraded.size(), 250u);
  EXPECT_EQ(facts.degraded.find('\x1b'), std::string::npos);
  EXPECT_TRUE(effective_port(facts).is_null());
}

TEST_F(ReadOperator, AnUnreachableServerEndsTheRun) {
  api.inject({.verb = "get", .plural = "installations", .error = kube::fake_unreachable()});
  EXPECT_FALSE(read_operator(api).has_value());
}

}  // namespace
}  // namespace catflap::look
