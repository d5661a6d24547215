// What the API server says of a pod's port that it could not talk to, as an observation. The words
// are Go's (net, net/http, crypto/tls), behind "error trying to reach service: "; those in the
// tests were recorded from kube-apiserver 1.33.
//
// A refusal told by somebody else is weaker than one seen: Go's "connection refused" is the same
// for a reset and for a firewall's ICMP port-unreachable (measured, nft `reject`).
#pragma once

#include <string_view>

#include "core/model/observation.hpp"

namespace catflap::look {

struct ProxyWords {
  Outcome outcome = Outcome::error;
  bool not_tls = false;         // the port answers, and not to a TLS hello
  bool certificate = false;     // TLS, and a client certificate is demanded
  std::string_view alert = {};  // the TLS alert that ended it, a part of `words`
};

/// Words about any other address than `asked` (a proxy of the API server's own, say) are an error.
[[nodiscard]] ProxyWords read_proxy_words(std::string_view words, const HostPort& asked);

}  // namespace catflap::look
