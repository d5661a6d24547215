#include "net/tls_facts.hpp"

#include <fmt/format.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <optional>

#include "base/clock.hpp"
#include "base/openssl_handles.hpp"
#include "base/text.hpp"

namespace catflap::net {
namespace {

constexpr std::size_t kLongestName = 256;
constexpr std::size_t kMostNames = 16;

struct AlertRow {
  int number;
  const char* name;
  bool about_certificate;
};

// RFC 8446 section 6.2 and RFC 5246 section 7.2. handshake_failure counts: in TLS 1.2 it is the
// word for a missing certificate. 43 to 45 do not: another key type or another clock might have got
// in with a certificate just as worthless.
constexpr AlertRow kAlerts[] = {
    {0, "close notify", false},
    {10, "unexpected message", false},
    {20, "bad record mac", false},
    {21, "decryption failed", false},
    {22, "record overflow", false},
    {30, "decompression failure", false},
    {40, "handshake failure", true},
    {41, "no certificate", true},
    {42, "bad certificate", true},
    {43, "unsupported certificate", false},
    {44, "certificate revoked", false},
    {45, "certificate expired", false},
    {46, "certificate unknown", true},
    {47, "illegal parameter", false},
    {48, "unknown CA", true},
    {49, "access denied", true},
    {50, "decode error", false},
    {51, "decrypt error", false},
    {70, "protocol version", false},
    {71, "insufficient security", false},
    {80, "internal error", false},
    {86, "inappropriate fallback", false},
    {90, "user canceled", false},
    {100, "no renegotiation", false},
    {109, "missing extension", false},
    {110, "unsupported extension", false},
    {112, "unrecognized name", false},
    {113, "bad certificate status response", false},
    {115, "unknown PSK identity", false},
    {116, "certificate required", true},
    {120, "no application protocol", false},
};

const AlertRow* find_alert(int alert) {
  for (const AlertRow& row : kAlerts)
    if (row.number == alert) return &row;
  return nullptr;
}

/// One that is not whole ends with "…".
std::string cut_name(std::string_view name) {
  return printable(name.substr(0, kLongestName)) + (name.size() > kLongestName ? "…" : "");
}

std::string text_of(const X509_NAME* name) {
  const BioHandle memory(BIO_new(BIO_s_mem()));
  if (!memory) return {};
  if (X509_NAME_print_ex(memory.get(), name, 0, XN_FLAG_RFC2253) < 0) return {};
  std::array<char, kLongestName + 1> text{};
  const int length = BIO_read(memory.get(), text.data(), static_cast<int>(text.size()));
  return length > 0 ? cut_name({text.data(), static_cast<std::size_t>(length)}) : std::string{};
}

std::string_view bytes_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

/// "DNS:n1", "IP:10.0.0.1", "URI:…", "email:…"; none for another kind.
std::optional<std::string> name_of(const GENERAL_NAME* name) {
  if (name->type == GEN_DNS) return "DNS:" + cut_name(bytes_of(name->d.dNSName));
  if (name->type == GEN_URI) return "URI:" + cut_name(bytes_of(name->d.uniformResourceIdentifier));
  if (name->type == GEN_EMAIL) return "email:" + cut_name(bytes_of(name->d.rfc822Name));
  if (name->type != GEN_IPADD) return std::nullopt;
  const std::string_view bytes = bytes_of(name->d.iPAddress);
  std::array<std::uint8_t, 16> number{};
  if (bytes.size() != 4 && bytes.size() != 16) return std::nullopt;
  std::copy(bytes.begin(), bytes.end(), number.begin());
  const IpAddress address = bytes.size() == 16
                                ? IpAddress::v6(number)
                                : IpAddress::v4({number[0], number[1], number[2], number[3]});
  return "IP:" + address.to_string();
}

void add_names(X509* leaf, TlsFacts& facts) {
  const GeneralNamesHandle all(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(leaf, NID_subject_alt_name, nullptr, nullptr)));
  if (!all) return;
  const int count = sk_GENERAL_NAME_num(all.get());
  for (int i = 0; i < count && facts.names.size() < kMostNames; ++i) {
    if (auto name = name_of(sk_GENERAL_NAME_value(all.get(), i)))
      facts.names.push_back(*std::move(name));
  }
  facts.names_omitted = static_cast<std::size_t>(count) - facts.names.size();
}

std::string key_of(X509* leaf) {
  const EVP_PKEY* key = X509_get0_pubkey(leaf);
  if (key == nullptr) return {};
  std::array<char, 64> group{};
  std::size_t size = 0;
  if (EVP_PKEY_get_group_name(key, group.data(), group.size(), &size) == 1) {
    const std::string_view name(group.data(), size);
    return fmt::format("EC {}", name == "prime256v1" ? "P-256" : name);
  }
  const char* type = EVP_PKEY_get0_type_name(key);
  return fmt::format("{} {}", type != nullptr ? type : "unknown", EVP_PKEY_get_bits(key));
}

std::string time_of(const ASN1_TIME* time) {
  std::tm when{};
  if (ASN1_TIME_to_tm(time, &when) != 1) return {};
  const std::time_t seconds = ::timegm(&when);
  return to_rfc3339(TimePoint{std::chrono::seconds{seconds}});
}

std::string sha256_of(X509* leaf) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  if (X509_digest(leaf, EVP_sha256(), digest.data(), &length) != 1) return {};
  std::string hex;
  for (unsigned int i = 0; i < length; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

}  // namespace

TlsFacts read_certificate(X509* leaf) {
  TlsFacts facts;
  facts.subject = text_of(X509_get_subject_name(leaf));
  facts.issuer = text_of(X509_get_issuer_name(leaf));
  add_names(leaf, facts);
  facts.not_before = time_of(X509_get0_notBefore(leaf));
  facts.not_after = time_of(X509_get0_notAfter(leaf));
  facts.key = key_of(leaf);
  facts.sha256 = sha256_of(leaf);
  constexpr int kVerifySignature = 1;
  facts.self_signed = X509_self_signed(leaf, kVerifySignature) == 1;
  return facts;
}

TlsFacts read_tls_facts(SSL* ssl) {
  X509* leaf = SSL_get0_peer_certificate(ssl);
  TlsFacts facts = leaf != nullptr ? read_certificate(leaf) : TlsFacts{};
  if (const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl); cipher != nullptr) {
    facts.version = SSL_get_version(ssl);
    facts.cipher = SSL_CIPHER_get_name(cipher);
  }
  return facts;
}

std::string alert_name(int alert) {
  const AlertRow* row = find_alert(alert);
  return row != nullptr ? row->name : fmt::format("alert {}", alert);
}

bool refuses_certificate(int alert) {
  const AlertRow* row = find_alert(alert);
  return row != nullptr && row->about_certificate;
}

}  // namespace catflap::net
