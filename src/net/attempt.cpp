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

/// An answer that says: not without a (better) credential.
/// 400 is nginx's word for a missing or bad client certificate after a complete handshake; 495 and
/// 496 are its internal ones.
bool refuses_by_status(const Attempt& attempt) {
  const int status = attempt.http_status;
  if (attempt.end != End::answered) return false;
  if (status == 401 || status == 403 || status == 407) return true;
  return attempt.certificate_asked && (status == 400 || status == 495 || status == 496);
}

bool wants_credential(const Attempt& attempt) {
  if (attempt.identity == Identity::felix || attempt.end == End::timed_out) return false;
  if (refuses_by_status(attempt)) return true;
  return attempt.certificate_asked && !is_success(attempt.http_status);
}

const Attempt* find(std::span<const Attempt> attempts, Speak speak) {
  const auto found = std::find_if(attempts.begin(), attempts.end(),
                                  [&](const Attempt& attempt) { return attempt.speak == speak; });
  return found == attempts.end() ? nullptr : &*found;
}

/// Refused only if it said so: a time-out or a hang-up is no answer to a credential, and
/// "protected" rests on this.
ThrowawayResult throwaway_result(const Attempt* attempt) {
  if (attempt == nullptr) return ThrowawayResult::not_tried;
  if (attempt->identity == Identity::felix || is_success(attempt->http_status))
    return ThrowawayResult::accepted;
  const bool refused =
      (attempt->certificate_asked && attempt->certificate_refused) || refuses_by_status(*attempt);
  return refused ? ThrowawayResult::refused : ThrowawayResult::not_tried;
}

ClientCertAsk certificate_ask(const Attempt& first) {
  if (!first.certificate_asked) return ClientCertAsk::none;
  const bool by_certificate =
      first.http_status == 400 || first.http_status == 495 || first.http_status == 496;
  const bool demanded = first.certificate_refused || (first.end == End::answered && by_certificate);
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
    if (attempt.speak == Speak::tls_with_throwaway) label = "with a throw-away certificate: ";
    text += fmt::format("{}{}{}", text.empty() ? "" : "; ", label, attempt.detail);
  }
  return text;
}

}  // namespace

std::optional<Speak> next_attempt(std::span<const Attempt> attempts) {
  CHECK(!attempts.empty(), "next_attempt before the first one");
  const Attempt& last = attempts.back();
  if (last.speak != Speak::tls || !last.opened() || last.end == End::abandoned) return std::nullopt;
  if (!last.tls) {
    // Silence is no sign of plain HTTP: Felix's Go server answers a ClientHello with 400 at once.
    if (last.end == End::timed_out) return std::nullopt;
    return Speak::plain;
  }
  if (wants_credential(last)) return Speak::tls_with_throwaway;
  return std::nullopt;
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
  if (first.speak == Speak::nothing) return reach;

  const Attempt* throwaway = find(attempts, Speak::tls_with_throwaway);
  const Attempt* plain = find(attempts, Speak::plain);
  reach.throwaway = throwaway_result(throwaway);
  reach.client_cert = certificate_ask(first);

  const Attempt* telling = &first;
  if (plain != nullptr && plain->bytes > 0) telling = plain;
  if (reach.throwaway == ThrowawayResult::accepted) telling = throwaway;
  reach.tls = telling->tls;
  // It took the connection, so "nobody answered" would be wrong whatever came of it.
  reach.identity = telling->identity == Identity::none ? Identity::unidentified : telling->identity;
  reach.felix_host = telling->felix_host;
  reach.http_status = telling->http_status;
  reach.excerpt = telling->excerpt;
  return reach;
}

}  // namespace catflap::net
