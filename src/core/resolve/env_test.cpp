// The rules are those of the kubelet of Kubernetes 1.33 (makeEnvironmentVariables).
#include "core/resolve/env.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace catflap {
namespace {

const Lookups& config_maps() {
  static const Lookups kMaps{
      {"cm", {Lookup::State::found, {{"a", "1"}, {"b", ""}, {"FELIX_X", "cm"}}, ""}},
      {"more", {Lookup::State::found, {{"FELIX_X", "more"}}, ""}},
      {"gone", {Lookup::State::absent, {}, ""}},
      {"shut", {Lookup::State::unreadable, {}, "forbidden"}},
  };
  return kMaps;
}

const Lookups& secrets() {
  static const Lookups kSecrets{{"s", {Lookup::State::found, {{"k", "hush"}}, ""}},
                                {"shut", {Lookup::State::unreadable, {}, "forbidden"}}};
  return kSecrets;
}

json::object pod_with(std::string_view env, std::string_view env_from, std::string_view more) {
  return json::parse(fmt::format(
                         R"({{"metadata":{{"name":"p","namespace":"n","uid":"u",
      "labels":{{"app":"felix"}},"annotations":{{"note/x":"y"}}}},
      "spec":{{"nodeName":"node-1","serviceAccountName":"sa"{},"containers":[
        {{"name":"other","env":[{{"name":"A","value":"wrong"}}]}},
        {{"name":"felix","env":[{}],"envFrom":[{}]}}]}},
      "status":{{"hostIP":"10.0.0.1","hostIPs":[{{"ip":"10.0.0.1"}},{{"ip":"fd00::1"}}],
        "podIP":"10.0.0.1","podIPs":[{{"ip":"10.0.0.1"}}]}}}})",
                         more, env, env_from))
      .as_object();
}

/// "A=1|B=? (why)", then "|* prefix (why)" for sources that are not known.
std::string build(std::string_view env, std::string_view env_from = "",
                  std::string_view more = "") {
  const Environment built =
      build_environment(pod_with(env, env_from, more), "felix", config_maps(), secrets());
  std::string line;
  for (const EnvVariable& variable : built.variables) {
    line += fmt::format("{}{}={}", line.empty() ? "" : "|", variable.name,
                        variable.value ? *variable.value : "? (" + variable.why + ")");
  }
  for (const OpaqueSource& source : built.opaque) {
    line += fmt::format("|* {} ({})", source.prefix, source.why);
  }
  return line;
}

TEST(BuildEnvironment, TakesValuesAndTheLastOfDuplicates) {
  EXPECT_EQ(build(""), "");
  EXPECT_EQ(build(R"({"name":"A","value":"1"})"), "A=1");
  EXPECT_EQ(build(R"({"name":"A","value":"1"},{"name":"A","value":"2"})"), "A=2");
  EXPECT_EQ(build(R"({"name":"A","value":"1"},{"name":"a","value":"2"})"), "A=1|a=2");
  EXPECT_EQ(build(R"({"name":"A"})"), "A=");
  EXPECT_EQ(build(R"({"name":"A","value":""},{"name":"B","value":"x"})"), "A=|B=x");
}

TEST(BuildEnvironment, ExpandsReferencesToEarlierVariables) {
  EXPECT_EQ(build(R"j({"name":"A","value":"1"},{"name":"B","value":"x$(A)"})j"), "A=1|B=x1");
  EXPECT_EQ(build(R"j({"name":"B","value":"x$(A)"},{"name":"A","value":"1"})j"), "A=1|B=x$(A)");
  EXPECT_EQ(build(R"({"name":"A","value":"1"},{"name":"A","value":"$(A)2"})"), "A=12");
  EXPECT_EQ(build(R"j({"name":"B","value":"$(a)"})j", R"({"configMapRef":{"name":"cm"}})"),
            "B=1|FELIX_X=cm|a=1|b=");
  EXPECT_EQ(build(R"j({"name":"B","value":"$(KUBERNETES_SERVICE_HOST)"})j"),
            "B=? ($(KUBERNETES_SERVICE_HOST) may be a Service's variable)");
  EXPECT_EQ(build(R"j({"name":"B","value":"$(FOO_PORT)"})j", "", R"(,"enableServiceLinks":false)"),
            "B=$(FOO_PORT)");
  EXPECT_EQ(build(R"j({"name":"A","valueFrom":{"secretKeyRef":{"name":"shut","key":"k"}}},
                     {"name":"B","value":"$(A)"})j"),
            "A=? (Secret shut could not be read: forbidden)|"
            "B=? (Secret shut could not be read: forbidden)");
}

