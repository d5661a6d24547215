#include "core/plan/env_edit.hpp"

#include <gtest/gtest.h>

namespace catflap {
namespace {

constexpr const char* kOff = R"({"name":"FELIX_PROMETHEUSMETRICSENABLED","value":"false"})";

struct Row {
  const char* why;
  const char* before;  // "" for no list
  std::vector<std::string> outside;
  std::string after;
  std::string removed;
};

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ",") + name;
  return text;
}

TEST(EnvEdit, LeavesOneEntryWhereKubectlWould) {
  const std::string off = kOff;
  const std::vector<Row> rows = {
      {"no list", "", {}, "[" + off + "]", ""},
      {"appended",
       R"([{"name":"A","value":"1"}])",
       {},
       R"([{"name":"A","value":"1"},)" + off + "]",
       ""},
      {"in place",
       R"([{"name":"A"},{"name":"FELIX_PROMETHEUSMETRICSENABLED","value":"true"},{"name":"B"}])",
       {},
       R"([{"name":"A"},)" + off + R"(,{"name":"B"}])",
       ""},
      {"valueFrom goes with the value",
       R"([{"name":"FELIX_PROMETHEUSMETRICSENABLED","valueFrom":{"configMapKeyRef":{"name":"c","key":"k"}}}])",
       {},
       "[" + off + "]",
       ""},
      {"its own spelling stays",
       R"([{"name":"FELIX_PrometheusMetricsEnabled","value":"true"},{"name":"A"}])",
       {},
       R"([{"name":"FELIX_PrometheusMetricsEnabled","value":"false"},{"name":"A"}])",
       ""},
      {"the first of duplicates stays",
       R"([{"name":"FELIX_PROMETHEUSMETRICSENABLED","value":"false"},{"name":"A"},
           {"name":"FELIX_PROMETHEUSMETRICSENABLED","value":"true"}])",
       {},
       "[" + off + R"(,{"name":"A"}])",
       ""},
      {"of variants the article's stays",
       R"([{"name":"felix_prometheusmetricsenabled","value":"true"},{"name":"A"},
           {"name":"FELIX_PROMETHEUSMETRICSENABLED","value":"true"}])",
       {},
       R"([{"name":"A"},)" + off + "]",
       "felix_prometheusmetricsenabled"},
      {"of other variants the first stays",
       R"([{"name":"felix_prometheusMetricsEnabled","value":"1"},{"name":"FELIX_PrometheusMetricsEnabled","value":"1"}])",
       {},
       R"([{"name":"felix_prometheusMetricsEnabled","value":"false"}])",
       "FELIX_PrometheusMetricsEnabled"},
      {"envFrom's spelling outranks it",
       R"([{"name":"A"}])",
       {"FELIX_PrometheusMetricsEnabled"},
       R"([{"name":"A"},{"name":"FELIX_PrometheusMetricsEnabled","value":"false"}])",
       ""},
      {"envFrom's spelling replaces the list's",
       R"([{"name":"FELIX_PROMETHEUSMETRICSENABLED","value":"true"},{"name":"A"}])",
       {"FELIX_PrometheusMetricsEnabled"},
       R"([{"name":"A"},{"name":"FELIX_PrometheusMetricsEnabled","value":"false"}])",
       "FELIX_PROMETHEUSMETRICSENABLED"},
      {"each spelling of envFrom is outranked",
       R"([{"name":"FELIX_PROMETHEUSMETRICSENABLED","value":"true"}])",
       {"FELIX_PROMETHEUSMETRICSENABLED", "FELIX_PrometheusMetricsEnabled"},
       "[" + off + R"(,{"name":"FELIX_PrometheusMetricsEnabled","value":"false"}])",
       ""},
      {"what only looks alike is left alone",
       R"([{"name":"FELIX_PROMETHEUS_METRICS_ENABLED","value":"true"},{"name":"FELIX_PROMETHEUSMETRICSPORT","value":"9091"},7])",
       {},
       R"([{"name":"FELIX_PROMETHEUS_METRICS_ENABLED","value":"true"},{"name":"FELIX_PROMETHEUSMETRICSPORT","value":"9091"},7,)" +
           off + "]",
       ""},
  };
  for (const Row& row : rows) {
    const json::value before = *row.before == 0 ? json::value{} : json::parse(row.before);
    const auto edit = switch_off_in_env(before.is_null() ? nullptr : &before, row.outside);
    EXPECT_EQ(edit.after, json::parse(row.after)) << row.why << ": " << json::serialize(edit.after);
    EXPECT_EQ(edit.before, before) << row.why;
    EXPECT_EQ(joined(edit.removed), row.removed) << row.why;
  }
}

}  // namespace
}  // namespace catflap
