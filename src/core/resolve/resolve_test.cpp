// The layers against each other, one line per case. What came with Calico 3.32 (selectors, TLS) is
// in resolve_332_test.cpp.
#include "core/resolve/resolve.hpp"

#include <gtest/gtest.h>

#include "core/resolve/case_for_test.hpp"

namespace catflap {
namespace {

constexpr const char* kNothing = "enabled=false <- compiled";

TEST(Resolve, AssumesTheCompiledDefaultWhereNothingIsSet) {
  const Declared declared = Case{}.declared();
  EXPECT_EQ(dump(declared), kNothing);
  EXPECT_TRUE(declared.enabled.assumed);
  EXPECT_EQ(declared.port.value, 9091);
  EXPECT_EQ(declared.host.value, "");
  EXPECT_EQ(enabled_switch(declared), Switch::off);
}

TEST(Resolve, RanksTheLayers) {
  Case all;
  all.fc("default", kOn);
  EXPECT_EQ(all.decision(), "enabled=true <- fc-default spec.prometheusMetricsEnabled");
  all.fc("node.n1", kOff);
  EXPECT_EQ(
      all.decision(),
      "enabled=false <- fc-node node.n1 spec.prometheusMetricsEnabled (masks fc-default:true)");
  all.file("PrometheusMetricsEnabled = yes\n");
  EXPECT_EQ(all.decision(),
            "enabled=true <- file /etc/calico/felix.cfg PrometheusMetricsEnabled "
            "(masks fc-node:false, fc-default:true)");
  all.env(kEnvEnabled, "0");
  EXPECT_EQ(all.decision(),
            "enabled=false <- env FELIX_PROMETHEUSMETRICSENABLED "
            "(masks file:yes, fc-node:false, fc-default:true)");
}

TEST(Resolve, DecidesEachParameterByItself) {
  EXPECT_EQ(Case{}
                .env(kEnvEnabled, "true")
                .fc("default", R"({"prometheusMetricsPort":9100})")
                .fc("node.n1", R"({"prometheusMetricsHost":"localhost"})")
                .decision(),
            "enabled=true <- env FELIX_PROMETHEUSMETRICSENABLED; "
            "port=9100 <- fc-default spec.prometheusMetricsPort; "
            "host=localhost <- fc-node node.n1 spec.prometheusMetricsHost");
}

TEST(Resolve, KnowsFelixsNamesInAnyCase) {
  for (const char* name : {"FELIX_PROMETHEUSMETRICSENABLED", "FELIX_PrometheusMetricsEnabled",
                           "felix_prometheusmetricsenabled"}) {
    EXPECT_EQ(enabled_switch(Case{}.env(name, "true").declared()), Switch::on) << name;
  }
  EXPECT_EQ(Case{}.env("FELIX_PROMETHEUS_METRICS_ENABLED", "true").dumped(),
            "enabled=false <- compiled [CF0021]");
}

TEST(Resolve, LetsEmptyTextFallThrough) {
  EXPECT_EQ(Case{}.env(kEnvEnabled, "").fc("default", kOn).dumped(),
            "enabled=true <- fc-default spec.prometheusMetricsEnabled [CF0013]");
  EXPECT_EQ(Case{}.env(kEnvEnabled, "").decision(), kNothing);
  EXPECT_EQ(Case{}.file("PrometheusMetricsEnabled=\n").fc("default", kOn).decision(),
            "enabled=true <- fc-default spec.prometheusMetricsEnabled");
  EXPECT_EQ(Case{}.annotated("default", "PrometheusMetricsEnabled", "", kOn).decision(), kNothing)
      << "an empty annotation hides the spec field and sets nothing";
  EXPECT_EQ(Case{}
                .annotated("node.n1", "PrometheusMetricsEnabled", "", kOff)
                .fc("default", kOn)
                .decision(),
            "enabled=true <- fc-default spec.prometheusMetricsEnabled");
}

TEST(Resolve, TakesInvalidTextAsTheDefaultThatStillMasks) {
  EXPECT_EQ(Case{}.env(kEnvEnabled, "enabled").fc("default", kOn).dumped(),
            "enabled=false (invalid \"enabled\") <- env FELIX_PROMETHEUSMETRICSENABLED "
            "(masks fc-default:true) [CF0012] [CF0016]");
  EXPECT_EQ(Case{}
                .env("FELIX_PROMETHEUSMETRICSPORT", "09091")
                .fc("default", R"({"prometheusMetricsPort":1})")
                .decision(),
            "enabled=false <- compiled; port=9091 (invalid \"09091\") <- "
            "env FELIX_PROMETHEUSMETRICSPORT (masks fc-default:1)");
  EXPECT_EQ(Case{}
                .fc("default", R"({"prometheusMetricsPort":70000,"prometheusMetricsHost":"[::1]"})")
                .decision(),
            "enabled=false <- compiled; "
            "port=9091 (invalid \"70000\") <- fc-default spec.prometheusMetricsPort; "
            "host=* (invalid \"[::1]\") <- fc-default spec.prometheusMetricsHost");
}

TEST(Resolve, TakesNoneAsZero) {
  EXPECT_EQ(Case{}.env(kEnvEnabled, "None").fc("default", kOn).decision(),
            "enabled=false <- env FELIX_PROMETHEUSMETRICSENABLED (masks fc-default:true)");
  EXPECT_EQ(Case{}.env("FELIX_PROMETHEUSMETRICSPORT", "none").dumped(),
            "enabled=false <- compiled; port=0 <- env FELIX_PROMETHEUSMETRICSPORT [CF0009]");
  EXPECT_EQ(
      Case{}
          .env("FELIX_PROMETHEUSMETRICSHOST", "none")
          .fc("default", R"({"prometheusMetricsHost":"h"})")
          .decision(),
      "enabled=false <- compiled; host=* <- env FELIX_PROMETHEUSMETRICSHOST (masks fc-default:h)");
}

TEST(Resolve, NeverTakesPortZeroForOff) {
  const Declared declared =
      Case{}.env(kEnvEnabled, "true").env("FELIX_PROMETHEUSMETRICSPORT", "0").declared();
  EXPECT_EQ(enabled_switch(declared), Switch::on);
  EXPECT_EQ(declared.port.value, 0);
}

TEST(Resolve, CallsNamesThatDifferInCaseAndEffectAmbiguous) {
  EXPECT_EQ(Case{}.env(kEnvEnabled, "true").env("FELIX_PrometheusMetricsEnabled", "false").dumped(),
            "enabled=? ambiguous <- env FELIX_PROMETHEUSMETRICSENABLED: Felix may take any of "
            "env FELIX_PROMETHEUSMETRICSENABLED=true, env FELIX_PrometheusMetricsEnabled=false "
            "[CF0011]");
  EXPECT_EQ(Case{}.env(kEnvEnabled, "true").env("FELIX_PrometheusMetricsEnabled", "Y").dumped(),
            "enabled=true <- env FELIX_PROMETHEUSMETRICSENABLED [CF0011]");
  EXPECT_EQ(enabled_switch(Case{}
                               .env(kEnvEnabled, "true")
                               .env("FELIX_PrometheusMetricsEnabled", "enabled")
                               .declared()),
            Switch::undecided);
  EXPECT_EQ(Case{}.env(kEnvEnabled, "off").env("FELIX_PrometheusMetricsEnabled", "no").decision(),
            "enabled=false (invalid \"off\") <- env FELIX_PROMETHEUSMETRICSENABLED");
}

TEST(Resolve, LetsAnEmptySpellingCompeteInTheEnvironmentOnly) {
  const auto variants = Case{}.env(kEnvEnabled, "true").env("FELIX_PrometheusMetricsEnabled", "");
  EXPECT_EQ(enabled_switch(variants.declared()), Switch::undecided);
  Case lower = variants;
  lower.fc("default", kOn);
  EXPECT_EQ(enabled_switch(lower.declared()), Switch::on) << "either way it is true";
  lower.fc("node.n1", kOff);
  EXPECT_EQ(enabled_switch(lower.declared()), Switch::undecided);
  EXPECT_EQ(Case{}.file("PrometheusMetricsEnabled=\nprometheusmetricsenabled=true\n").decision(),
            "enabled=true <- file /etc/calico/felix.cfg prometheusmetricsenabled");
}

TEST(Resolve, TakesTheLastOfExactDuplicates) {
  EXPECT_EQ(Case{}.env(kEnvEnabled, "true").env(kEnvEnabled, "false").dumped(),
            "enabled=false <- env FELIX_PROMETHEUSMETRICSENABLED [CF0018]");
}

TEST(Resolve, FollowsConfigMapsAndTellsTheirNames) {
  EXPECT_EQ(
      Case{}
          .config_map("settings", {{"on", "true"}})
          .entry(R"({"name":"FELIX_PROMETHEUSMETRICSENABLED","valueFrom":
                  {"configMapKeyRef":{"name":"settings","key":"on"}}})")
          .dumped(),
      "enabled=true <- env FELIX_PROMETHEUSMETRICSENABLED from data[on] of ConfigMap settings "
      "[CF0017]");
  EXPECT_EQ(
      Case{}
          .config_map("kubernetes-services-endpoint", {{"PROMETHEUSMETRICSENABLED", "true"}})
          .env_from(R"({"prefix":"FELIX_","configMapRef":{"name":"kubernetes-services-endpoint"}})")
          .decision(),
      "enabled=true <- env FELIX_PROMETHEUSMETRICSENABLED from data[PROMETHEUSMETRICSENABLED] "
      "of ConfigMap kubernetes-services-endpoint");
}

TEST(Resolve, TakesTheNodesAddressAsHost) {
  EXPECT_EQ(Case{}
                .entry(R"({"name":"FELIX_PROMETHEUSMETRICSHOST","valueFrom":
                  {"fieldRef":{"fieldPath":"status.hostIP"}}})")
                .declared()
                .host.state,
            ParamState::unreadable)
      << "the pod of these tests has no status";
}

