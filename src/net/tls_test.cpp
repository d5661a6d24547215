// The small parts of TLS; the handshakes themselves are in probe_test.cpp, hostile ones in
// tests/probe.
#include <gtest/gtest.h>
#include <openssl/x509v3.h>

#include "net/probe.hpp"
#include "net/scripted_server.hpp"
#include "net/throwaway_certificate.hpp"
#include "net/tls_facts.hpp"

namespace catflap::net {
namespace {

using namespace std::chrono_literals;

TEST(Tls, NamesAlertsAndKnowsWhichAreAboutTheCertificate) {
  EXPECT_EQ(alert_name(116), "certificate required");
  EXPECT_EQ(alert_name(48), "unknown CA");
  EXPECT_EQ(alert_name(200), "alert 200");
  for (const int alert : {40, 41, 42, 46, 48, 49, 116})
    EXPECT_TRUE(refuses_certificate(alert)) << alert;
  // Felix whose certificate files broke answers 80 (internal error): that refuses nobody's
  // credential.
  // Nor does a node whose clock is off (45), or a server that takes other keys only (43).
  for (const int alert : {0, 10, 20, 43, 44, 45, 47, 50, 70, 80, 90, 112, 120, 200})
    EXPECT_FALSE(refuses_certificate(alert)) << alert;
}

TEST(Tls, AGroupThatTakesLongIsNotOffered) {
  const struct {
    const char* groups;
    Identity identity;
  } rows[] = {{"ffdhe2048", Identity::felix},
              {"P-521", Identity::felix},
              {"ffdhe8192", Identity::unidentified}};
  for (const auto& row : rows) {
    const testing::TlsServer tls(TLS1_3_VERSION, testing::ClientCertificates::ignored, row.groups);
    const testing::ScriptedServer server(tls.answering(testing::http(testing::felix_metrics("n"))));
    const std::vector<Target> targets{{.endpoint = server.endpoint(), .node = "n"}};
    const Reach reach = probe(targets, {}, RealClock()).at(0);
    EXPECT_EQ(reach.outcome, Outcome::open) << row.groups;
    EXPECT_EQ(reach.identity, row.identity) << row.groups;
  }
}

TEST(Tls, TheThrowawayCertificateIsForClientsAndGoodOnAnyClock) {
  const TimePoint now{1'700'000'000s};
  const auto made = make_throwaway_certificate(now);
  ASSERT_TRUE(made.has_value());
  X509* leaf = made->leaf.get();
  EXPECT_EQ(X509_self_signed(leaf, 1), 1);
  EXPECT_EQ(X509_check_purpose(leaf, X509_PURPOSE_SSL_CLIENT, 0), 1);
  EXPECT_NE(X509_check_purpose(leaf, X509_PURPOSE_SSL_SERVER, 0), 1);
  for (const int years : {-9, 0, 9}) {
    std::time_t at = 1'700'000'000 + years * 365L * 24 * 3600;
    EXPECT_EQ(X509_cmp_time(X509_get0_notBefore(leaf), &at), -1) << years;
    EXPECT_EQ(X509_cmp_time(X509_get0_notAfter(leaf), &at), 1) << years;
  }
  EXPECT_EQ(EVP_PKEY_get_bits(made->key.get()), 256);
}

}  // namespace
}  // namespace catflap::net