TEST(BuildEnvironment, FollowsReferencesToKeys) {
  const auto ref = [](std::string_view kind, std::string_view rest) {
    return fmt::format(R"({{"name":"A","valueFrom":{{"{}":{{{}}}}}}})", kind, rest);
  };
  EXPECT_EQ(build(ref("configMapKeyRef", R"("name":"cm","key":"a")")), "A=1");
  EXPECT_EQ(build(ref("configMapKeyRef", R"("name":"cm","key":"b")")), "A=");
  EXPECT_EQ(build(ref("secretKeyRef", R"("name":"s","key":"k")")), "A=hush");
  EXPECT_EQ(build(ref("configMapKeyRef", R"("name":"cm","key":"zz","optional":true)")), "");
  EXPECT_EQ(build(ref("configMapKeyRef", R"("name":"gone","key":"a","optional":true)")), "");
  EXPECT_EQ(build(ref("configMapKeyRef", R"("name":"cm","key":"zz")")),
            "A=? (ConfigMap cm has no key zz)");
  EXPECT_EQ(build(ref("configMapKeyRef", R"("name":"gone","key":"a")")),
            "A=? (ConfigMap gone does not exist)");
  EXPECT_EQ(build(ref("configMapKeyRef", R"("name":"shut","key":"a","optional":true)")),
            "A=? (ConfigMap shut could not be read: forbidden)");
  EXPECT_EQ(build(ref("secretKeyRef", R"("name":"unasked","key":"k")")),
            "A=? (Secret unasked could not be read: it was not read)");
  EXPECT_EQ(build(ref("resourceFieldRef", R"("resource":"limits.cpu")")),
            "A=? (its valueFrom is of a kind that catflap does not follow)");
  EXPECT_EQ(
      build(
          R"({"name":"A","value":"own","valueFrom":{"configMapKeyRef":{"name":"cm","key":"a"}}})"),
      "A=own");
  EXPECT_EQ(
      build(R"({"name":"A","value":"","valueFrom":{"configMapKeyRef":{"name":"cm","key":"a"}}})"),
      "A=1");
}

TEST(BuildEnvironment, KeepsTheEarlierEntryWhenAnOptionalOneSetsNothing) {
  EXPECT_EQ(build(R"({"name":"A","value":"1"},
                     {"name":"A","valueFrom":{"configMapKeyRef":
                       {"name":"cm","key":"zz","optional":true}}})"),
            "A=1");
}

TEST(BuildEnvironment, ReadsThePodsOwnFields) {
  const auto field = [](std::string_view path) {
    return build(
        fmt::format(R"({{"name":"A","valueFrom":{{"fieldRef":{{"fieldPath":"{}"}}}}}})", path));
  };
  EXPECT_EQ(field("metadata.name"), "A=p");
  EXPECT_EQ(field("metadata.namespace"), "A=n");
  EXPECT_EQ(field("metadata.uid"), "A=u");
  EXPECT_EQ(field("metadata.labels['app']"), "A=felix");
  EXPECT_EQ(field("metadata.labels['none']"), "A=");
  EXPECT_EQ(field("metadata.annotations['note/x']"), "A=y");
  EXPECT_EQ(field("spec.nodeName"), "A=node-1");
  EXPECT_EQ(field("spec.serviceAccountName"), "A=sa");
  EXPECT_EQ(field("status.hostIP"), "A=10.0.0.1");
  EXPECT_EQ(field("status.hostIPs"), "A=10.0.0.1,fd00::1");
  EXPECT_EQ(field("status.podIP"), "A=10.0.0.1");
  EXPECT_EQ(field("status.podIPs"), "A=10.0.0.1");
  EXPECT_EQ(field("metadata.labels"), "A=? (the field metadata.labels is not known)");
  EXPECT_EQ(field("metadata.labels[']"), "A=? (the field metadata.labels['] is not known)");
  EXPECT_EQ(field("spec.whatever"), "A=? (the field spec.whatever is not known)");
}

