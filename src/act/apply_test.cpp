// Compare-and-swap of one field against a fake API server, with somebody else at the same object.
#include "act/apply.hpp"

#include <gmock/gmock.h>

#include "support/fake_api.hpp"

namespace catflap::act {
namespace {

using kube::FakeApi;
using kube::Fault;
using testing::HasSubstr;

const kube::ObjectRef kSet{kube::kDaemonSets, "kube-system", "calico-node"};
const kube::Resource kFelix{"crd.projectcalico.org", "v1", "felixconfigurations"};
const kube::ObjectRef kDefault{kFelix, "", "default"};
constexpr const char* kOn = R"([{"name":"A","value":"1"},{"name":"FELIX_X","value":"true"}])";
constexpr const char* kOff = R"([{"name":"A","value":"1"},{"name":"FELIX_X","value":"false"}])";

class Apply : public testing::Test {
 protected:
  Apply() {
    api.cluster().put(kube::kDaemonSets, json::parse(R"({
      "metadata": {"name": "calico-node", "namespace": "kube-system", "uid": "ds-1"},
      "spec": {"template": {"spec": {"containers": [
        {"name": "other"},
        {"name": "calico-node", "env": [{"name":"A","value":"1"},{"name":"FELIX_X","value":"true"}]}]}}}})")
                                             .as_object());
    api.cluster().put(
        kFelix, json::parse(R"({"metadata": {"name": "default", "uid": "fc-1"}})").as_object());
  }

  static FieldChange env(const char* from, const char* to) {
    return {.target = {"apps/v1", "DaemonSet", "kube-system", "calico-node", "ds-1", "calico-node",
                       "env"},
            .expected = json::parse(from),
            .wanted = json::parse(to)};
  }
  static FieldChange felix(const char* field, json::value from, json::value to) {
    return {.target = {"crd.projectcalico.org/v1", "FelixConfiguration", "", "default", "fc-1", "",
                       field},
            .expected = std::move(from),
            .wanted = std::move(to)};
  }
  Result<Applied> apply(const FieldChange& change) { return apply_field(context, change, {}); }
  json::value env_now() {
    return api.cluster()
        .find(kSet)
        ->at("spec")
        .at("template")
        .at("spec")
        .at("containers")
        .as_array()[1]
        .at("env");
  }
  void edit_env(const char* env) {
    api.cluster().edit(kSet, [&](json::object& set) {
      set["spec"].at("template").at("spec").at("containers").as_array()[1].as_object()["env"] =
          json::parse(env);
    });
  }
  void touch() {
    api.cluster().edit(kSet, [&](json::object& set) {
      set["metadata"].as_object()["labels"] = {{"touched", std::to_string(++touches)}};
    });
  }

