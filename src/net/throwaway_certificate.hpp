// A client certificate that nobody can have trusted: whoever lets it in lets everybody in.
// (Felix's RequireAnyClientCert does, and looks protected to a probe that shows no certificate.)
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "net/openssl_handles.hpp"

namespace catflap::net {

struct Certificate {
  X509Handle leaf;
  KeyHandle key;
};

/// Self-signed ECDSA P-256, CN=catflap-throwaway, for client authentication, valid from an hour
/// before `now` (clocks differ) to an hour after. The key is never written anywhere. Fails only if
/// OpenSSL does: `internal`.
[[nodiscard]] Result<Certificate> make_throwaway_certificate(TimePoint now);

}  // namespace catflap::net