TEST(Resolve, CallsWhatItCannotReadUnreadableAndNeverOff) {
  Case secret;
  secret.closed_secret("s").env_from(R"({"secretRef":{"name":"s"}})");
  EXPECT_EQ(secret.dumped(),
            "enabled=? unreadable <- envFrom of Secret s: Secret s could not be read: forbidden; "
            "port=? unreadable <- envFrom of Secret s: Secret s could not be read: forbidden; "
            "host=? unreadable <- envFrom of Secret s: Secret s could not be read: forbidden; "
            "tls=? unreadable <- envFrom of Secret s: Secret s could not be read: forbidden; "
            "auth=? unreadable <- envFrom of Secret s: Secret s could not be read: forbidden "
            "[CF0047]");
  secret.fc("default", kOff);
  EXPECT_EQ(enabled_switch(secret.declared()), Switch::undecided);
  secret.env(kEnvEnabled, "false");
  EXPECT_EQ(enabled_switch(secret.declared()), Switch::undecided)
      << "env outranks the same name of envFrom, and not another spelling";
}

TEST(Resolve, FindsThePortsThatAreNotForMetrics) {
  EXPECT_EQ(Case{}.declared().other_ports, std::vector<int>{});
  EXPECT_EQ(Case{}
                .fc("default", R"({"healthPort":9299,"bpfKubeProxyHealthzPort":10300})")
                .env("FELIX_HealthPort", "9399")
                .declared()
                .other_ports,
            (std::vector<int>{9399, 10300}));
}

