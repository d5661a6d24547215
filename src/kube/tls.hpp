// TlsContext: whom to trust and which client certificate to show, as one OpenSSL SSL_CTX.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "kube/client_config.hpp"

struct ssl_ctx_st;
struct x509_st;

namespace catflap::kube {

struct TlsSettings {
  ServerCheck check = ServerCheck::verify;
  std::string ca_pem;     // empty: the system's roots
  std::string ca_origin;  // for errors
  std::string certificate_pem;
  Secret key_pem;
  std::string certificate_origin;  // for errors: "client-certificate of user "admin" (/path)"
};

class TlsContext {
 public:
  /// usage, naming the origin, if a PEM does not parse or key and certificate do not match. TLS 1.2
  /// or later; every certificate in ca_pem is an anchor, also an intermediate one, as in Go.
  [[nodiscard]] static Result<TlsContext> make(TlsSettings settings);

  [[nodiscard]] ssl_ctx_st* get() const { return context_.get(); }
  [[nodiscard]] const TlsSettings& settings() const { return settings_; }

 private:
  TlsSettings settings_;
  std::shared_ptr<ssl_ctx_st> context_;
};

/// The end of validity of the first certificate of a PEM; nullopt if it does not parse.
[[nodiscard]] std::optional<TimePoint> certificate_end(const std::string& pem);
/// The same of a certificate that OpenSSL holds; nullopt if there is none.
[[nodiscard]] std::optional<TimePoint> certificate_end(const x509_st* certificate);

}  // namespace catflap::kube
