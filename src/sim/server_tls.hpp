// A certificate for the servers of the embedded cluster, made when they start.
#pragma once

#include <openssl/ssl.h>

#include <string_view>

#include "base/clock.hpp"
#include "base/handle.hpp"
#include "base/result.hpp"

namespace catflap::sim {

struct FreeX509 {
  using Type = X509*;
  static Type none() { return nullptr; }
  static void close(Type object) { X509_free(object); }
};
struct FreeKey {
  using Type = EVP_PKEY*;
  static Type none() { return nullptr; }
  static void close(Type object) { EVP_PKEY_free(object); }
};

struct ServerCertificate {
  UniqueHandle<FreeX509> certificate;
  UniqueHandle<FreeKey> key;
};

/// Self-signed, and a CA: those who ask for a client certificate trust only what it signed, which
/// is nothing. internal: OpenSSL failed.
[[nodiscard]] Result<ServerCertificate> make_server_certificate(TimePoint now);

/// Sets up a server's context as servers of that kind do; false: OpenSSL refused.
[[nodiscard]] bool set_up_tls(SSL_CTX* context, const ServerCertificate& certificate,
                              std::string_view kind);

}  // namespace catflap::sim
