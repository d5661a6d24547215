// The embedded API server's own certificate authority, made for one run and kept in memory.
#pragma once

#include <string>

#include "base/clock.hpp"
#include "base/openssl_handles.hpp"
#include "base/result.hpp"

namespace catflap::sim {

struct ServerCertificate {
  std::string ca_pem;  // what clients trust
  X509Handle leaf;
  KeyHandle key;
};

/// ECDSA P-256, for 127.0.0.1, ::1 and localhost, valid from a day before `now` to a year after.
/// The CA's key is forgotten. Fails only if OpenSSL does: `internal`.
[[nodiscard]] Result<ServerCertificate> make_server_certificate(TimePoint now);

/// 32 random hexadecimal digits, for a bearer token; `internal` if OpenSSL has none.
[[nodiscard]] Result<std::string> make_token();
/// A random UUID, for an Audit-Id.
[[nodiscard]] std::string make_uuid();

}  // namespace catflap::sim
