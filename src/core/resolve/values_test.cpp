// Expected values as Calico 3.30.1's felix/config gave them.
#include "core/resolve/values.hpp"

#include <gtest/gtest.h>

namespace catflap {
namespace {

TEST(ParseFelixBool, KnowsFelixsWordsInAnyCase) {
  for (const char* yes : {"true", "True", "TRUE", "tRuE", "1", "yes", "YES", "y", "Y", "t", "T"}) {
    EXPECT_EQ(parse_felix_bool(yes), true) << yes;
  }
  for (const char* no : {"false", "FALSE", "0", "no", "nO", "n", "N", "f", "F", "none", "NONE"}) {
    EXPECT_EQ(parse_felix_bool(no), false) << no;
  }
}

TEST(ParseFelixBool, RefusesEverythingElse) {
  for (const char* text : {"on", "off", "On", "enabled", "disabled", " true", "true ", "01", "00",
                           "2", "-1", "null", "nil", "\"true\"", "true\n", "yes!", "да", "Kes"}) {
    EXPECT_EQ(parse_felix_bool(text), std::nullopt) << text;
  }
}

struct PortRow {
  const char* raw;
  int port;  // -1: refused
};

class ParseFelixPort : public testing::TestWithParam<PortRow> {};

TEST_P(ParseFelixPort, ReadsGoIntegers) {
  EXPECT_EQ(parse_felix_port(GetParam().raw).value_or(-1), GetParam().port) << GetParam().raw;
}

INSTANTIATE_TEST_SUITE_P(
    Table, ParseFelixPort,
    testing::Values(
        PortRow{"9091", 9091}, PortRow{"0x2383", 9091}, PortRow{"0X2383", 9091},
        PortRow{"021603", 9091}, PortRow{"0o21603", 9091}, PortRow{"0O7", 7}, PortRow{"0b1", 1},
        PortRow{"0B101", 5}, PortRow{"+9091", 9091}, PortRow{"9_091", 9091}, PortRow{"1_0", 10},
        PortRow{"0_17", 15}, PortRow{"0x_1f", 31}, PortRow{"0X1F", 31}, PortRow{"017", 15},
        PortRow{"0", 0}, PortRow{"00", 0}, PortRow{"-0", 0}, PortRow{"+0", 0}, PortRow{"-0x0", 0},
        PortRow{"none", 0}, PortRow{"NONE", 0}, PortRow{"nOnE", 0}, PortRow{"65535", 65535},
        PortRow{"0xffff", 65535}, PortRow{"000009", -1}, PortRow{"09091", -1}, PortRow{"018", -1},
        PortRow{"0_8", -1}, PortRow{"0b2", -1}, PortRow{"0b", -1}, PortRow{"0x", -1},
        PortRow{"0o", -1}, PortRow{"0x_", -1}, PortRow{"0_x1", -1}, PortRow{"_10", -1},
        PortRow{"10_", -1}, PortRow{"1__0", -1}, PortRow{"0__7", -1}, PortRow{"0x1f_", -1},
        PortRow{"_", -1}, PortRow{"+", -1}, PortRow{"-", -1}, PortRow{"--1", -1},
        PortRow{"+-1", -1}, PortRow{"-1", -1}, PortRow{"-9091", -1}, PortRow{"65536", -1},
        PortRow{"70000", -1}, PortRow{"9223372036854775808", -1},
        PortRow{"18446744073709551616", -1}, PortRow{"184467440737095516169091", -1},
        PortRow{"1e3", -1}, PortRow{"9091.0", -1}, PortRow{" 9091", -1}, PortRow{"9091 ", -1},
        PortRow{"9091\n", -1}, PortRow{"", -1}, PortRow{"http", -1}, PortRow{"-none", -1},
        PortRow{"0xg", -1}, PortRow{"1f", -1}, PortRow{"\xD9\xA0", -1}));

TEST(ParseFelixHost, TakesWhatFelixsExpressionTakes) {
  const std::string longest(64, 'a');
  for (const std::string& host :
       {std::string{"localhost"}, std::string{"LOCALHOST"}, std::string{"127.0.0.1"},
        std::string{"::1"}, std::string{"0.0.0.0"}, std::string{"::"}, std::string{"a_b"},
        std::string{"a+b-c"}, std::string{"x"}, std::string{"..."}, longest}) {
    EXPECT_EQ(parse_felix_host(host), host);
  }
  EXPECT_EQ(parse_felix_host("none"), "");
  for (const std::string& host :
       {std::string{""}, std::string{"[::1]"}, std::string{"fe80::1%eth0"}, std::string{"a b"},
        std::string{"host\n"}, std::string{"h\xC3\xA9"}, std::string{"a,b"}, std::string{"a/b"},
        longest + "a"}) {
    EXPECT_EQ(parse_felix_host(host), std::nullopt) << host;
  }
}

TEST(ParseFelixString, TakesOneLine) {
  EXPECT_EQ(parse_felix_string("/certs/tls.crt"), "/certs/tls.crt");
  EXPECT_EQ(parse_felix_string("None"), "");
  EXPECT_EQ(parse_felix_string("a\nb"), std::nullopt);
}

TEST(ParseFelixClientAuth, KnowsFourModesInAnyCase) {
  EXPECT_EQ(parse_felix_client_auth("NoClientCert"), ClientAuth::no_client_cert);
  EXPECT_EQ(parse_felix_client_auth("noclientcert"), ClientAuth::no_client_cert);
  EXPECT_EQ(parse_felix_client_auth("REQUIREANYCLIENTCERT"), ClientAuth::require_any);
  EXPECT_EQ(parse_felix_client_auth("VerifyClientCertIfGiven"), ClientAuth::verify_if_given);
  EXPECT_EQ(parse_felix_client_auth("RequireAndVerifyClientCert"), ClientAuth::require_and_verify);
  for (const char* text : {"", "RequestClientCert", "true", " NoClientCert", "none"}) {
    EXPECT_EQ(parse_felix_client_auth(text), std::nullopt) << text;
  }
}

TEST(NamesParameter, IgnoresCaseAsGoDoes) {
  for (const char* name :
       {"PrometheusMetricsEnabled", "prometheusmetricsenabled", "PROMETHEUSMETRICSENABLED",
        "PrometheusMetr\xC4\xB0"
        "csEnabled"}) {
    EXPECT_TRUE(names_parameter(name, kEnabled.name)) << name;
  }
  EXPECT_TRUE(
      names_parameter("PrometheusMetrics\xE2\x84\xAA"
                      "eyFile",
                      kKeyFile.name));
  for (const char* name : {"", "PrometheusMetrics", "Prometheus_Metrics_Enabled",
                           "PrometheusMetricsEnabled ", "PrometheusMetricsEnable"}) {
    EXPECT_FALSE(names_parameter(name, kEnabled.name)) << name;
  }
}

TEST(EnvNamesParameter, WantsThePrefixAndNoFurtherUnderscore) {
  for (const char* name : {"FELIX_PROMETHEUSMETRICSENABLED", "felix_prometheusmetricsenabled",
                           "Felix_PrometheusMetricsEnabled", "fELIX_pROMETHEUSmETRICSeNABLED"}) {
    EXPECT_TRUE(env_names_parameter(name, kEnabled.name)) << name;
  }
  for (const char* name :
       {"PROMETHEUSMETRICSENABLED", "FELIX_PROMETHEUS_METRICS_ENABLED",
        "FELIX__PROMETHEUSMETRICSENABLED", "XFELIX_PROMETHEUSMETRICSENABLED",
        "FELIX_PROMETHEUSMETRICSENABLED_", "FELIXPROMETHEUSMETRICSENABLED", "FELIX_"}) {
    EXPECT_FALSE(env_names_parameter(name, kEnabled.name)) << name;
  }
}

}  // namespace
}  // namespace catflap
