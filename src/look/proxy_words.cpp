#include "look/proxy_words.hpp"

namespace catflap::look {
namespace {

bool has(std::string_view words, std::string_view part) {
  return words.find(part) != std::string_view::npos;
}

/// "dial tcp ADDRESS: WHY": nobody was connected.
ProxyWords read_dial(std::string_view rest, const HostPort& asked) {
  const auto end = rest.find(": ");
  if (end == std::string_view::npos || HostPort::parse(rest.substr(0, end)) != asked) return {};
  const auto why = rest.substr(end + 2);
  if (why == "connect: connection refused") return {.outcome = Outcome::refused};
  if (why == "i/o timeout" || why == "connect: connection timed out")
    return {.outcome = Outcome::timeout};
  // "permission denied" is IPv6's administratively prohibited; IPv4's reads "no route to host",
  // like a node that is off.
  if (why == "connect: permission denied") return {.outcome = Outcome::rejected};
  if (why == "connect: no route to host" || why == "connect: network is unreachable" ||
      why == "connect: host is down")
    return {.outcome = Outcome::unreachable};
  return {};
}

/// "remote error: tls: NAME". A TLS 1.2 server of OpenSSL's says "handshake failure" for a missing
/// certificate, and for much else.
ProxyWords read_alert(std::string_view name) {
  return {.outcome = Outcome::open,
          .certificate = name == "certificate required" || name == "bad certificate",
          .alert = name};
}

}  // namespace

ProxyWords read_proxy_words(std::string_view words, const HostPort& asked) {
  constexpr std::string_view kDial = "dial tcp ";
  constexpr std::string_view kAlert = "remote error: tls: ";
  if (words.starts_with(kDial)) return read_dial(words.substr(kDial.size()), asked);
  if (words.starts_with(kAlert)) return read_alert(words.substr(kAlert.size()));
  if (has(words, "first record does not look like a TLS handshake") ||
      has(words, "server gave HTTP response to HTTPS client"))
    return {.outcome = Outcome::open, .not_tls = true};
  if (words == "EOF" || words == "unexpected EOF" || words.ends_with("connection reset by peer") ||
      words.ends_with("broken pipe") || has(words, "server closed idle connection"))
    return {.outcome = Outcome::reset};
  // Something took the connection and said what is neither HTTP nor TLS, or nothing.
  if (has(words, "malformed HTTP") || words.starts_with("tls: ") ||
      has(words, "TLS handshake timeout") || has(words, "timeout awaiting response headers"))
    return {.outcome = Outcome::open};
  return {};
}

}  // namespace catflap::look
