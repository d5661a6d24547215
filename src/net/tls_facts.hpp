// What a certificate and an alert say, in words for the record.
#pragma once

#include <openssl/ssl.h>

#include <string>

#include "core/model/observation.hpp"

namespace catflap::net {

/// Version, cipher and the leaf certificate, as far as the handshake got; the alert is left empty.
/// No certificate is verified: Felix's is self-signed, and this only records who answered.
[[nodiscard]] TlsFacts read_tls_facts(SSL* ssl);

/// The certificate's part of it. Whatever stands in it, names are printable, at most 16, and cut.
[[nodiscard]] TlsFacts read_certificate(X509* leaf);

/// The name in RFC 8446 section 6, e.g. 116 is "certificate required"; "alert 200" for one without
/// a name.
[[nodiscard]] std::string alert_name(int alert);

/// The alert says that the client's certificate, or its absence, is not good enough because of who
/// it is, not because of its form or date.
[[nodiscard]] bool refuses_certificate(int alert);

}  // namespace catflap::net
