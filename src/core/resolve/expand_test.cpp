#include "core/resolve/expand.hpp"

#include <gtest/gtest.h>

namespace catflap {
namespace {

/// A=1, B=$(A), SECRET is not known.
std::string expanded(std::string_view text) {
  const auto value = expand(text, [](const std::string& name) -> Reference {
    if (name == "A") return {"1"};
    if (name == "B") return {"$(A)"};
    if (name == "SECRET") return {std::nullopt, /*unknown=*/true};
    return {};
  });
  return value.value_or("unknown");
}

TEST(Expand, FollowsTheKubeletsRules) {
  const struct {
    const char* text;
    const char* result;
  } rows[] = {
      {"", ""},
      {"plain", "plain"},
      {"$(A)", "1"},
      {"x$(A)y$(A)", "x1y1"},
      {"$(B)", "$(A)"},
      {"$$(A)", "$(A)"},
      {"$$$(A)", "$1"},
      {"$$", "$"},
      {"$$$$", "$$"},
      {"$", "$"},
      {"a$", "a$"},
      {"$A", "$A"},
      {"${A}", "${A}"},
      {"$(A", "$(A"},
      {"$(", "$("},
      {"$(NOBODY)", "$(NOBODY)"},
      {"$()", "$()"},
      {"$(A))", "1)"},
      {"$($(A))", "$($(A))"},
      {"$(NOBODY)$(A)", "$(NOBODY)1"},
      {"$(SECRET)", "unknown"},
      {"x$(A)$(SECRET)", "unknown"},
      {"$$(SECRET)", "$(SECRET)"},
  };
  for (const auto& row : rows) EXPECT_EQ(expanded(row.text), row.result) << row.text;
}

TEST(MayBeServiceVariable, KnowsTheKubeletsNames) {
  for (const char* name : {"KUBERNETES_SERVICE_HOST", "FOO_SERVICE_PORT", "FOO_SERVICE_PORT_HTTP",
                           "FOO_PORT", "FOO_PORT_80_TCP", "FOO_PORT_80_TCP_ADDR"}) {
    EXPECT_TRUE(may_be_service_variable(name, true)) << name;
  }
  for (const char* name : {"", "FOO", "foo_SERVICE_HOST", "NODENAME", "IP_AUTODETECT"}) {
    EXPECT_FALSE(may_be_service_variable(name, true)) << name;
  }
  EXPECT_TRUE(may_be_service_variable("KUBERNETES_PORT", false));
  EXPECT_FALSE(may_be_service_variable("FOO_PORT", false));
}

}  // namespace
}  // namespace catflap
