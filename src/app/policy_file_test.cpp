#include "app/policy_file.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace catflap::app {
namespace {

/// "accept=protected scope=felix basis=inside age=1h n1:protected:why:2026-12-31T00:00:00.000Z", or
/// "! error".
std::string dump(const Result<Policy>& policy) {
  if (!policy) return "! " + to_string(policy.error());
  std::string text = policy->scope == Policy::Scope::felix ? "scope=felix" : "scope=port";
  for (Verdict verdict : policy->accept) text += fmt::format(" +{}", to_string(verdict));
  if (policy->require_basis != Basis::none)
    text += fmt::format(" basis={}", to_string(policy->require_basis));
  if (policy->max_age) text += " age=" + to_string(*policy->max_age);
  for (const auto& one : policy->exceptions) {
    text += fmt::format(" {}:{}:{}:{}", one.node, to_string(one.verdict), one.why,
                        one.until ? to_rfc3339(*one.until) : "-");
  }
  return text;
}

struct Row {
  const char* yaml;
  const char* dumped;
};

class PolicyFile : public testing::TestWithParam<Row> {};

TEST_P(PolicyFile, Reads) {
  EXPECT_EQ(dump(parse_policy(GetParam().yaml, "p.yaml")), GetParam().dumped);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, PolicyFile,
    testing::Values(
        Row{"want: closed", "scope=port"}, Row{"want: protected", "scope=port +protected"},
        Row{"want: [closed, local-only]\nscope: felix", "scope=felix +local-only"},
        Row{"apiVersion: catflap/v1alpha1\nkind: Policy\nrequireBasis: before-after\nmaxAge: 1h",
            "scope=port basis=before-after age=1h"},
        Row{"exceptions:\n- {node: n1, verdict: protected, why: SOC, until: 2026-12-31}",
            "scope=port n1:protected:SOC:2026-12-31T00:00:00.000Z"},
        Row{"exceptions:\n- node: n1\n  verdict: filtered\n  why: firewall",
            "scope=port n1:filtered:firewall:-"},
        Row{"", "! p.yaml: the policy is empty"},
        Row{"- a", "! p.yaml: expected \"key: value\" lines here"},
        Row{"want: closed\nscpe: felix", "! p.yaml: line 2: scpe: unknown key"},
        Row{"want: closed\nwant: protected", "! p.yaml: line 2: want: the key stands twice"},
        Row{"want: exposed", "! p.yaml: line 1: want: exposed cannot be accepted"},
        Row{"want: unknown", "! p.yaml: line 1: want: unknown cannot be accepted"},
        Row{"want: {a: b}", "! p.yaml: line 1: want: expected one value"},
        Row{"scope: node", "! p.yaml: line 1: scope: scope is port or felix"},
        Row{"requireBasis: hope",
            "! p.yaml: line 1: requireBasis: requireBasis is inside, before-after or network"},
        Row{"maxAge: 0", "! p.yaml: line 1: maxAge: not a duration"},
        Row{"kind: Plan", "! p.yaml: line 1: kind: \"Plan\" is not Policy"},
        Row{"apiVersion: v1", "! p.yaml: line 1: apiVersion: \"v1\" is not catflap/v1alpha1"},
        Row{"exceptions: {}", "! p.yaml: line 1: exceptions: expected a list of exceptions"},
        Row{"exceptions:\n- {node: n1, verdict: protected}",
            "! p.yaml: line 2: exceptions: an exception needs a why"},
        Row{"exceptions:\n- {verdict: protected, why: x}",
            "! p.yaml: line 2: exceptions: an exception needs a node"},
        Row{"exceptions:\n- {node: n1, why: x}",
            "! p.yaml: line 2: exceptions: an exception needs a verdict"},
        Row{"exceptions:\n- {node: n1, verdict: exposed, why: x}",
            "! p.yaml: line 2: verdict: exposed cannot be accepted"},
        Row{"exceptions:\n- {node: n1, verdict: protected, why: x, until: soon}",
            "! p.yaml: line 2: until: not a time"},
        Row{"exceptions:\n- {node: n1, verdct: protected}",
            "! p.yaml: line 2: verdct: unknown key"}));

TEST(PolicyFileErrors, BrokenYamlNamesTheLine) {
  const auto policy = parse_policy("want: closed\nscope: [", "p.yaml");
  ASSERT_FALSE(policy);
  EXPECT_EQ(policy.error().kind, ErrorKind::usage);
  EXPECT_TRUE(policy.error().what.starts_with("p.yaml: line ")) << policy.error().what;
}

TEST(PolicyFileErrors, AMistypedKeyIsSuggested) {
  const auto policy = parse_policy("requireBasiss: inside", "p.yaml");
  ASSERT_FALSE(policy);
  EXPECT_EQ(policy.error().hint, "did you mean requireBasis?");
}

}  // namespace
}  // namespace catflap::app
