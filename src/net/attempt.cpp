#include "net/attempt.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.hpp"

namespace catflap::net {
namespace {

using End = Attempt::End;

bool is_success(int status) {
  return status / 100 == 2;
}

/// An answer that says: not without a (better) token.
bool wants_token(const Attempt& attempt) {
  return attempt.end == End::answered && (attempt.http_status == 401 || attempt.http_status == 403);
}

/// 400 is nginx's word for a missing or bad client certificate after a complete handshake; 495 and
/// 496 are its internal ones.
bool blames_certificate(const Attempt& attempt) {
  const int status = attempt.http_status;
  return attempt.end == End::answered && attempt.certificate_asked &&
         (status == 400 || status == 495 || status == 496);
}

bool wants_certificate(const Attempt& attempt) {
  return attempt.certificate_asked && attempt.identity != Identity::felix &&
         attempt.end != End::timed_out && !is_success(attempt.http_status);
}

bool shows_credential(const Attempt& attempt) {
  return attempt.speak == Speak::tls_with_certificate || attempt.speak == Speak::tls_with_token ||
         attempt.speak == Speak::plain_with_token;
}

bool let_in(const Attempt& attempt) {
  return attempt.identity == Identity::felix || is_success(attempt.http_status);
}

/// Only if it said so: a time-out or a hang-up is no answer to a credential, and "protected" rests
/// on this.
bool turned_away(const Attempt& attempt) {
  if (attempt.speak != Speak::tls_with_certificate) return wants_token(attempt);
  return attempt.certificate_shown &&
         (attempt.certificate_refused || blames_certificate(attempt) || wants_token(attempt));
}

/// Of all the credentials that the endpoint asked for.
ThrowawayResult throwaway_result(std::span<const Attempt> attempts) {
  bool tried = false;
  bool refused = true;
  for (const Attempt& attempt : attempts) {
    if (!shows_credential(attempt)) continue;
    if (let_in(attempt)) return ThrowawayResult::accepted;
    tried = true;
    refused = refused && turned_away(attempt);
  }
  // One that is still to come (its time was over) might have got in.
  const bool all_tried = tried && !next_attempt(attempts);
  return all_tried && refused ? ThrowawayResult::refused : ThrowawayResult::not_tried;
}

ClientCertAsk certificate_ask(const Attempt& first) {
  if (!first.certificate_asked) return ClientCertAsk::none;
  const bool demanded = first.certificate_refused || blames_certificate(first);
  return demanded ? ClientCertAsk::demanded : ClientCertAsk::requested;
}

/// Of a visit whose first connection was opened. A port that took one connection is never called
/// refused or timed out because a later one failed: something listened.
Outcome outcome_of_opened(std::span<const Attempt> attempts) {
  if (attempts.back().end == End::abandoned) return Outcome::error;
  const bool mute = std::all_of(attempts.begin(), attempts.end(), [](const Attempt& attempt) {
    const bool hung_up = attempt.end == End::closed || attempt.end == End::reset;
    return attempt.bytes == 0 && (hung_up || !attempt.opened());
  });
  return mute ? Outcome::reset : Outcome::open;
}

std::string describe(std::span<const Attempt> attempts) {
  std::string text;
  for (const Attempt& attempt : attempts) {
    const char* label = "";
    if (attempt.speak == Speak::plain) label = "in plain text: ";
    if (attempt.speak == Speak::tls_with_certificate) label = "with a throw-away certificate: ";
    if (attempt.speak == Speak::tls_with_token || attempt.speak == Speak::plain_with_token)
      label = "with a throw-away token: ";
    text += fmt::format("{}{}{}", text.empty() ? "" : "; ", label, attempt.detail);
  }
  return text;
}

}  // namespace

std::optional<Speak> next_attempt(std::span<const Attempt> attempts) {
  CHECK(!attempts.empty(), "next_attempt before the first one");
  const Attempt& first = attempts.front();
  const Attempt& last = attempts.back();
  if (!last.opened() || last.end == End::abandoned) return std::nullopt;
  switch (last.speak) {
    case Speak::tls:
      // Silence is no sign of plain HTTP. Felix's Go server answers a ClientHello with 400 at once,
      // for it sees a line: a line feed stands in every hello (0x000a is supported_groups).
      if (!last.tls) return last.end == End::timed_out ? std::nullopt : std::optional(Speak::plain);
      if (wants_certificate(last)) return Speak::tls_with_certificate;
      if (wants_token(last)) return Speak::tls_with_token;
      return std::nullopt;
    case Speak::tls_with_certificate:
      if (!let_in(last) && wants_token(first)) return Speak::tls_with_token;
      return std::nullopt;
    case Speak::plain:
      if (wants_token(last)) return Speak::plain_with_token;
      return std::nullopt;
    case Speak::nothing:
    case Speak::tls_with_token:
    case Speak::plain_with_token:
      return std::nullopt;
  }
  return std::nullopt;
}

bool plain_says_all(const Attempt& first) {
  // Silence does too: it has used up the visit's time.
  return !first.opened() || first.end == End::timed_out || first.end == End::abandoned ||
         (first.end == End::answered && is_success(first.http_status));
}

Reach fold(std::span<const Attempt> attempts) {
  CHECK(!attempts.empty(), "a visit without an attempt");
  const Attempt& first = attempts.front();
  Reach reach;
  reach.detail = describe(attempts);
  for (const Attempt& attempt : attempts) reach.bytes += attempt.bytes;
  if (!first.opened()) {
    reach.outcome = first.failure.outcome;
    return reach;
  }
  reach.outcome = outcome_of_opened(attempts);
  reach.phases = first.phases;
  if (first.speak == Speak::nothing) return reach;

  reach.throwaway = throwaway_result(attempts);
  reach.client_cert = certificate_ask(first);

  const Attempt* telling = &first;
  for (const Attempt& attempt : attempts) {
    const bool tells = shows_credential(attempt)
                           ? let_in(attempt)
                           : attempt.speak == Speak::plain && attempt.bytes > 0;
    if (tells) telling = &attempt;
  }
  reach.tls = telling->tls;
  // It took the connection, so "nobody answered" would be wrong whatever came of it.
  reach.identity = telling->identity == Identity::none ? Identity::unidentified : telling->identity;
  reach.felix_host = telling->felix_host;
  reach.http_status = telling->http_status;
  reach.excerpt = telling->excerpt;
  reach.product = telling->product;
  reach.product_mark = telling->product_mark;
  reach.phases = telling->phases;
  return reach;
}

}  // namespace catflap::net
