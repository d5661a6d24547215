// What is said of those who are not Felix, and by which bytes.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <array>

#include "net/probe.hpp"
#include "net/scripted_server.hpp"
#include "net/throwaway_certificate.hpp"
#include "net/tls_facts.hpp"

namespace catflap::net {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using testing::ClientCertificates;
using testing::ScriptedServer;
using testing::TlsServer;

Reach ask(const HostPort& endpoint) {
  const std::vector<Target> targets{{.endpoint = endpoint, .node = "n"}};
  return probe(targets, {.connect_timeout = 1s, .total_timeout = 1s}, RealClock()).at(0);
}

TEST(Answers, WhoIsNotKnownIsShownByWhatItSaidFirst) {
  const struct {
    std::string bytes;
    Product product;
    std::string mark;
  } rows[] = {
      {"SSH-2.0-OpenSSH_9.2\r\n", Product::unknown, "SSH-2.0-OpenSSH_9.2"},
      {"220 mail.example ESMTP\r\nmore", Product::unknown, "220 mail.example ESMTP"},
      {"\r\n\x1b[2J", Product::unknown, "\r\n\x1b[2J"},
      {std::string(600, 'x'), Product::unknown, std::string(64, 'x')},
      {"\x16\x03\x03\x40\x00\x7f\x7f"s, Product::unknown, "\x16\x03\x03@\0\x7f\x7f"s},
      // An alert, and no handshake: it is TLS all the same.
      {"\x15\x03\x03\x00\x02\x02\x28"s, Product::tls, "\x15\x03\x03\x00\x02\x02\x28"s},
      {"\x15\x03\x03\x00\x02\x02\x00"s, Product::tls, "\x15\x03\x03\x00\x02\x02\x00"s},
      {"", Product::unknown, ""},
  };
  for (const auto& row : rows) {
    const ScriptedServer server([&](int socket, int) {
      std::array<char, 4096> hello{};
      (void)::recv(socket, hello.data(), hello.size(), 0);
      testing::send_all(socket, row.bytes);
    });
    const Reach reach = ask(server.endpoint());
    EXPECT_EQ(reach.product, row.product) << row.mark << ": " << reach.detail;
    EXPECT_EQ(reach.product_mark, row.mark) << reach.detail;
    EXPECT_NE(reach.identity, Identity::other) << row.mark;
    EXPECT_FALSE(reach.detail.ends_with(": ")) << reach.detail;
  }
}

TEST(Answers, TlsWithNothingBehindItIsShownByItsCertificate) {
  const TlsServer tls(TLS1_3_VERSION, ClientCertificates::trusted);
  const ScriptedServer server(tls.answering(""));
  const Reach reach = ask(server.endpoint());
  EXPECT_EQ(reach.product, Product::tls);
  EXPECT_EQ(reach.product_mark, "sha256:" + reach.tls->sha256);
  EXPECT_EQ(reach.tls->sha256.size(), 64u);
}

TEST(Answers, FelixIsReadWhereAnybodyIsWhoAgreesToTheLeast) {
  const struct {
    const char* groups;
    const char* ciphers;
  } rows[] = {{"brainpoolP256r1", nullptr},
              {nullptr, "AECDH-AES256-SHA:@SECLEVEL=0"},
              {nullptr, "ECDHE-ECDSA-NULL-SHA:@SECLEVEL=0"},
              {nullptr, "ECDHE-ECDSA-CAMELLIA128-SHA256:@SECLEVEL=0"}};
  for (const auto& row : rows) {
    const TlsServer tls(TLS1_2_VERSION, ClientCertificates::ignored, row.groups, row.ciphers);
    const ScriptedServer server(tls.answering(testing::http(testing::felix_metrics("n1"))));
    const Reach reach = ask(server.endpoint());
    EXPECT_EQ(reach.felix_host, "n1")
        << (row.groups != nullptr ? row.groups : row.ciphers) << ": " << reach.detail;
  }
}

TEST(Answers, NamesOfACertificateThatAreNotShownAreCounted) {
  const struct {
    std::string names;
    std::vector<std::string> shown;
    std::size_t omitted;
  } rows[] = {
      {"DNS:n1,IP:10.0.0.1,URI:spiffe://a/b,email:x@example",
       {"DNS:n1", "IP:10.0.0.1", "URI:spiffe://a/b", "email:x@example"},
       0},
      {"DNS:n1,RID:1.2.3,RID:1.2.4", {"DNS:n1"}, 2},
      {"DNS:" + std::string(300, 'n'), {"DNS:" + std::string(256, 'n') + "…"}, 0},
      {[] {
         std::string forty = "DNS:n0";
         for (int i = 1; i < 40; ++i) forty += fmt::format(",DNS:n{}", i);
         return forty;
       }(),
       {},
       24},
  };
  for (const auto& row : rows) {
    const auto made = make_throwaway_certificate(TimePoint{1'700'000'000s});
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, made->leaf.get(), made->leaf.get(), nullptr, nullptr, 0);
    X509_EXTENSION* extension =
        X509V3_EXT_conf_nid(nullptr, &context, NID_subject_alt_name, row.names.c_str());
    ASSERT_NE(extension, nullptr) << row.names;
    X509_add_ext(made->leaf.get(), extension, -1);
    X509_EXTENSION_free(extension);
    const TlsFacts facts = read_certificate(made->leaf.get());
    EXPECT_EQ(facts.names_omitted, row.omitted) << row.names;
    EXPECT_EQ(facts.names.size(), row.shown.empty() ? 16u : row.shown.size());
    EXPECT_TRUE(row.shown.empty() || facts.names == row.shown) << row.names;
  }
}

}  // namespace
}  // namespace catflap::net
