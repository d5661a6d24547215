#include "core/model/declared.hpp"

#include <gtest/gtest.h>

namespace catflap {
namespace {

Declared enabled_by_env() {
  Declared declared;
  declared.enabled = {.value = true,
                      .raw = "true",
                      .layer = Layer::env,
                      .source = {.kind = "Pod", .field = "env FELIX_X"},
                      .masked = {{.layer = Layer::fc_default, .source = {}, .raw = "false"}}};
  declared.port = {.value = 9091, .assumed = true};
  declared.host = {.value = "", .assumed = true};
  declared.tls = {.state = ParamState::unsupported};
  declared.client_auth = {.state = ParamState::unsupported};
  return declared;
}

TEST(DeclaredDump, ShowsWhatDecidesAndWhatItMasks) {
  EXPECT_EQ(dump(enabled_by_env()), "enabled=true <- env FELIX_X (masks fc-default:false)");
}

TEST(DeclaredDump, ShowsOtherParametersOnlyWhenSomethingSetsThem) {
  Declared declared = enabled_by_env();
  declared.port = {.value = 9091,
                   .raw = "70000",
                   .invalid = true,
                   .layer = Layer::fc_node,
                   .source = {.name = "node.a", .field = "spec.prometheusMetricsPort"}};
  declared.notes = {{.code = "CF0001"}};
  EXPECT_EQ(dump(declared),
            "enabled=true <- env FELIX_X (masks fc-default:false); "
            "port=9091 (invalid \"70000\") <- fc-node node.a spec.prometheusMetricsPort [CF0001]");
}

TEST(DeclaredDump, NamesTheObjectBehindAnEnvironmentVariable) {
  Declared declared = enabled_by_env();
  declared.enabled.source = {
      .kind = "ConfigMap", .name = "settings", .field = "env FELIX_X from data[x]"};
  declared.enabled.masked.clear();
  EXPECT_EQ(dump(declared), "enabled=true <- env FELIX_X from data[x] of ConfigMap settings");
}

TEST(DeclaredDump, NeverLetsAHostileValueBreakTheLine) {
  Declared declared = enabled_by_env();
  declared.host = {.value = "a\nb", .raw = "a\nb", .layer = Layer::file};
  EXPECT_EQ(dump(declared).find('\n'), std::string::npos);
}

TEST(EnabledSwitch, IsUndecidedUnlessTheValueIsKnown) {
  Declared declared = enabled_by_env();
  EXPECT_EQ(enabled_switch(declared), Switch::on);
  declared.enabled.value = false;
  EXPECT_EQ(enabled_switch(declared), Switch::off);
  for (const ParamState state :
       {ParamState::ambiguous, ParamState::unreadable, ParamState::unsupported}) {
    declared.enabled.state = state;
    EXPECT_EQ(enabled_switch(declared), Switch::undecided) << to_string(state);
  }
  declared.enabled = {};
  EXPECT_EQ(enabled_switch(declared), Switch::undecided) << "set, but no value";
}

TEST(HostIsLoopback, KnowsTheHostsThatStayOnTheNode) {
  for (const char* host : {"localhost", "LocalHost", "127.0.0.1", "127.1.2.3", "::1"}) {
    EXPECT_TRUE(host_is_loopback(host)) << host;
  }
  // A name may resolve to anything, and 127.1 is a name to Go.
  for (const char* host : {"", "0.0.0.0", "::", "10.0.0.1", "localhost.example", "127.1", "node"}) {
    EXPECT_FALSE(host_is_loopback(host)) << host;
  }
}

TEST(DeclaredNames, AreTheDocumentedWords) {
  EXPECT_STREQ(to_string(Layer::fc_selector), "fc-selector");
  EXPECT_STREQ(to_string(Layer::build), "build");
  EXPECT_STREQ(to_string(ParamState::ambiguous), "ambiguous");
  EXPECT_STREQ(to_string(ClientAuth::require_and_verify), "RequireAndVerifyClientCert");
  EXPECT_STREQ(to_string(ClientAuth::verify_if_given), "VerifyClientCertIfGiven");
  EXPECT_STREQ(to_string(ClientAuth::require_any), "RequireAnyClientCert");
  EXPECT_STREQ(to_string(ClientAuth::no_client_cert), "NoClientCert");
}

}  // namespace
}  // namespace catflap
