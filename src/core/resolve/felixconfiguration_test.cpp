// Expected values as Calico 3.30.1's client and update processor gave them.
#include "core/resolve/felixconfiguration.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/resolve/embedded.hpp"

namespace catflap {
namespace {

json::object make_object(std::string_view metadata, std::string_view spec,
                         std::string_view api = "crd.projectcalico.org/v1") {
  json::object object{{"apiVersion", json::string_view{api.data(), api.size()}},
                      {"kind", "FelixConfiguration"}};
  object["metadata"] = json::parse(json::string_view{metadata.data(), metadata.size()});
  object["metadata"].as_object()["name"] = "default";
  if (!spec.empty()) object["spec"] = json::parse(json::string_view{spec.data(), spec.size()});
  return object;
}

/// "PrometheusMetricsEnabled=true@spec", settings in order, or "broken: why".
std::string read(std::string_view metadata, std::string_view spec,
                 std::string_view api = "crd.projectcalico.org/v1") {
  const FelixConfiguration read = read_felix_configuration(make_object(metadata, spec, api));
  if (!read.broken.empty()) return "broken: " + read.broken;
  std::string line;
  for (const RawSetting& setting : read.settings) {
    const char* place = setting.place == Place::spec         ? "spec"
                        : setting.place == Place::annotation ? "annotation"
                                                             : "embedded";
    line += fmt::format("{}{}={}@{}", line.empty() ? "" : "|", setting.name, setting.raw, place);
  }
  return line;
}

/// An annotation of the given parameter, as a JSON member.
std::string member(std::string_view name, std::string_view value) {
  return fmt::format(R"("config.projectcalico.org/{}":"{}")", name, value);
}

std::string outer(const std::string& members) {
  return fmt::format(R"({{"annotations":{{{}}}}})", members);
}

/// Metadata with the text in the embedded annotation, beside other annotations.
std::string embedded(std::string_view text, const std::string& members = "") {
  json::object annotations;
  if (!members.empty()) annotations = json::parse("{" + members + "}").as_object();
  annotations[json::string_view{kMetadataAnnotation.data(), kMetadataAnnotation.size()}] =
      json::string_view{text.data(), text.size()};
  return json::serialize(json::object{{"annotations", annotations}});
}

TEST(ReadFelixConfiguration, TurnsSpecFieldsIntoText) {
  EXPECT_EQ(read("{}", R"({"prometheusMetricsEnabled":true})"),
            "PrometheusMetricsEnabled=true@spec");
  EXPECT_EQ(read("{}", R"({"prometheusMetricsEnabled":false,"prometheusMetricsPort":9100,
                          "prometheusMetricsHost":"h"})"),
            "PrometheusMetricsEnabled=false@spec|PrometheusMetricsPort=9100@spec|"
            "PrometheusMetricsHost=h@spec");
  EXPECT_EQ(read("{}", R"({"prometheusMetricsPort":-1})"), "PrometheusMetricsPort=-1@spec");
  EXPECT_EQ(read("{}", R"({"prometheusMetricsCertFile":"/c"})"),
            "PrometheusMetricsCertFile=/c@spec");
}

TEST(ReadFelixConfiguration, TakesNullAndEmptyAsUnset) {
  EXPECT_EQ(read("{}", R"({"prometheusMetricsEnabled":null,"prometheusMetricsPort":null})"), "");
  EXPECT_EQ(read("{}", R"({"prometheusMetricsHost":""})"), "");
  EXPECT_EQ(read("{}", "{}"), "");
  EXPECT_EQ(read("{}", ""), "");
  EXPECT_EQ(read(R"({"annotations":null})", "{}"), "");
}

TEST(ReadFelixConfiguration, KnowsSpecFieldsByTheirExactNameOnly) {
  EXPECT_EQ(read("{}", R"({"PrometheusMetricsEnabled":true,"prometheusmetricsenabled":true})"), "");
}

TEST(ReadFelixConfiguration, IsBrokenWhereTheTypedClientDoesNotDecode) {
  for (const char* spec :
       {R"({"prometheusMetricsEnabled":"true"})", R"({"prometheusMetricsEnabled":1})",
        R"({"prometheusMetricsEnabled":[]})", R"({"prometheusMetricsPort":"9"})",
        R"({"prometheusMetricsPort":9.0})", R"({"prometheusMetricsPort":9223372036854775808})",
        R"({"prometheusMetricsPort":true})", R"({"prometheusMetricsHost":1})",
        R"({"prometheusMetricsHost":["a"]})", R"({"nodeSelector":5})", R"("x")"}) {
    EXPECT_TRUE(read("{}", spec).starts_with("broken: ")) << spec;
  }
  EXPECT_EQ(read(R"({"annotations":{"a":5}})", "{}"), "broken: an annotation is not a string");
  EXPECT_EQ(read(R"({"annotations":[]})", "{}"), "broken: metadata.annotations is not an object");
}

TEST(ReadFelixConfiguration, LetsAnnotationsOverrideTheSpec) {
  const char* on = R"({"prometheusMetricsEnabled":true})";
  EXPECT_EQ(read(outer(member("PrometheusMetricsEnabled", "false")), on),
            "PrometheusMetricsEnabled=false@annotation");
  EXPECT_EQ(read(outer(member("PrometheusMetricsEnabled", "")), on),
            "PrometheusMetricsEnabled=@annotation");
  EXPECT_EQ(read(outer(member("PrometheusMetricsEnabled", "maybe")), ""),
            "PrometheusMetricsEnabled=maybe@annotation");
  EXPECT_EQ(read(outer(member("Other", "false")), on), "PrometheusMetricsEnabled=true@spec");
  EXPECT_EQ(
      read(R"({"annotations":{"CONFIG.projectcalico.org/PrometheusMetricsEnabled":"false"}})", on),
      "PrometheusMetricsEnabled=true@spec");
}

TEST(ReadFelixConfiguration, KeepsNamesThatDifferInCaseBesideTheSpec) {
  EXPECT_EQ(read(outer(member("prometheusmetricsenabled", "false")),
                 R"({"prometheusMetricsEnabled":true})"),
            "prometheusmetricsenabled=false@annotation|PrometheusMetricsEnabled=true@spec");
  EXPECT_EQ(read(outer(member("prometheusmetricsenabled", "false")), "{}"),
            "prometheusmetricsenabled=false@annotation");
}

TEST(ReadFelixConfiguration, LetsEmbeddedAnnotationsWin) {
  const std::string json = outer(member("PrometheusMetricsEnabled", "true"));
  EXPECT_EQ(read(embedded(json), "{}"), "PrometheusMetricsEnabled=true@embedded");
  EXPECT_EQ(read(embedded(json, member("PrometheusMetricsEnabled", "false")),
                 R"({"prometheusMetricsEnabled":false})"),
            "PrometheusMetricsEnabled=true@embedded");
  EXPECT_EQ(read(embedded(json, member("PROMETHEUSMETRICSENABLED", "false")), "{}"),
            "PROMETHEUSMETRICSENABLED=false@annotation|PrometheusMetricsEnabled=true@embedded");
  EXPECT_EQ(read(embedded("{}", member("PrometheusMetricsEnabled", "false")), "{}"),
            "PrometheusMetricsEnabled=false@annotation");
}

TEST(ReadFelixConfiguration, KeepsBothPossibilitiesInTheNativeGroup) {
  const std::string json = outer(member("PrometheusMetricsEnabled", "false"));
  EXPECT_EQ(read(embedded(json), R"({"prometheusMetricsEnabled":true})", "projectcalico.org/v3"),
            "PrometheusMetricsEnabled=false@embedded|PrometheusMetricsEnabled=true@spec");
}

TEST(ReadFelixConfiguration, ReadsSelectorAndAge) {
  const auto plain = read_felix_configuration(make_object(
      R"({"creationTimestamp":"2026-01-02T00:00:00Z"})", R"j({"nodeSelector":"all()"})j"));
  EXPECT_EQ(plain.node_selector, "all()");
  EXPECT_EQ(plain.created, parse_rfc3339("2026-01-02T00:00:00Z"));
  const auto older = read_felix_configuration(
      make_object(embedded(R"({"creationTimestamp":"2020-01-02T00:00:00Z"})"), "{}"));
  EXPECT_EQ(older.created, parse_rfc3339("2020-01-02T00:00:00Z"));
}

TEST(ParseEmbeddedMetadata, TakesWhatCalicosClientTakes) {
  for (const char* text :
       {"null", "{}", " {}", "{} ", R"({"annotations":null})", R"({"annotations":{"a":null}})",
        R"({"name":null})", R"({"generation":null})", R"({"generation":-1})",
        R"({"creationTimestamp":null})", R"({"creationTimestamp":"2020-01-01T00:00:00Z"})",
        R"({"creationTimestamp":"2020-01-01T00:00:00.5+01:00"})", R"({"ownerReferences":null})",
        R"({"ownerReferences":[null]})", R"({"finalizers":[null]})", R"({"unknown":{"a":[1]}})",
        R"({"clusterName":7})", R"({"managedFields":[{"fieldsV1":5}]})",
        R"({"deletionGracePeriodSeconds":null})"}) {
    EXPECT_TRUE(parse_embedded_metadata(text).has_value()) << text;
  }
}

TEST(ParseEmbeddedMetadata, RefusesWhatCalicosClientRefuses) {
  for (const char* text : {"",
                           "{",
                           "[]",
                           "\"x\"",
                           "5",
                           "true",
                           "{}x",
                           "{}{}",
                           R"({"annotations":[]})",
                           R"({"annotations":""})",
                           R"({"annotations":{"a":1}})",
                           R"({"name":5})",
                           R"({"NAME":5})",
                           R"({"labels":{"a":5}})",
                           R"({"generation":"5"})",
                           R"({"generation":5.5})",
                           R"({"generation":9223372036854775808})",
                           R"({"creationTimestamp":"x"})",
                           R"({"creationTimestamp":""})",
                           R"({"creationTimestamp":5})",
                           R"({"creationTimestamp":"2020-01-01"})",
                           R"({"ownerReferences":{}})",
                           R"({"ownerReferences":[{"uid":5}]})",
                           R"({"ownerReferences":[5]})",
                           R"({"finalizers":"x"})",
                           R"({"finalizers":[5]})",
                           R"({"managedFields":[{"manager":5}]})",
                           R"({"managedFields":[{"time":"x"}]})",
                           R"({"managedFields":{}})",
                           R"({"deletionGracePeriodSeconds":"3"})",
                           R"({"uid":7})",
                           R"({"selfLink":7})",
                           R"({"annotations":{"a":"b",}})",
                           R"({'a':1})",
                           R"({"a":01})",
                           R"({"a":nul})",
                           R"({"a":1 "b":2})",
                           "{\"a\":\"\t\"}",
                           "//c\n{}"}) {
    EXPECT_FALSE(parse_embedded_metadata(text).has_value()) << text;
  }
}

TEST(ParseEmbeddedMetadata, ReadsFieldNamesInAnyCase) {
  const auto parsed = parse_embedded_metadata(R"({"Annotations":{"a":"1","b":null}})");
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->annotations, (std::map<std::string, std::string>{{"a", "1"}, {"b", ""}}));
}

