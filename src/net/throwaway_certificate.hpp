// Credentials that nobody can have trusted: whoever lets them in lets everybody in.
// (Felix's RequireAnyClientCert does, and looks protected to a probe that shows no certificate.)
#pragma once

#include <string>

#include "base/clock.hpp"
#include "base/openssl_handles.hpp"
#include "base/result.hpp"

namespace catflap::net {

struct Certificate {
  X509Handle leaf;
  KeyHandle key;
};

/// Self-signed ECDSA P-256, CN=catflap-throwaway, for client authentication, valid from ten years
/// before `now` (clocks differ) to ten years after. The key is never written anywhere. Fails only
/// if OpenSSL does: `internal`.
[[nodiscard]] Result<Certificate> make_throwaway_certificate(TimePoint now);

/// 32 random hexadecimal digits, for a bearer token.
[[nodiscard]] Result<std::string> make_throwaway_token();

}  // namespace catflap::net
