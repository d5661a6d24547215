// What came with Calico 3.32: selector-scoped FelixConfigurations (felix/calc/config_batcher.go,
// projectcalico/calico#11977) and TLS (felix/config/config_params.go, #10495; its default mode
// changed in #13072).
#include <gtest/gtest.h>

#include "core/resolve/case_for_test.hpp"

namespace catflap {
namespace {

constexpr std::string_view kOnInZoneA =
    R"({"prometheusMetricsEnabled":true,"nodeSelector":"zone == 'a'"})";
constexpr std::string_view kOffInZoneA =
    R"({"prometheusMetricsEnabled":false,"nodeSelector":"zone == 'a'"})";
constexpr std::string_view kOnInZoneB =
    R"({"prometheusMetricsEnabled":true,"nodeSelector":"zone == 'b'"})";
constexpr std::string_view kOld = R"("creationTimestamp":"2020-01-01T00:00:00Z")";
constexpr std::string_view kYoung = R"("creationTimestamp":"2026-01-01T00:00:00Z")";

Case at(const char* version) {
  return Case{}.version(version);
}

TEST(ResolveSelector, AppliesBetweenNodeAndDefault) {
  EXPECT_EQ(
      at("v3.32.0").fc("racks", kOnInZoneA).fc("default", kOff).dumped(),
      "enabled=true <- fc-selector racks spec.prometheusMetricsEnabled (masks fc-default:false) "
      "[CF0053]");
  EXPECT_EQ(enabled_switch(at("v3.32.0").fc("racks", kOnInZoneA).fc("node.n1", kOff).declared()),
            Switch::off);
  EXPECT_EQ(enabled_switch(at("v3.32.0").fc("racks", kOnInZoneB).declared()), Switch::off);
}

TEST(ResolveSelector, IsIgnoredBeforeThatRelease) {
  EXPECT_EQ(at("v3.31.5").fc("racks", kOnInZoneA).dumped(), "enabled=false <- compiled [CF0023]");
}

TEST(ResolveSelector, MatchesNoNodeWithoutASelector) {
  EXPECT_EQ(enabled_switch(at("v3.32.0").fc("racks", kOn).declared()), Switch::off);
  EXPECT_EQ(
      enabled_switch(at("v3.32.0")
                         .fc("racks", R"({"prometheusMetricsEnabled":true,"nodeSelector":""})")
                         .declared()),
      Switch::off);
}

TEST(ResolveSelector, TakesTheOldestWholeAndNothingOfTheOthers) {
  EXPECT_EQ(enabled_switch(
                at("v3.32.0").fc("a", kOnInZoneA, kYoung).fc("b", kOffInZoneA, kOld).declared()),
            Switch::off);
  EXPECT_EQ(enabled_switch(
                at("v3.32.0").fc("a", kOnInZoneA, kOld).fc("b", kOffInZoneA, kYoung).declared()),
            Switch::on);
  EXPECT_EQ(
      enabled_switch(at("v3.32.0").fc("b", kOffInZoneA, kOld).fc("a", kOnInZoneA, kOld).declared()),
      Switch::on)
      << "ties go by name";
  EXPECT_EQ(enabled_switch(at("v3.32.0")
                               .fc("a", R"j({"nodeSelector":"all()"})j", kOld)
                               .fc("b", kOnInZoneA, kYoung)
                               .declared()),
            Switch::off)
      << "the winner sets nothing, and the loser is not asked";
}

TEST(ResolveSelector, IsUndecidedOnlyWhereItWouldMatter) {
  const std::string bad = R"({"prometheusMetricsEnabled":true,"nodeSelector":"zone = a"})";
  EXPECT_EQ(at("v3.32.0").fc("racks", bad).declared().enabled.state, ParamState::unreadable);
  EXPECT_EQ(enabled_switch(at("v3.32.0").fc("racks", bad).env(kEnvEnabled, "false").declared()),
            Switch::off);
  EXPECT_EQ(enabled_switch(at("v3.32.0").fc("racks", R"({"nodeSelector":"zone = a"})").declared()),
            Switch::off);
  EXPECT_EQ(enabled_switch(at("v3.32.0")
                               .fc("racks", R"({"nodeSelector":"zone = a"})")
                               .fc("more", kOnInZoneA)
                               .declared()),
            Switch::undecided)
      << "the unreadable one might be the winner";
  EXPECT_EQ(at("v3.32.0").labels({}).fc("racks", kOnInZoneB).declared().enabled.state,
            ParamState::unreadable);
}

TEST(ResolveSelector, IsUndecidedOnAnUnknownVersion) {
  EXPECT_EQ(at("").fc("racks", kOnInZoneA).declared().enabled.state, ParamState::ambiguous);
  EXPECT_EQ(enabled_switch(at("sha256:1234").fc("racks", kOnInZoneA).declared()),
            Switch::undecided);
  EXPECT_EQ(enabled_switch(at("").fc("racks", kOnInZoneA).fc("default", kOn).declared()),
            Switch::on);
  EXPECT_EQ(enabled_switch(at("").fc("racks", kOffInZoneA).declared()), Switch::off);
  EXPECT_EQ(enabled_switch(at("").fc("racks", kOnInZoneB).declared()), Switch::off);
}

constexpr std::string_view kCertificates =
    R"({"prometheusMetricsCertFile":"/c","prometheusMetricsKeyFile":"/k",
        "prometheusMetricsCAFile":"/a"})";

