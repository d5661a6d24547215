// Rows that a real API server (1.33) was asked the same of.
#include "sim/strategic_patch.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/json_read.hpp"

namespace catflap::sim {
namespace {

json::object parsed(const std::string& text) {
  return json::parse(text).as_object();
}

/// "A=1 B=2 C" of the first container's env.
std::string env_after(const std::string& change) {
  const auto target = parsed(
      R"({"containers":[{"name":"c","image":"i","env":[{"name":"A","value":"1"},
         {"name":"F","value":"true"},{"name":"B","value":"2"}]}]})");
  const auto patch = parsed(R"({"containers":[{"name":"c",)" + change + "}]}");
  const auto merged = apply_strategic_patch(target, patch);
  if (!merged) return fmt::format("{}: {}", merged.error().system_code, merged.error().what);
  const auto& container = merged->at("containers").at(0).as_object();
  EXPECT_EQ(merged->at("containers").as_array().size(), 1u);
  EXPECT_EQ(text_at(container, {"image"}), "i");
  std::string line;
  for (const auto* entry : objects_at(container, {"env"}))
    line += fmt::format("{}{}={}", line.empty() ? "" : " ", text_at(*entry, {"name"}),
                        text_at(*entry, {"value"}));
  return line;
}

struct Row {
  const char* change;
  const char* env;
};

TEST(StrategicPatch, MergesTheEnvironmentByName) {
  const std::vector<Row> rows{
      {R"("env":[{"name":"F","value":"false"}])", "A=1 F=false B=2"},
      {R"("env":[{"name":"N","value":"3"}])", "N=3 A=1 F=true B=2"},
      {R"("env":[{"name":"M","value":"3"},{"name":"B","value":"9"},{"name":"N","value":"4"}])",
       "M=3 A=1 F=true B=9 N=4"},
      {R"("env":[{"name":"A","$patch":"delete"}])", "F=true B=2"},
      {R"("env":[{"name":"X","$patch":"delete"}])", "A=1 F=true B=2"},
      {R"("env":[{"$patch":"replace"},{"name":"O","value":"1"}])", "O=1"},
      {R"("env":[])", "A=1 F=true B=2"},
      {R"("env":null)", ""},
      {R"("$setElementOrder/env":[{"name":"B"},{"name":"A"},{"name":"F"}])", "B=2 A=1 F=true"},
      {R"("$setElementOrder/env":[{"name":"Z"},{"name":"A"},{"name":"F"},{"name":"B"}],
          "env":[{"name":"Z","value":"0"}])",
       "Z=0 A=1 F=true B=2"},
      {R"("$setElementOrder/env":[{"name":"B"},{"name":"Z"}],"env":[{"name":"Z","value":"0"}])",
       "A=1 F=true B=2 Z=0"},
  };
  for (const auto& row : rows) EXPECT_EQ(env_after(row.change), row.env) << row.change;
  EXPECT_EQ(env_after(R"("env":[{"value":"1"}])").substr(0, 3), "500");
}

std::string after(const char* target, const char* patch) {
  const auto merged = apply_strategic_patch(parsed(target), parsed(patch));
  return merged ? json::serialize(*merged) : merged.error().what;
}

TEST(StrategicPatch, BringsDuplicatesTogether) {
  const auto target = parsed(R"({"env":[{"name":"F","value":"true"},{"name":"A"},{"name":"F"}]})");
  const auto merged =
      apply_strategic_patch(target, parsed(R"({"env":[{"name":"F","value":"false"}]})"));
  ASSERT_TRUE(merged);
  EXPECT_EQ(json::serialize(merged->at("env")),
            R"([{"name":"F","value":"false"},{"name":"F"},{"name":"A"}])");
}

TEST(StrategicPatch, KnowsTheOtherLists) {
  EXPECT_EQ(after(R"({"ports":[{"containerPort":1,"name":"a"}]})",
                  R"({"ports":[{"containerPort":1,"name":"b"},{"containerPort":2}]})"),
            R"({"ports":[{"containerPort":1,"name":"b"},{"containerPort":2}]})");
  EXPECT_EQ(after(R"({"ports":[{"containerPort":1}]})",
                  R"({"ports":[{"containerPort":1,"$patch":"delete"}]})"),
            "{}");
  EXPECT_EQ(after(R"({"tolerations":[{"key":"a"}]})", R"({"tolerations":[{"key":"b"}]})"),
            R"({"tolerations":[{"key":"b"}]})");
  EXPECT_EQ(after(R"({"finalizers":["a","b"]})",
                  R"({"$deleteFromPrimitiveList/finalizers":["a"],"finalizers":["c"]})"),
            R"({"finalizers":["c","b"]})");
  EXPECT_EQ(after(R"({"volumes":[{"name":"v","hostPath":{"path":"/"}}]})",
                  R"({"volumes":[{"name":"v","emptyDir":{},"$retainKeys":["name","emptyDir"]}]})"),
            R"({"volumes":[{"name":"v","emptyDir":{}}]})");
}

TEST(StrategicPatch, ReplacesAndDeletesObjects) {
  EXPECT_EQ(after(R"({"a":{"b":1,"c":2}})", R"({"a":{"$patch":"replace","d":3}})"),
            R"({"a":{"d":3}})");
  EXPECT_EQ(after(R"({"a":{"b":1,"c":2}})", R"({"a":{"b":null}})"), R"({"a":{"c":2}})");
  EXPECT_EQ(after(R"({})", R"({"a":{"b":null,"c":{"$patch":"merge","d":1}}})"),
            R"({"a":{"c":{"d":1}}})");
  EXPECT_EQ(after(R"({})", R"({"$patch":"bogus"})"), "unknown patch type: bogus");
}

}  // namespace
}  // namespace catflap::sim
