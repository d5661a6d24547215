// The small parts of TLS; the handshakes themselves are in probe_test.cpp, hostile ones in
// tests/probe.
#include <gtest/gtest.h>
#include <openssl/x509v3.h>

#include <array>

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

/// Closing with a request unread would be a reset.
void take_request(SSL* ssl) {
  std::array<char, 4096> bytes{};
  (void)SSL_read(ssl, bytes.data(), bytes.size());
}

/// Tickets and new keys, as many of each, before the answer.
Reach after_messages(int count) {
  const testing::TlsServer tls(TLS1_3_VERSION, testing::ClientCertificates::ignored);
  const testing::ScriptedServer server([&](int socket, int /*nth*/) {
    tls.serve(socket, [&](SSL* ssl) {
      take_request(ssl);
      for (int i = 0; i < count; ++i) {
        if (SSL_new_session_ticket(ssl) != 1 || SSL_do_handshake(ssl) != 1) return;
        if (SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED) != 1 || SSL_do_handshake(ssl) != 1)
          return;
      }
      const auto answer = testing::http(testing::felix_metrics("n"));
      (void)SSL_write(ssl, answer.data(), static_cast<int>(answer.size()));
    });
  });
  const std::vector<Target> targets{{.endpoint = server.endpoint(), .node = "n"}};
  return probe(targets, {}, RealClock()).at(0);
}

TEST(Tls, TicketsAndNewKeysAreBounded) {
  EXPECT_EQ(after_messages(10).identity, Identity::felix);
  const Reach flood = after_messages(100);
  EXPECT_EQ(flood.outcome, Outcome::open);
  EXPECT_EQ(flood.identity, Identity::unidentified);
  EXPECT_EQ(flood.product, Product::tls);
  EXPECT_EQ(flood.detail, "TLS: too many handshake messages");
}

/// Felix's answer of 200 KB, so many bytes in each record, its own line last.
Reach in_records_of(std::size_t bytes) {
  std::string body;
  while (body.size() < 200'000) body += "felix_int_dataplane_failures 0\n";
  const auto answer = testing::http(body + "felix_host{host=\"n\"} 1\n");
  const testing::TlsServer tls(TLS1_3_VERSION, testing::ClientCertificates::ignored);
  const testing::ScriptedServer server([&](int socket, int /*nth*/) {
    tls.serve(socket, [&](SSL* ssl) {
      take_request(ssl);
      for (std::string_view rest = answer; !rest.empty();) {
        const auto piece = rest.substr(0, bytes);
        if (SSL_write(ssl, piece.data(), static_cast<int>(piece.size())) <= 0) return;
        rest.remove_prefix(piece.size());
      }
    });
  });
  const std::vector<Target> targets{{.endpoint = server.endpoint(), .node = "n"}};
  return probe(targets, {}, RealClock()).at(0);
}

TEST(Tls, WhatIsNoAnswerInItIsBounded) {
  for (const std::size_t bytes : {100u, 16'384u})
    EXPECT_EQ(in_records_of(bytes).identity, Identity::felix) << bytes;
  const Reach tiny = in_records_of(1);
  EXPECT_EQ(tiny.outcome, Outcome::open);
  EXPECT_EQ(tiny.identity, Identity::unidentified);
  EXPECT_LT(tiny.bytes, 200'000u);
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