  ManualClock clock;
  FakeApi api{clock};
  Context context{.api = api, .clock = clock};
  int touches = 0;
};

TEST_F(Apply, WritesTheFieldAndKeepsTheAuditId) {
  const auto applied = apply(env(kOn, kOff)).value();
  EXPECT_TRUE(applied.written);
  EXPECT_EQ(applied.audit_id, "audit-1");
  EXPECT_EQ(applied.generation, 2);
  EXPECT_EQ(env_now(), json::parse(kOff));
}

TEST_F(Apply, WritesNothingThatIsThereAlready) {
  edit_env(kOff);
  EXPECT_FALSE(apply(env(kOn, kOff)).value().written);
  EXPECT_TRUE(api.writes().empty());
}

TEST_F(Apply, RefusesAForeignEditWithTheDifference) {
  edit_env(R"([{"name":"A","value":"1"},{"name":"FELIX_X","value":"yes"}])");
  const auto applied = apply(env(kOn, kOff));
  ASSERT_FALSE(applied.has_value());
  EXPECT_EQ(applied.error().kind, ErrorKind::refused);
  EXPECT_THAT(applied.error().what, HasSubstr("found FELIX_X=yes; missing FELIX_X=true"));
  EXPECT_TRUE(api.writes().empty());
}

TEST_F(Apply, GoesOnWhenSomebodyEditsAnotherField) {
  api.inject({.verb = "patch", .times = 3, .action = [&] { touch(); }});
  EXPECT_TRUE(apply(env(kOn, kOff)).value().written);
  EXPECT_EQ(env_now(), json::parse(kOff));
  EXPECT_EQ(touches, 3);
  EXPECT_EQ(api.writes().size(), 1u);
}

TEST_F(Apply, NeverOverwritesAnEditThatComesBetweenReadAndWrite) {
  api.inject({.verb = "patch", .action = [&] { edit_env("[]"); }});
  const auto applied = apply(env(kOn, kOff));
  ASSERT_FALSE(applied.has_value());
  EXPECT_EQ(applied.error().kind, ErrorKind::refused);
  EXPECT_EQ(env_now(), json::parse("[]"));
}

TEST_F(Apply, GivesUpAfterFiveConflicts) {
  api.inject({.verb = "patch", .times = 0, .action = [&] { touch(); }});
  const auto applied = apply(env(kOn, kOff));
  ASSERT_FALSE(applied.has_value());
  EXPECT_EQ(applied.error().kind, ErrorKind::conflict);
  EXPECT_EQ(touches, 5);
  EXPECT_EQ(env_now(), json::parse(kOn));
}

TEST_F(Apply, ALostAnswerAfterTheWriteIsNotWrittenTwice) {
  api.inject({.verb = "patch", .when = Fault::When::after, .error = kube::fake_timed_out()});
  const auto applied = apply(env(kOn, kOff)).value();
  EXPECT_TRUE(applied.written);
  EXPECT_EQ(applied.audit_id, "");
  EXPECT_EQ(api.writes().size(), 1u);
}

TEST_F(Apply, ARequestThatNeverArrivedIsSentAgain) {
  api.inject({.verb = "patch", .error = kube::fake_unreachable()});
  api.inject({.verb = "get", .nth = 2, .times = 4, .error = kube::fake_unreachable()});
  EXPECT_EQ(apply(env(kOn, kOff)).value().audit_id, "audit-1");
  EXPECT_EQ(env_now(), json::parse(kOff));
}

TEST_F(Apply, AStormOf429Passes) {
  api.inject({.verb = "patch", .times = 4, .error = kube::fake_too_many_requests()});
  EXPECT_TRUE(apply(env(kOn, kOff)).value().written);
}

TEST_F(Apply, AServerThatStaysAwayEndsIt) {
  api.inject({.times = 0, .error = kube::fake_unreachable()});
  const auto begun = clock.steady();
  EXPECT_EQ(apply(env(kOn, kOff)).error().kind, ErrorKind::unreachable);
  EXPECT_LE(clock.steady() - begun, std::chrono::minutes(1));
}

TEST_F(Apply, AMissingRightEndsItAtOnce) {
  api.deny("patch", "daemonsets");
  EXPECT_EQ(apply(env(kOn, kOff)).error().kind, ErrorKind::not_permitted);
  EXPECT_EQ(api.requests().size(), 2u);
}

TEST_F(Apply, DryRunStoresNothing) {
  const auto applied = apply_field(context, env(kOn, kOff), {.dry_run = true}).value();
  EXPECT_TRUE(applied.written);
  EXPECT_EQ(env_now(), json::parse(kOn));
}

TEST_F(Apply, TheLosersStopComesBeforeTheWrite) {
  const ApplyOptions options{
      .may_write = [] { return Result<void>{Error{.kind = ErrorKind::refused, .what = "lost"}}; }};
  EXPECT_EQ(apply_field(context, env(kOn, kOff), options).error().what, "lost");
  EXPECT_TRUE(api.writes().empty());
}

TEST_F(Apply, AnObjectMadeAgainIsNotTheOnePlannedFor) {
  api.cluster().edit(kSet, [](json::object& set) { set["metadata"].as_object()["uid"] = "ds-2"; });
  EXPECT_EQ(apply(env(kOn, kOff)).error().kind, ErrorKind::refused);
}

TEST_F(Apply, AContainerThatIsGoneIsRefused) {
  auto change = env(kOn, kOff);
  change.target.container = "felix";
  EXPECT_THAT(apply(change).error().what, HasSubstr("no container felix"));
}

TEST_F(Apply, AbsentEnvIsMadeAndTakenAway) {
  api.cluster().edit(kSet, [](json::object& set) {
    set["spec"].at("template").at("spec").at("containers").as_array()[1].as_object().erase("env");
  });
  const json::object before = *api.cluster().find(kSet);
  ASSERT_TRUE(apply(env("null", kOff)).value().written);
  EXPECT_EQ(env_now(), json::parse(kOff));
  ASSERT_TRUE(apply(env(kOff, "null")).value().written);
  EXPECT_EQ(api.cluster().find(kSet)->at("spec"), before.at("spec"));
}

TEST_F(Apply, ASpecThatDidNotExistIsMadeAndTakenAway) {
  const std::string field = "spec.prometheusMetricsEnabled";
  ASSERT_TRUE(apply(felix(field.c_str(), nullptr, false)).value().written);
  EXPECT_EQ(api.cluster().find(kDefault)->at("spec"),
            json::parse(R"({"prometheusMetricsEnabled":false})"));
  auto back = felix(field.c_str(), false, nullptr);
  back.drop_empty_parent = true;
  ASSERT_TRUE(apply(back).value().written);
  EXPECT_FALSE(api.cluster().find(kDefault)->contains("spec"));
}

TEST_F(Apply, AParentThatOthersUseByNowStays) {
  api.cluster().edit(kDefault, [](json::object& object) {
    object["spec"] = {{"prometheusMetricsEnabled", false}, {"logSeverityScreen", "Info"}};
  });
  auto back = felix("spec.prometheusMetricsEnabled", false, nullptr);
  back.drop_empty_parent = true;
  ASSERT_TRUE(apply(back).value().written);
  EXPECT_EQ(api.cluster().find(kDefault)->at("spec"),
            json::parse(R"({"logSeverityScreen":"Info"})"));
}

TEST_F(Apply, AnnotationKeysAreEscaped) {
  const char* field = "metadata.annotations[config.projectcalico.org/Prometheus~Metrics]";
  ASSERT_TRUE(apply(felix(field, nullptr, "false")).value().written);
  EXPECT_EQ(api.cluster().find(kDefault)->at("metadata").at("annotations"),
            json::parse(R"({"config.projectcalico.org/Prometheus~Metrics":"false"})"));
  EXPECT_EQ(api.requests().back().body.as_array()[2].at("path"),
            "/metadata/annotations/config.projectcalico.org~1Prometheus~0Metrics");
}

TEST_F(Apply, DuplicatesOfTheTouchedEntryAreAChange) {
  edit_env(
      R"([{"name":"A","value":"1"},{"name":"FELIX_X","value":"true"},{"name":"FELIX_X","value":"true"}])");
  EXPECT_THAT(apply(env(kOn, kOff)).error().what, HasSubstr("another order or number"));
}

TEST_F(Apply, WhatOthersAddedMeanwhileStays) {
  edit_env(R"([{"name":"NEW"},{"name":"A","value":"2"},{"name":"FELIX_X","value":"true"}])");
  EXPECT_TRUE(apply(env(kOn, kOff)).value().written);
  EXPECT_EQ(env_now(),
            json::parse(
                R"([{"name":"NEW"},{"name":"A","value":"2"},{"name":"FELIX_X","value":"false"}])"));
}

TEST(FakeApi, AnswersAsTheRealServerDoes) {
  ManualClock clock;
  FakeApi api(clock);
  api.cluster().put(kube::kConfigMaps,
                    json::parse(R"({"metadata":{"name":"x","namespace":"n"}})").as_object());
  const kube::ObjectRef ref{kube::kConfigMaps, "n", "x"};
  const auto patch = [&](const char* text) {
    return api.patch(ref, kube::PatchType::json_patch, json::parse(text), {});
  };
  EXPECT_EQ(
      patch(R"([{"op":"replace","path":"/metadata/resourceVersion","value":"1"}])").error().kind,
      ErrorKind::conflict);
  EXPECT_EQ(patch(R"([{"op":"test","path":"/metadata/resourceVersion","value":"1"}])")
                .error()
                .system_code,
            422);
  EXPECT_EQ(patch(R"([{"op":"remove","path":"/data"}])").error().system_code, 422);
  const auto same = patch(R"([{"op":"add","path":"/metadata/name","value":"x"}])");
  EXPECT_EQ(same->object.at("metadata").at("resourceVersion"), "1001");
  EXPECT_EQ(api.create(kube::kConfigMaps, "n", *api.cluster().find(ref), {}).error().system_code,
            409);
}

}  // namespace
}  // namespace catflap::act