TEST(Resolve, AgreesOnAVersion) {
  EXPECT_EQ(agreed_version("v3.30.1", "v3.30.3"), "v3.30.1");
  EXPECT_EQ(agreed_version("", "v3.30.3"), "v3.30.3");
  EXPECT_EQ(agreed_version("latest", "v3.30.3"), "v3.30.3");
  EXPECT_EQ(agreed_version("v3.32.0", ""), "v3.32.0");
  EXPECT_EQ(agreed_version("v3.32.0", "v3.31.2"), "") << "an upgrade is under way";
  EXPECT_EQ(agreed_version("v3.31.2", "v3.32.0"), "");
  EXPECT_EQ(agreed_version("v3.32.1", "v3.32.0"), "");
  EXPECT_EQ(agreed_version("v3.34.0", "v3.33.0"), "v3.34.0");
}

TEST(Resolve, KnowsAFileThatMatters) {
  EXPECT_FALSE(sets_metrics("[global]\nMetadataAddr = None\nLogFilePath = None\n"));
  EXPECT_FALSE(sets_metrics(""));
  EXPECT_TRUE(sets_metrics("[x]\nprometheusmetricsport = 9091\n"));
  EXPECT_TRUE(sets_metrics("[global\n")) << "Felix does not start with it";
}

TEST(Resolve, DoesNotFearASourceWhosePrefixCannotSetTheName) {
  EXPECT_EQ(
      Case{}.closed_secret("s").env_from(R"({"prefix":"DB_","secretRef":{"name":"s"}})").dumped(),
      kNothing);
  EXPECT_EQ(enabled_switch(Case{}
                               .closed_secret("s")
                               .env_from(R"({"prefix":"felix_","secretRef":{"name":"s"}})")
                               .declared()),
            Switch::undecided);
}

TEST(Resolve, DoesNotTrustAReadableSourceBesideAnUnreadableOne) {
  EXPECT_EQ(enabled_switch(Case{}
                               .config_map("cm", {{kEnvEnabled, "false"}})
                               .closed_secret("s")
                               .env_from(R"({"configMapRef":{"name":"cm"}})")
                               .env_from(R"({"secretRef":{"name":"s"}})")
                               .declared()),
            Switch::undecided);
}