TEST(BuildEnvironment, DoesNotKnowATemplatesNodeAndAddresses) {
  const json::object pod =
      json::parse(R"({"metadata":{},"spec":{"containers":[{"name":"felix","env":[
    {"name":"A","valueFrom":{"fieldRef":{"fieldPath":"spec.nodeName"}}}]}]}})")
          .as_object();
  const Environment built = build_environment(pod, "felix", {}, {});
  ASSERT_EQ(built.variables.size(), 1U);
  EXPECT_FALSE(built.variables[0].value.has_value());
}

TEST(BuildEnvironment, TakesWholeObjectsInOrderBelowTheList) {
  EXPECT_EQ(build("", R"({"configMapRef":{"name":"cm"}})"), "FELIX_X=cm|a=1|b=");
  EXPECT_EQ(build("", R"({"configMapRef":{"name":"cm"}},{"configMapRef":{"name":"more"}})"),
            "FELIX_X=more|a=1|b=");
  EXPECT_EQ(build("", R"({"prefix":"P_","secretRef":{"name":"s"}})"), "P_k=hush");
  EXPECT_EQ(build(R"({"name":"FELIX_X","value":"list"})", R"({"configMapRef":{"name":"more"}})"),
            "FELIX_X=list");
  EXPECT_EQ(build("", R"({"configMapRef":{"name":"gone","optional":true}})"), "");
}

TEST(BuildEnvironment, SaysWhichSourcesAreNotKnown) {
  EXPECT_EQ(build("", R"({"configMapRef":{"name":"gone"}})"),
            "|*  (ConfigMap gone does not exist)");
  EXPECT_EQ(build("", R"({"prefix":"F","secretRef":{"name":"shut","optional":true}})"),
            "|* F (Secret shut could not be read: forbidden)");
  EXPECT_EQ(
      build(R"j({"name":"B","value":"$(FOO)"})j", R"({"prefix":"F","secretRef":{"name":"shut"}})"),
      "B=? (Secret shut could not be read: forbidden)|* F (Secret shut could not be read: "
      "forbidden)");
  EXPECT_EQ(
      build(R"j({"name":"B","value":"$(GOO)"})j", R"({"prefix":"F","secretRef":{"name":"shut"}})"),
      "B=$(GOO)|* F (Secret shut could not be read: forbidden)");
}

TEST(BuildEnvironment, TellsWhereAValueComesFrom) {
  const Environment built =
      build_environment(pod_with(R"({"name":"A","value":"1"},{"name":"A","value":"2"},
                  {"name":"B","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}})",
                                 R"({"configMapRef":{"name":"more"}})", ""),
                        "felix", config_maps(), secrets());
  ASSERT_NE(built.find("A"), nullptr);
  EXPECT_EQ(built.find("A")->source, (Source{"Pod", "n", "p", "env A"}));
  EXPECT_EQ(built.find("A")->times, 2);
  EXPECT_EQ(built.find("B")->source, (Source{"Secret", "n", "s", "env B from data[k]"}));
  EXPECT_TRUE(built.find("B")->from_list);
  EXPECT_FALSE(built.find("FELIX_X")->from_list);
  EXPECT_EQ(built.find("felix_x"), nullptr);
}

TEST(EnvEntriesFor, FindsDuplicatesAndSpellings) {
  const json::array env = json::parse(R"([{"name":"A"},{"name":"FELIX_PROMETHEUSMETRICSENABLED"},
    {"name":"FELIX_PROMETHEUS_METRICS_ENABLED"},{"name":"felix_PrometheusMetricsEnabled"}, 5,
    {"name":"FELIX_PROMETHEUSMETRICSENABLED"}])")
                              .as_array();
  EXPECT_EQ(env_entries_for(env, "PrometheusMetricsEnabled"), (std::vector<std::size_t>{1, 3, 5}));
  EXPECT_TRUE(env_entries_for(env, "PrometheusMetricsPort").empty());
}

}  // namespace
}  // namespace catflap
