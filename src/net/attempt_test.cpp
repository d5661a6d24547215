#include "net/attempt.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <vector>

namespace catflap::net {
namespace {

using End = Attempt::End;
using Attempts = std::vector<Attempt>;

Attempt refused(Speak speak) {
  return {.speak = speak,
          .failure = {Outcome::refused, "Connection refused"},
          .detail = "Connection refused"};
}
Attempt mute(Speak speak, End end) {
  return {.speak = speak, .end = end, .detail = "…"};
}
Attempt http(Speak speak, int status, Identity identity) {
  Attempt attempt{.speak = speak,
                  .end = End::answered,
                  .detail = "HTTP",
                  .bytes = 100,
                  .identity = identity,
                  .http_status = status};
  if (speak != Speak::plain) attempt.tls = TlsFacts{.version = "TLSv1.3"};
  return attempt;
}
Attempt asked(Attempt attempt) {
  attempt.certificate_asked = true;
  return attempt;
}
Attempt alert(Speak speak) {
  return {.speak = speak,
          .end = End::tls_failed,
          .detail = "alert",
          .bytes = 7,
          .tls = TlsFacts{.version = "TLSv1.3"}};
}
Attempt shown(Attempt attempt) {
  attempt.certificate_asked = attempt.certificate_shown = true;
  return attempt;
}
Attempt certificate_alert(Speak speak) {
  Attempt attempt = asked(alert(speak));
  attempt.certificate_refused = true;
  attempt.certificate_shown = speak == Speak::tls_with_certificate;
  return attempt;
}
Attempt partial(Speak speak, End end) {
  Attempt attempt = http(speak, 200, Identity::unidentified);
  attempt.end = end;
  return attempt;
}

/// "open unidentified 0 demanded refused, next none"
std::string dump(const Attempts& attempts) {
  const Reach reach = fold(attempts);
  const auto next = next_attempt(attempts);
  const char* name = "none";
  if (next == Speak::plain) name = "plain";
  if (next == Speak::tls_with_certificate) name = "certificate";
  if (next == Speak::tls_with_token || next == Speak::plain_with_token) name = "token";
  return fmt::format("{} {} {} {} {}, next {}", to_string(reach.outcome), to_string(reach.identity),
                     reach.http_status, to_string(reach.client_cert), to_string(reach.throwaway),
                     name);
}

constexpr auto kTls = Speak::tls;
constexpr auto kPlain = Speak::plain;
constexpr auto kShown = Speak::tls_with_certificate;
constexpr auto kToken = Speak::tls_with_token;
constexpr auto kPlainToken = Speak::plain_with_token;

TEST(Attempt, TableOfVisits) {
  const Attempt bad_request = [] {
    Attempt attempt{.speak = kTls,
                    .end = End::not_tls,
                    .detail = "not TLS",
                    .bytes = 50,
                    .excerpt = "HTTP/1.1 400"};
    return attempt;
  }();
  const struct {
    const char* visit;
    Attempts attempts;
    std::string_view expected;
  } rows[] = {
      {"refused", {refused(kTls)}, "refused none 0 none not-tried, next none"},
      {"control",
       {{.speak = Speak::nothing, .end = End::connected}},
       "open none 0 none not-tried, next none"},
      {"silent", {mute(kTls, End::timed_out)}, "open unidentified 0 none not-tried, next none"},
      {"closes at once",
       {mute(kTls, End::closed)},
       "reset unidentified 0 none not-tried, next plain"},
      {"closes twice",
       {mute(kTls, End::closed), mute(kPlain, End::reset)},
       "reset unidentified 0 none not-tried, next none"},
      {"closes, then refuses",
       {mute(kTls, End::closed), refused(kPlain)},
       "reset unidentified 0 none not-tried, next none"},
      {"closes, then is silent",
       {mute(kTls, End::closed), mute(kPlain, End::timed_out)},
       "open unidentified 0 none not-tried, next none"},
      {"plain Felix", {bad_request}, "open unidentified 0 none not-tried, next plain"},
      {"plain Felix read",
       {bad_request, http(kPlain, 200, Identity::felix)},
       "open felix 200 none not-tried, next none"},
      {"plain, then refused",
       {bad_request, refused(kPlain)},
       "open unidentified 0 none not-tried, next none"},
      {"TLS Felix", {http(kTls, 200, Identity::felix)}, "open felix 200 none not-tried, next none"},
      {"TLS Felix asks in vain",
       {asked(http(kTls, 200, Identity::felix))},
       "open felix 200 requested not-tried, next none"},
      {"TLS refused for other reasons",
       {alert(kTls)},
       "open unidentified 0 none not-tried, next none"},
      {"asks, fails for other reasons",
       {asked(alert(kTls))},
       "open unidentified 0 requested not-tried, next certificate"},
      {"demands",
       {certificate_alert(kTls)},
       "open unidentified 0 demanded not-tried, next certificate"},
      {"demands, refuses",
       {certificate_alert(kTls), certificate_alert(kShown)},
       "open unidentified 0 demanded refused, next none"},
      {"demands, lets in",
       {certificate_alert(kTls), http(kShown, 200, Identity::felix)},
       "open felix 200 demanded accepted, next none"},
      {"demands, lets in to something else",
       {certificate_alert(kTls), http(kShown, 200, Identity::other)},
       "open other 200 demanded accepted, next none"},
      {"demands, then is silent",
       {certificate_alert(kTls), mute(kShown, End::timed_out)},
       "open unidentified 0 demanded not-tried, next none"},
      {"demands, then resets",
       {certificate_alert(kTls), mute(kShown, End::reset)},
       "open unidentified 0 demanded not-tried, next none"},
      {"demands, then is gone",
       {certificate_alert(kTls), refused(kShown)},
       "open unidentified 0 demanded not-tried, next none"},
      {"demands, then another alert",
       {certificate_alert(kTls), asked(alert(kShown))},
       "open unidentified 0 demanded not-tried, next none"},
      {"demands, then 500",
       {certificate_alert(kTls), asked(http(kShown, 500, Identity::unidentified))},
       "open unidentified 0 demanded not-tried, next none"},
      {"asks and hangs up",
       {asked(partial(kTls, End::closed))},
       "open unidentified 200 requested not-tried, next none"},
      {"nginx 400",
       {asked(http(kTls, 400, Identity::unidentified))},
       "open unidentified 400 demanded not-tried, next certificate"},
      {"nginx 400 twice",
       {asked(http(kTls, 400, Identity::unidentified)),
        shown(http(kShown, 400, Identity::unidentified))},
       "open unidentified 400 demanded refused, next none"},
      {"demands, takes other keys only",
       {certificate_alert(kTls), asked(alert(kShown))},
       "open unidentified 0 demanded not-tried, next none"},
      {"demands, and ours could not be shown",
       {certificate_alert(kTls),
        [] {
          Attempt attempt = certificate_alert(kShown);
          attempt.certificate_shown = false;
          return attempt;
        }()},
       "open unidentified 0 demanded not-tried, next none"},
      {"400 without asking",
       {http(kTls, 400, Identity::unidentified)},
       "open unidentified 400 none not-tried, next none"},
      {"token",
       {http(kTls, 401, Identity::unidentified)},
       "open unidentified 401 none not-tried, next token"},
      {"token refused",
       {http(kTls, 401, Identity::unidentified), http(kToken, 403, Identity::unidentified)},
       "open unidentified 401 none refused, next none"},
      {"any token",
       {http(kTls, 401, Identity::unidentified), http(kToken, 200, Identity::felix)},
       "open felix 200 none accepted, next none"},
      {"token, then 500",
       {http(kTls, 401, Identity::unidentified), http(kToken, 500, Identity::unidentified)},
       "open unidentified 401 none not-tried, next none"},
      {"token, then silent",
       {http(kTls, 401, Identity::unidentified), mute(kToken, End::timed_out)},
       "open unidentified 401 none not-tried, next none"},
      {"token, then gone",
       {http(kTls, 401, Identity::unidentified), refused(kToken)},
       "open unidentified 401 none not-tried, next none"},
      {"plain token",
       {bad_request, http(kPlain, 401, Identity::unidentified)},
       "open unidentified 401 none not-tried, next token"},
      {"plain token refused",
       {bad_request, http(kPlain, 403, Identity::unidentified),
        http(kPlainToken, 401, Identity::unidentified)},
       "open unidentified 403 none refused, next none"},
      {"plain, any token",
       {bad_request, http(kPlain, 401, Identity::unidentified),
        http(kPlainToken, 200, Identity::felix)},
       "open felix 200 none accepted, next none"},
      {"asks for both",
       {asked(http(kTls, 401, Identity::unidentified))},
       "open unidentified 401 requested not-tried, next certificate"},
      {"asks for both, refuses the first",
       {asked(http(kTls, 401, Identity::unidentified)),
        shown(http(kShown, 401, Identity::unidentified))},
       "open unidentified 401 requested not-tried, next token"},
      {"asks for both, refuses both",
       {asked(http(kTls, 401, Identity::unidentified)),
        shown(http(kShown, 401, Identity::unidentified)),
        asked(http(kToken, 401, Identity::unidentified))},
       "open unidentified 401 requested refused, next none"},
      {"asks for both, takes any certificate",
       {asked(http(kTls, 401, Identity::unidentified)), shown(http(kShown, 200, Identity::felix))},
       "open felix 200 requested accepted, next none"},
      {"asks for both, takes any token",
       {asked(http(kTls, 401, Identity::unidentified)),
        shown(http(kShown, 401, Identity::unidentified)), http(kToken, 200, Identity::felix)},
       "open felix 200 requested accepted, next none"},
      {"asks for both, silent for the first",
       {asked(http(kTls, 401, Identity::unidentified)), mute(kShown, End::timed_out),
        http(kToken, 401, Identity::unidentified)},
       "open unidentified 401 requested not-tried, next none"},
      {"asks, 404",
       {asked(http(kTls, 404, Identity::other))},
       "open other 404 requested not-tried, next certificate"},
      {"TLS cut", {partial(kTls, End::cut)}, "open unidentified 200 none not-tried, next none"},
      {"TLS slow",
       {asked(partial(kTls, End::timed_out))},
       "open unidentified 200 requested not-tried, next none"},
      {"abandoned", {mute(kTls, End::abandoned)}, "error unidentified 0 none not-tried, next none"},
  };
  for (const auto& row : rows) EXPECT_EQ(dump(row.attempts), row.expected) << row.visit;
}

TEST(Attempt, AVisitSaysWhatEachConnectionSaid) {
  Attempt first = certificate_alert(kTls);
  first.detail = "TLS alert: certificate required";
  Attempt second = certificate_alert(kShown);
  second.detail = "TLS alert: unknown CA";
  const Reach reach = fold(Attempts{first, second});
  EXPECT_EQ(
      reach.detail,
      "TLS alert: certificate required; with a throw-away certificate: TLS alert: unknown CA");
  EXPECT_EQ(reach.bytes, 14u);
  EXPECT_EQ(fold(Attempts{refused(kTls)}).detail, "Connection refused");
}

}  // namespace
}  // namespace catflap::net