TEST(ResolveTls, NeedsACertificateOrAKey) {
  const Declared declared = at("v3.33.0").fc("default", kCertificates).declared();
  EXPECT_EQ(declared.tls.value, true);
  EXPECT_EQ(declared.ca_file_set, true);
  EXPECT_EQ(at("v3.33.0").closed_objects().declared().ca_file_set, std::nullopt);
  EXPECT_EQ(at("v3.33.0").fc("default", R"({"prometheusMetricsKeyFile":"/k"})").dumped(),
            "enabled=false <- compiled; tls=true <- fc-default spec.prometheusMetricsKeyFile; "
            "auth=NoClientCert <- compiled [CF0020]");
  EXPECT_EQ(at("v3.33.0").fc("default", R"({"prometheusMetricsCAFile":"/a"})").declared().tls.value,
            false);
  EXPECT_EQ(at("v3.33.0")
                .fc("default", kCertificates)
                .env("FELIX_PROMETHEUSMETRICSCERTFILE", "none")
                .env("FELIX_PROMETHEUSMETRICSKEYFILE", "none")
                .declared()
                .tls.value,
            false);
}

TEST(ResolveTls, IsUnsupportedBeforeThatReleaseUnlessSomebodySetsIt) {
  EXPECT_EQ(Case{}.declared().tls.state, ParamState::unsupported);
  EXPECT_EQ(Case{}.declared().client_auth.state, ParamState::unsupported);
  EXPECT_EQ(Case{}.env("FELIX_PROMETHEUSMETRICSCERTFILE", "/c").decision(),
            "enabled=false <- compiled; tls=true <- env FELIX_PROMETHEUSMETRICSCERTFILE: "
            "Calico v3.30.1 has no TLS here, a vendor's build of it may; "
            "auth=? unsupported <- compiled");
  EXPECT_EQ(Case{}
                .env("FELIX_PROMETHEUSMETRICSCLIENTAUTH", "RequireAndVerifyClientCert")
                .declared()
                .client_auth.state,
            ParamState::ambiguous)
      << "never said to protect where upstream does not know it";
}

TEST(ResolveClientAuth, HasADefaultThatDependsOnTheRelease) {
  EXPECT_EQ(at("v3.32.0").declared().client_auth.value, ClientAuth::require_and_verify);
  EXPECT_EQ(at("v3.32.1").declared().client_auth.state, ParamState::ambiguous);
  EXPECT_EQ(at("v3.33.0").declared().client_auth.value, ClientAuth::no_client_cert);
  EXPECT_EQ(at("").declared().client_auth.state, ParamState::ambiguous);
}

TEST(ResolveClientAuth, ReadsItsModes) {
  const auto with = [](const char* version, const char* mode) {
    return at(version).env("FELIX_PROMETHEUSMETRICSCLIENTAUTH", mode).declared().client_auth;
  };
  EXPECT_EQ(with("v3.32.1", "requireanyclientcert").value, ClientAuth::require_any);
  EXPECT_EQ(with("v3.33.0", "RequireAndVerifyClientCert").value, ClientAuth::require_and_verify);
  EXPECT_EQ(with("v3.33.0", "yes").value, ClientAuth::no_client_cert);
  EXPECT_TRUE(with("v3.33.0", "yes").invalid);
  EXPECT_EQ(with("v3.32.0", "yes").value, ClientAuth::require_and_verify);
  EXPECT_EQ(with("v3.32.0", "none").value, ClientAuth::require_and_verify);
  EXPECT_EQ(with("v3.32.1", "yes").state, ParamState::ambiguous);
  EXPECT_EQ(with("", "RequireAndVerifyClientCert").state, ParamState::ambiguous);
}

}  // namespace
}  // namespace catflap