TEST(ParseEmbeddedMetadata, RefusesKeysThatStandTwice) {
  for (const char* text :
       {R"({"annotations":{"a":"1"},"annotations":{}})",
        R"({"annotations":{"a":"1"},"Annotations":{}})", R"({"annotations":{"a":"1","a":"2"}})"}) {
    EXPECT_FALSE(parse_embedded_metadata(text).has_value()) << text;
  }
  EXPECT_TRUE(parse_embedded_metadata(R"({"annotations":{"a":"1","A":"2"}})").has_value());
}

std::string settings(std::string_view metadata, std::string_view spec) {
  std::string line;
  for (const auto& setting : enabled_settings(make_object(metadata, spec))) {
    line += fmt::format("{}{} {}{}{}{}", line.empty() ? "" : "|", setting.field, setting.raw,
                        setting.value ? " on" : " off", setting.invalid ? " invalid" : "",
                        setting.empty ? " empty" : "");
  }
  return line;
}

TEST(EnabledSettings, ListsEveryPlaceThatCarriesTheSwitch) {
  EXPECT_EQ(settings("{}", "{}"), "");
  EXPECT_EQ(settings("{}", R"({"prometheusMetricsEnabled":true})"),
            "spec.prometheusMetricsEnabled true on");
  EXPECT_EQ(settings("{}", R"({"prometheusMetricsEnabled":null})"), "");
  EXPECT_EQ(settings(outer(member("prometheusmetricsENABLED", "Y")),
                     R"({"prometheusMetricsEnabled":false})"),
            "spec.prometheusMetricsEnabled false off|"
            "metadata.annotations[config.projectcalico.org/prometheusmetricsENABLED] Y on");
  EXPECT_EQ(
      settings(embedded(outer(member("PrometheusMetricsEnabled", "1")),
                        member("PrometheusMetricsEnabled", "on")),
               "{}"),
      "metadata.annotations[config.projectcalico.org/PrometheusMetricsEnabled] on off invalid|"
      "metadata.annotations[projectcalico.org/metadata].annotations"
      "[config.projectcalico.org/PrometheusMetricsEnabled] 1 on");
  EXPECT_EQ(settings(outer(member("PrometheusMetricsEnabled", "") + "," +
                           member("PrometheusMetricsPort", "1")),
                     ""),
            "metadata.annotations[config.projectcalico.org/PrometheusMetricsEnabled]  off empty");
}

}  // namespace
}  // namespace catflap
