#include "kube/tls.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>  // secure_getenv
#include <sys/stat.h>

#include "base/openssl_handles.hpp"

namespace catflap::kube {

namespace {

/// OpenSSL would ask on the terminal for the passphrase of an encrypted key.
int no_passphrase(char*, int, int, void*) {
  return 0;
}

std::string openssl_reason() {
  unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "unknown reason" : reason;
}

Error bad_pem(const std::string& origin, std::string what) {
  return Error{.kind = ErrorKind::usage,
               .what = std::move(what),
               .subject = origin,
               .hint = "the file or field must hold PEM (\"-----BEGIN …\")"};
}

BioHandle memory(const std::string& text) {
  return BioHandle(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

X509Handle next_certificate(BIO* bio) {
  return X509Handle(PEM_read_bio_X509(bio, nullptr, no_passphrase, nullptr));
}

Result<void> trust_pem(SSL_CTX* context, const TlsSettings& settings) {
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  BioHandle bio = memory(settings.ca_pem);
  int count = 0;
  while (X509Handle certificate = next_certificate(bio.get())) {
    X509_STORE_add_cert(store, certificate.get());
    ++count;
  }
  ERR_clear_error();
  if (count == 0) return bad_pem(settings.ca_origin, "no certificate could be read from it");
  return {};
}

/// Where OpenSSL looks by itself, if something is there.
std::string default_place() {
  const char* file = ::secure_getenv(X509_get_default_cert_file_env());
  const char* folder = ::secure_getenv(X509_get_default_cert_dir_env());
  struct stat status{};
  for (const char* place : {file != nullptr ? file : X509_get_default_cert_file(),
                            folder != nullptr ? folder : X509_get_default_cert_dir()}) {
    if (::stat(place, &status) == 0) return place;
  }
  return "";
}

/// A static binary knows only the folder of the distribution it was built on, so the usual places
/// are tried. Returns which of them was there; "" if none.
std::string trust_system(SSL_CTX* context) {
  SSL_CTX_set_default_verify_paths(context);
  std::string found = default_place();
  for (const char* file :
       {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        "/etc/ssl/cert.pem"}) {
    struct stat status{};
    if (::stat(file, &status) != 0 || SSL_CTX_load_verify_locations(context, file, nullptr) != 1)
      continue;
    found += (found.empty() ? "" : " and ") + std::string(file);
    break;
  }
  ERR_clear_error();
  return found;
}

Result<void> use_key_pair(SSL_CTX* context, const TlsSettings& settings) {
  const std::string& origin = settings.certificate_origin;
  BioHandle bio = memory(settings.certificate_pem);
  X509Handle leaf = next_certificate(bio.get());
  if (!leaf || SSL_CTX_use_certificate(context, leaf.get()) != 1) {
    return bad_pem(origin, "the client certificate cannot be read: " + openssl_reason());
  }
  while (X509Handle link = next_certificate(bio.get()))
    SSL_CTX_add1_chain_cert(context, link.get());
  ERR_clear_error();
  BioHandle key_bio = memory(settings.key_pem.reveal());
  KeyHandle key(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, no_passphrase, nullptr));
  if (!key)
    return bad_pem(origin, "the client key cannot be read (an encrypted one is not supported)");
  ERR_clear_error();
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
    ERR_clear_error();
    return bad_pem(origin, "the client key does not belong to the client certificate");
  }
  return {};
}

}  // namespace

Result<TlsContext> TlsContext::make(TlsSettings settings) {
  TlsContext out;
  out.context_ = std::shared_ptr<SSL_CTX>(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  SSL_CTX* context = out.context_.get();
  if (context == nullptr) return Error{.what = "OpenSSL cannot start: " + openssl_reason()};
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_RELEASE_BUFFERS);
  // A peer that closes without close_notify: HTTP's own lengths tell whether something is missing.
  SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
  constexpr unsigned char kHttp11[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  SSL_CTX_set_alpn_protos(context, kHttp11, sizeof kHttp11);
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
  if (settings.check == ServerCheck::skip) {
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
  } else {
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    if (settings.ca_pem.empty()) {
      settings.ca_origin = trust_system(context);
    } else {
      TRY(trust_pem(context, settings));
    }
  }
  if (!settings.certificate_pem.empty()) TRY(use_key_pair(context, settings));
  out.settings_ = std::move(settings);
  return out;
}

std::optional<TimePoint> certificate_end(const X509* certificate) {
  std::tm parts{};
  if (certificate == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts) != 1)
    return std::nullopt;
  return std::chrono::time_point_cast<Duration>(
      std::chrono::system_clock::from_time_t(::timegm(&parts)));
}

std::optional<TimePoint> certificate_end(const std::string& pem) {
  BioHandle bio = memory(pem);
  X509Handle certificate = next_certificate(bio.get());
  ERR_clear_error();
  return certificate_end(certificate.get());
}

}  // namespace catflap::kube
