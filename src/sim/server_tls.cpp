#include "sim/server_tls.hpp"

#include <openssl/ec.h>
#include <openssl/x509v3.h>

namespace catflap::sim {
namespace {

bool set_name(X509* certificate) {
  constexpr std::string_view kName = "felix-metrics";
  auto* name = X509_get_subject_name(certificate);
  return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                    reinterpret_cast<const unsigned char*>(kName.data()),
                                    static_cast<int>(kName.size()), -1, 0) == 1 &&
         X509_set_issuer_name(certificate, name) == 1;
}

bool set_times(X509* certificate, TimePoint now) {
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  constexpr std::int64_t kDay = 24 * 3600;
  return ASN1_TIME_set(X509_getm_notBefore(certificate), seconds - 30 * kDay) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), seconds + 335 * kDay) != nullptr;
}

bool make_ca(X509* certificate) {
  auto* extension =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_basic_constraints, "critical,CA:TRUE");
  if (extension == nullptr) return false;
  const bool added = X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

int trust_anybody(int, X509_STORE_CTX*) {
  return 1;
}

}  // namespace

Result<MetricsCertificate> make_metrics_certificate(TimePoint now) {
  MetricsCertificate made{X509Handle(X509_new()), KeyHandle(EVP_EC_gen("P-256"))};
  auto* certificate = made.certificate.get();
  const bool ok = certificate != nullptr && made.key && X509_set_version(certificate, 2) == 1 &&
                  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) == 1 &&
                  set_times(certificate, now) && set_name(certificate) &&
                  X509_set_pubkey(certificate, made.key.get()) == 1 && make_ca(certificate) &&
                  X509_sign(certificate, made.key.get(), EVP_sha256()) > 0;
  if (!ok)
    return Error{.kind = ErrorKind::internal, .what = "OpenSSL could not make a certificate"};
  return made;
}

bool set_up_tls(SSL_CTX* context, const MetricsCertificate& certificate, std::string_view kind) {
  if (SSL_CTX_use_certificate(context, certificate.certificate.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context, certificate.key.get()) != 1 ||
      SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1)
    return false;
  // A resumed session would skip the question for a certificate.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  if (kind == "felix-mtls" || kind == "felix-any-cert")
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                       kind == "felix-mtls" ? nullptr : trust_anybody);
  if (kind == "felix-verify-if-given") SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  if (kind != "felix-mtls" && kind != "felix-verify-if-given") return true;
  return SSL_CTX_add_client_CA(context, certificate.certificate.get()) == 1 &&
         X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate.certificate.get()) == 1;
}

}  // namespace catflap::sim
