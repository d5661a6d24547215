#include "sim/certificates.hpp"

#include <fmt/format.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <array>
#include <ctime>

namespace catflap::sim {

namespace {

constexpr std::time_t kDay = 24L * 3600;

Error failed() {
  return Error{.kind = ErrorKind::internal,
               .what = "OpenSSL could not make the server's certificate"};
}

bool set_name(X509_NAME* name, std::string_view text) {
  return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                    reinterpret_cast<const unsigned char*>(text.data()),
                                    static_cast<int>(text.size()), -1, 0) == 1;
}

bool add_extension(X509* certificate, int kind, const char* value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value);
  if (extension == nullptr) return false;
  const bool added = X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

/// All but the issuer, the extensions and the signature.
X509Handle begin(std::string_view name, EVP_PKEY* key, TimePoint now) {
  X509Handle certificate(X509_new());
  X509* out = certificate.get();
  const std::time_t seconds =
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  std::uint64_t serial = 0;
  constexpr long kVersion3 = 2;
  const bool ok = out != nullptr && X509_set_version(out, kVersion3) == 1 &&
                  RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1 &&
                  ASN1_INTEGER_set_uint64(X509_get_serialNumber(out), serial >> 1) == 1 &&
                  ASN1_TIME_set(X509_getm_notBefore(out), seconds - kDay) != nullptr &&
                  ASN1_TIME_set(X509_getm_notAfter(out), seconds + 365 * kDay) != nullptr &&
                  set_name(X509_get_subject_name(out), name) && X509_set_pubkey(out, key) == 1;
  return ok ? std::move(certificate) : X509Handle();
}

std::string pem_of(X509* certificate) {
  BioHandle bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509(bio.get(), certificate) != 1) return {};
  char* text = nullptr;
  const auto size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

std::string hex(const unsigned char* bytes, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += fmt::format("{:02x}", bytes[i]);
  return out;
}

}  // namespace

Result<ServerCertificate> make_server_certificate(TimePoint now) {
  const KeyHandle ca_key(EVP_EC_gen("P-256"));
  ServerCertificate made{.key = KeyHandle(EVP_EC_gen("P-256"))};
  if (!ca_key || !made.key) return failed();
  const auto ca = begin("catflap-sim-ca", ca_key.get(), now);
  made.leaf = begin("kube-apiserver", made.key.get(), now);
  if (!ca || !made.leaf) return failed();
  X509* leaf = made.leaf.get();
  const auto* ca_name = X509_get_subject_name(ca.get());
  const bool ok = X509_set_issuer_name(ca.get(), ca_name) == 1 &&
                  X509_set_issuer_name(leaf, ca_name) == 1 &&
                  add_extension(ca.get(), NID_basic_constraints, "critical,CA:TRUE") &&
                  add_extension(ca.get(), NID_key_usage, "critical,keyCertSign,cRLSign") &&
                  add_extension(leaf, NID_basic_constraints, "critical,CA:FALSE") &&
                  add_extension(leaf, NID_key_usage, "critical,digitalSignature") &&
                  add_extension(leaf, NID_ext_key_usage, "serverAuth") &&
                  add_extension(leaf, NID_subject_alt_name,
                                "IP:127.0.0.1,IP:::1,DNS:localhost,DNS:kubernetes") &&
                  X509_sign(ca.get(), ca_key.get(), EVP_sha256()) > 0 &&
                  X509_sign(leaf, ca_key.get(), EVP_sha256()) > 0;
  made.ca_pem = ok ? pem_of(ca.get()) : "";
  if (made.ca_pem.empty()) return failed();
  return made;
}

Result<std::string> make_token() {
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
    return Error{.kind = ErrorKind::internal, .what = "OpenSSL has no random numbers"};
  return hex(bytes.data(), bytes.size());
}

std::string make_uuid() {
  std::array<unsigned char, 16> bytes{};
  // Without random numbers the id is all zeroes, which harms nobody.
  (void)RAND_bytes(bytes.data(), static_cast<int>(bytes.size()));
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);
  const auto all = hex(bytes.data(), bytes.size());
  return fmt::format("{}-{}-{}-{}-{}", all.substr(0, 8), all.substr(8, 4), all.substr(12, 4),
                     all.substr(16, 4), all.substr(20));
}

}  // namespace catflap::sim
