// A certificate for the servers of the embedded cluster, made when they start.
#pragma once

#include <string_view>

#include "base/clock.hpp"
#include "base/openssl_handles.hpp"
#include "base/result.hpp"

namespace catflap::sim {

struct MetricsCertificate {
  X509Handle certificate;
  KeyHandle key;
};

/// Self-signed, and a CA: those who ask for a client certificate trust only what it signed, which
/// is nothing. internal: OpenSSL failed.
[[nodiscard]] Result<MetricsCertificate> make_metrics_certificate(TimePoint now);

/// Sets up a server's context as servers of that kind do; false: OpenSSL refused.
[[nodiscard]] bool set_up_tls(SSL_CTX* context, const MetricsCertificate& certificate,
                              std::string_view kind);

}  // namespace catflap::sim
