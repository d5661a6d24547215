#include "net/throwaway_certificate.hpp"

#include <fmt/format.h>
#include <openssl/ec.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <array>
#include <ctime>

namespace catflap::net {
namespace {

bool set_validity(X509* leaf, TimePoint now) {
  const std::time_t seconds =
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  // A node's clock may be years off, and "expired" would say nothing about who is let in.
  constexpr std::time_t kTenYears = 10L * 365 * 24 * 3600;
  return ASN1_TIME_set(X509_getm_notBefore(leaf), seconds - kTenYears) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(leaf), seconds + kTenYears) != nullptr;
}

bool set_serial(X509* leaf) {
  std::uint64_t serial = 0;
  return RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1 &&
         ASN1_INTEGER_set_uint64(X509_get_serialNumber(leaf), serial >> 1) == 1;
}

bool set_name(X509* leaf) {
  constexpr std::string_view kName = "catflap-throwaway";
  X509_NAME* name = X509_get_subject_name(leaf);
  return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                    reinterpret_cast<const unsigned char*>(kName.data()),
                                    static_cast<int>(kName.size()), -1, 0) == 1 &&
         X509_set_issuer_name(leaf, name) == 1;
}

bool add_extension(X509* leaf, int kind, const char* value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value);
  if (extension == nullptr) return false;
  const bool added = X509_add_ext(leaf, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

}  // namespace

Result<std::string> make_throwaway_token() {
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
    return Error{.kind = ErrorKind::internal, .what = "OpenSSL has no random numbers"};
  std::string token;
  for (const unsigned char byte : bytes) token += fmt::format("{:02x}", byte);
  return token;
}

Result<Certificate> make_throwaway_certificate(TimePoint now) {
  Certificate made{X509Handle(X509_new()), KeyHandle(EVP_EC_gen("P-256"))};
  X509* leaf = made.leaf.get();
  constexpr long kVersion3 = 2;
  const bool ok = leaf != nullptr && made.key && X509_set_version(leaf, kVersion3) == 1 &&
                  set_serial(leaf) && set_validity(leaf, now) && set_name(leaf) &&
                  X509_set_pubkey(leaf, made.key.get()) == 1 &&
                  add_extension(leaf, NID_key_usage, "critical,digitalSignature") &&
                  // A server may be picky about the purpose of a certificate that it otherwise
                  // accepts from anybody.
                  add_extension(leaf, NID_ext_key_usage, "clientAuth") &&
                  X509_sign(leaf, made.key.get(), EVP_sha256()) > 0;
  if (!ok)
    return Error{.kind = ErrorKind::internal,
                 .what = "OpenSSL could not make the throw-away certificate"};
  return made;
}

}  // namespace catflap::net
