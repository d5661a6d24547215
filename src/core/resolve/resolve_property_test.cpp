#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "core/resolve/case_for_test.hpp"

namespace catflap {
namespace {

using Text = std::optional<std::string>;

/// What each layer says about the switch; nothing: it does not mention it.
struct Layers {
  Text env, file, node, global;
};

std::string word() {
  return *rc::gen::elementOf(
      std::vector<std::string>{"true", "false", "", "none", "1", "no", "enabled", "TRUE", "-"});
}

Text maybe_word() {
  return *rc::gen::arbitrary<bool>() ? Text{word()} : std::nullopt;
}

Layers any_layers() {
  return {maybe_word(), maybe_word(), maybe_word(), maybe_word()};
}

Case make(const Layers& layers) {
  Case made;
  if (layers.env) made.env(kEnvEnabled, *layers.env);
  if (layers.file) made.file("PrometheusMetricsEnabled = \"" + *layers.file + "\"\n");
  if (layers.node) made.annotated("node.n1", "PrometheusMetricsEnabled", *layers.node);
  if (layers.global) made.annotated("default", "PrometheusMetricsEnabled", *layers.global);
  return made;
}

RC_GTEST_PROP(ResolveProperty, ALowerLayerNeverChangesWhatAHigherOneSet, ()) {
  Layers layers = any_layers();
  const Declared before = make(layers).declared();
  if (before.enabled.layer < Layer::fc_default) layers.global = word();
  if (before.enabled.layer < Layer::fc_node) layers.node = word();
  if (before.enabled.layer < Layer::file) layers.file = word();
  const Declared after = make(layers).declared();
  RC_ASSERT(after.enabled.value == before.enabled.value);
  RC_ASSERT(after.enabled.layer == before.enabled.layer);
  RC_ASSERT(after.enabled.raw == before.enabled.raw);
}

RC_GTEST_PROP(ResolveProperty, TheHighestTextThatIsNotEmptyDecides, ()) {
  const Layers layers = any_layers();
  const Declared declared = make(layers).declared();
  std::string expected;
  for (const Text& text : {layers.global, layers.node, layers.file, layers.env}) {
    if (text && !text->empty()) expected = *text;
  }
  RC_ASSERT(declared.enabled.raw == expected);
  RC_ASSERT(declared.enabled.assumed == expected.empty());
}

RC_GTEST_PROP(ResolveProperty, UnrelatedVariablesChangeNothing, ()) {
  const Layers layers = any_layers();
  const std::string plain = make(layers).dumped();
  Case crowded;
  const auto names =
      *rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(std::vector<std::string>{
          "PATH", "FELIX_LOGSEVERITYSCREEN", "FELIX_HEALTHENABLED", "felix_ipv6support", "IP",
          "CALICO_NETWORKING_BACKEND", "FELIX_PROMETHEUSGOMETRICSENABLED"}));
  crowded = make(layers);
  for (const std::string& name : names) crowded.env(name, word());
  RC_ASSERT(crowded.dumped() == plain);
}

RC_GTEST_PROP(ResolveProperty, TheOrderOfDifferentNamesMeansNothing, ()) {
  std::vector<std::pair<std::string, std::string>> variables = {
      {kEnvEnabled, word()},
      {"felix_prometheusmetricsenabled", word()},
      {"FELIX_PROMETHEUSMETRICSPORT", word()},
      {"FELIX_PROMETHEUSMETRICSHOST", word()}};
  const auto build = [&variables] {
    Case made;
    for (const auto& [name, value] : variables) made.env(name, value);
    return made.dumped();
  };
  const std::string before = build();
  std::rotate(variables.begin(), variables.begin() + *rc::gen::inRange(0, 4), variables.end());
  std::swap(variables[0], variables[static_cast<std::size_t>(*rc::gen::inRange(0, 4))]);
  RC_ASSERT(build() == before);
}

RC_GTEST_PROP(ResolveProperty, TwoSpellingsAreKnownOnlyIfBothLeadToTheSame, ()) {
  const std::string first = word();
  const std::string second = word();
  const Layers rest{std::nullopt, maybe_word(), std::nullopt, maybe_word()};
  const auto with = [&rest](const std::string& value) {
    return make(rest).env(kEnvEnabled, value).declared().enabled.value;
  };
  const auto both =
      make(rest).env(kEnvEnabled, first).env("FELIX_PrometheusMetricsEnabled", second).declared();
  if (with(first) == with(second)) {
    RC_ASSERT(both.enabled.value == with(first));
  } else {
    RC_ASSERT(both.enabled.state == ParamState::ambiguous);
  }
}

RC_GTEST_PROP(ResolveProperty, AnUnreadableSourceNeverTurnsIntoOff, ()) {
  const Layers layers = any_layers();
  Case hidden = make(layers);
  hidden.closed_secret("s").env_from(R"({"secretRef":{"name":"s"}})");
  RC_ASSERT(enabled_switch(hidden.declared()) == Switch::undecided);
}

}  // namespace
}  // namespace catflap