TEST(Resolve, NeedsTheFileUnlessTheEnvironmentDecides) {
  EXPECT_EQ(Case{}.closed_file().fc("default", kOff).declared().enabled.why,
            "felix.cfg could not be read: exec forbidden");
  EXPECT_EQ(enabled_switch(Case{}.closed_file().env(kEnvEnabled, "no").declared()), Switch::off);
  EXPECT_EQ(enabled_switch(Case{}.file("[broken\n").fc("default", kOff).declared()),
            Switch::undecided);
  EXPECT_EQ(enabled_switch(Case{}.file("[s]\nPROMETHEUSMETRICSENABLED=1\n").declared()),
            Switch::on);
  EXPECT_EQ(enabled_switch(
                Case{}.file("PROMETHEUSMETRICSENABLED=1\nPrometheusMetricsEnabled=0\n").declared()),
            Switch::undecided);
}

TEST(Resolve, NeedsTheObjectsUnlessALocalSourceDecides) {
  EXPECT_EQ(Case{}.closed_objects().dumped().substr(0, 96),
            "enabled=? unreadable <- fc-node: FelixConfigurations could not be read: forbidden; "
            "port=? unread");
  EXPECT_EQ(enabled_switch(Case{}.closed_objects().env(kEnvEnabled, "false").declared()),
            Switch::off);
  EXPECT_EQ(enabled_switch(Case{}.closed_objects().file("PrometheusMetricsEnabled=f").declared()),
            Switch::off);
}

TEST(Resolve, DoesNotBelieveObjectsWhenTheDatastoreIsEtcd) {
  EXPECT_EQ(Case{}.env("DATASTORE_TYPE", "etcdv3").fc("default", kOff).declared().enabled.state,
            ParamState::unreadable);
  EXPECT_EQ(
      Case{}.env("ETCD_ENDPOINTS", "https://e:2379").fc("default", kOff).declared().enabled.state,
      ParamState::unreadable);
  EXPECT_EQ(enabled_switch(Case{}
                               .env("DATASTORE_TYPE", "kubernetes")
                               .env("ETCD_ENDPOINTS", "x")
                               .fc("default", kOff)
                               .declared()),
            Switch::off);
}

TEST(Resolve, ReadsAnnotationsOverTheSpec) {
  EXPECT_EQ(Case{}.annotated("default", "PrometheusMetricsEnabled", "true", kOff).dumped(),
            "enabled=true <- fc-default "
            "metadata.annotations[config.projectcalico.org/PrometheusMetricsEnabled] [CF0014]");
  EXPECT_EQ(enabled_switch(
                Case{}.annotated("default", "prometheusmetricsenabled", "true", kOff).declared()),
            Switch::undecided);
  EXPECT_EQ(Case{}.annotated("default", "prometheusmetricsenabled", "true", kOn).dumped(),
            "enabled=true <- fc-default "
            "metadata.annotations[config.projectcalico.org/prometheusmetricsenabled] "
            "[CF0014] [CF0011]");
  EXPECT_EQ(Case{}
                .fc("default", kOff,
                    R"("annotations":{"projectcalico.org/metadata":
                  "{\"annotations\":)"
                    R"({\"config.projectcalico.org/PrometheusMetricsEnabled\":\"1\"}}"})")
                .dumped(),
            "enabled=true <- fc-default metadata.annotations[projectcalico.org/metadata]"
            ".annotations[config.projectcalico.org/PrometheusMetricsEnabled] [CF0015]");
}

