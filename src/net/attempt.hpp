// A visit of one target is a few connections ("attempts"), one after another. Whether another comes
// and which, and what all together say, is decided here and nowhere else, without any I/O.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "core/model/observation.hpp"
#include "net/tcp_connect.hpp"

namespace catflap::net {

enum class Speak {
  nothing,  // a control: connect and hang up
  tls,
  plain,
  tls_with_certificate,  // shows the throw-away certificate when asked
  tls_with_token,        // sends the throw-away bearer token
  plain_with_token,
};

/// One connection, when it is over.
struct Attempt {
  enum class End {
    not_opened,
    connected,  // nothing was to be said
    answered,   // HTTP, complete, or felix_host seen
    closed,     // the other end hung up before that
    reset,
    timed_out,   // after it had been opened
    cut,         // the bound on bytes was reached
    not_tls,     // bytes came that no TLS server sends
    tls_failed,  // an alert, or TLS that breaks the rules
    not_http,
    abandoned,  // by us
  };
  Speak speak = Speak::nothing;
  End end = End::not_opened;
  ConnectFailure failure;  // if not opened
  std::string detail;
  std::uint64_t bytes = 0;      // received
  std::optional<TlsFacts> tls;  // the other end spoke TLS
  bool certificate_asked = false;
  bool certificate_shown = false;    // the throw-away one
  bool certificate_refused = false;  // it or its absence, by an alert that says so
  Identity identity = Identity::none;
  std::string felix_host;
  Product product = Product::unknown;
  std::string product_mark;
  int http_status = 0;
  std::string excerpt;
  PhaseTimes phases;

  [[nodiscard]] bool opened() const { return end != End::not_opened; }
};

/// What to try after these attempts (in order, at least one); none if the visit is over.
[[nodiscard]] std::optional<Speak> next_attempt(std::span<const Attempt> attempts);

/// A visit may begin in plain text where others at the same port were answered so: whether this
/// first attempt says all there is to say. If not, the visit begins anew with TLS, and nothing is
/// made of it.
[[nodiscard]] bool plain_says_all(const Attempt& first);

/// The attempts of one visit (at least one) as one record. Vantage, node, endpoint and times are
/// the caller's to fill in.
[[nodiscard]] Reach fold(std::span<const Attempt> attempts);

}  // namespace catflap::net