TEST(Resolve, DoesNotKnowWhatAnObjectThatFelixCannotUseMeans) {
  const auto broken =
      Case{}.fc("default", kOff, R"("annotations":{"projectcalico.org/metadata":"{"})");
  EXPECT_EQ(broken.declared().enabled.state, ParamState::unreadable);
  EXPECT_TRUE(
      broken.declared().enabled.why.starts_with("Felix cannot use FelixConfiguration default"));
  EXPECT_EQ(enabled_switch(Case{broken}.env(kEnvEnabled, "false").declared()), Switch::off);
  EXPECT_EQ(
      enabled_switch(Case{}.fc("node.other", R"({"prometheusMetricsEnabled":"x"})").declared()),
      Switch::off)
      << "another node's object is not read here";
}

TEST(Resolve, FindsTheNodesObjectByFelixsOwnName) {
  EXPECT_EQ(enabled_switch(Case{}.fc("node.n2", kOn).declared()), Switch::off);
  EXPECT_EQ(enabled_switch(Case{}.env("NODENAME", "n2").fc("node.n2", kOn).declared()), Switch::on);
  EXPECT_EQ(enabled_switch(Case{}.env("NODENAME", " n2 ").fc("node.n2", kOn).declared()),
            Switch::on);
  EXPECT_EQ(enabled_switch(Case{}.env("NODENAME", "n2").fc("node.n1", kOn).declared()),
            Switch::off);
  EXPECT_EQ(
      enabled_switch(
          Case{}
              .entry(
                  R"({"name":"NODENAME","valueFrom":{"fieldRef":{"fieldPath":"spec.nodeName"}}})")
              .fc("node.n1", kOn)
              .declared()),
      Switch::on);
}

TEST(Resolve, IsUndecidedWhereFelixMayHaveEitherName) {
  const auto two = Case{}.env("NODENAME", "n1").env("FELIX_FelixHostname", "other");
  EXPECT_EQ(enabled_switch(Case{two}.fc("node.other", kOn).declared()), Switch::undecided);
  EXPECT_EQ(enabled_switch(Case{two}.fc("node.other", kOn).fc("node.n1", kOn).declared()),
            Switch::on);
  EXPECT_EQ(enabled_switch(Case{two}.fc("node.other", kOn).fc("default", kOn).declared()),
            Switch::on);
  EXPECT_EQ(enabled_switch(Case{two}.fc("default", kOff).declared()), Switch::off);
  Case hidden;
  hidden.closed_secret("s").entry(
      R"({"name":"NODENAME","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}})");
  EXPECT_EQ(enabled_switch(Case{hidden}.fc("node.n7", kOn).declared()), Switch::undecided);
  EXPECT_EQ(enabled_switch(Case{hidden}.fc("default", kOff).declared()), Switch::off);
  EXPECT_EQ(
      enabled_switch(Case{}.labels({{"kubernetes.io/hostname", "h"}}).fc("node.h", kOn).declared()),
      Switch::undecided)
      << "without NODENAME Felix may use the host's name";
}

TEST(Resolve, ReadsNoNodeObjectForATemplate) {
  std::vector<json::object> objects;
  ResolveInput input{.pod = json::parse(R"({"spec":{"containers":[{"name":"c","env":[
    {"name":"FELIX_PROMETHEUSMETRICSENABLED","value":"true"}]}]}})")
                                .as_object(),
                     .felix_container = "c"};
  EXPECT_EQ(enabled_switch(resolve(input)), Switch::on);
  input.felix_container = "another";
  EXPECT_EQ(enabled_switch(resolve(input)), Switch::off);
}

TEST(Resolve, IgnoresTheHostBeforeItExisted) {
  EXPECT_EQ(Case{}.version("v3.8.2").env("FELIX_PROMETHEUSMETRICSHOST", "localhost").decision(),
            "enabled=false <- compiled; host=? unsupported <- env FELIX_PROMETHEUSMETRICSHOST");
  EXPECT_EQ(Case{}.version("v3.9.0").env("FELIX_PROMETHEUSMETRICSHOST", "localhost").decision(),
            "enabled=false <- compiled; host=localhost <- env FELIX_PROMETHEUSMETRICSHOST");
}

TEST(ResolveNotes, NameWhatAPersonShouldKnow) {
  EXPECT_EQ(Case{}.env("CALICO_DISABLE_FELIX", "false").dumped(),
            "enabled=false <- compiled [CF0019]");
  EXPECT_EQ(Case{}.env("CALICO_DISABLE_FELIX", "").dumped(), kNothing);
  EXPECT_EQ(Case{}.env(kEnvEnabled, "true").fc("default", kOn).dumped(),
            "enabled=true <- env FELIX_PROMETHEUSMETRICSENABLED (masks fc-default:true) [CF0010]");
  EXPECT_EQ(Case{}.fc("zone-a", kOn).dumped(), "enabled=false <- compiled [CF0023]");
  EXPECT_EQ(Case{}.env("FELIX_PROMETHEUSMETRICSPORT", "0x2383").dumped(),
            "enabled=false <- compiled; port=9091 <- env FELIX_PROMETHEUSMETRICSPORT");
  EXPECT_EQ(Case{}.fc("default", R"({"prometheusMetricsPort":9100})").declared().notes,
            (std::vector<Message>{
                {"CF0008",
                 {{"port", "9100"},
                  {"source", "FelixConfiguration default spec.prometheusMetricsPort"}}}}));
  EXPECT_EQ(Case{}.file("PrometheusMetricsEnabled=1").dumped(),
            "enabled=true <- file /etc/calico/felix.cfg PrometheusMetricsEnabled [CF0022]");
}

}  // namespace
}  // namespace catflap
