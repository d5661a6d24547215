#include "kube/status.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace catflap::kube {
namespace {

using ::testing::HasSubstr;

std::string status_json(const std::string& message, const std::string& reason, int code) {
  return fmt::format(
      R"({{"kind":"Status","status":"Failure","message":"{}","reason":"{}","code":{}}})", message,
      reason, code);
}

TEST(Status, EachAnswerHasItsKindAndHint) {
  struct Row {
    int status;
    std::string body;
    ErrorKind kind;
    const char* what;
    const char* hint;
  };
  const std::vector<Row> rows{
      {401, status_json("Unauthorized", "Unauthorized", 401), ErrorKind::unauthenticated,
       "Unauthorized", "log in"},
      {403,
       status_json("no: User \\\"b\\\" cannot list resource \\\"daemonsets\\\" in API group "
                   "\\\"apps\\\" in the "
                   "namespace \\\"kube-system\\\"",
                   "Forbidden", 403),
       ErrorKind::not_permitted, "cannot list",
       "kubectl auth can-i list daemonsets.apps -n kube-system"},
      {403,
       status_json("User \\\"b\\\" cannot create resource \\\"pods/exec\\\" in API group \\\"\\\" "
                   "at the cluster "
                   "scope",
                   "Forbidden", 403),
       ErrorKind::not_permitted, "cannot create", "can-i create pods --subresource=exec -A"},
      {403, status_json("User \\\"b\\\" cannot get path \\\"/metrics\\\"", "Forbidden", 403),
       ErrorKind::not_permitted, "path", "the right to get /metrics"},
      {403, status_json("admission webhook \\\"x\\\" denied the request: no", "Forbidden", 403),
       ErrorKind::not_permitted, "webhook", "not for a missing right"},
      {404, "404 page not found\n", ErrorKind::not_found, "HTTP 404: 404 page not found",
       "check the name"},
      {404, "", ErrorKind::not_found, "the server answered HTTP 404", "check the name"},
      {409, status_json("modified", "Conflict", 409), ErrorKind::conflict, "modified",
       "look again"},
      {415, "", ErrorKind::unsupported, "415", ""},
      {422, status_json("bad", "Invalid", 422), ErrorKind::internal, "bad", ""},
      {429, "Too many requests, please try again later.\n", ErrorKind::overloaded,
       "HTTP 429: Too many requests, please try again later.", "later"},
      {500, status_json("etcd timed out", "ServerTimeout", 500), ErrorKind::timed_out, "etcd", ""},
      {500, "<html>\x1b[2J", ErrorKind::internal, "HTTP 500: <html>\\x1b[2J", ""},
      {502, "", ErrorKind::unreachable, "502", "not ready"},
      {503, status_json("starting", "ServiceUnavailable", 503), ErrorKind::unreachable, "starting",
       "not ready"},
      {504, status_json("slow", "Timeout", 504), ErrorKind::timed_out, "slow", "not ready"},
      {302, "", ErrorKind::unsupported, "302", "redirects"},
      {400, "Client sent an HTTP request to an HTTPS server.\n", ErrorKind::unreachable,
       "speaks HTTPS", "https://"},
  };
  for (const Row& row : rows) {
    Error error = error_of({.status = row.status, .body = row.body, .subject = "x"});
    EXPECT_EQ(error.kind, row.kind) << row.status << " " << row.body;
    EXPECT_THAT(error.what, HasSubstr(row.what));
    EXPECT_THAT(error.hint, HasSubstr(row.hint)) << row.status;
    EXPECT_EQ(error.system_code, row.status);
    EXPECT_EQ(error.subject, "x");
  }
}

TEST(Status, AHugeMessageIsCut) {
  Error error = error_of(
      {.status = 500, .body = status_json(std::string(60'000, 'x'), "", 500), .subject = ""});
  EXPECT_LT(error.what.size(), 1100u);
}

TEST(Status, RightsThatAreNotThereAreNotInvented) {
  for (const char* message :
       {"", "cannot", "User cannot list resource \"", "x cannot be y resource \"a\"",
        "Pod is forbidden: violates PodSecurity"}) {
    EXPECT_FALSE(parse_missing_right(message)) << message;
  }
}

TEST(Status, HttpDates) {
  auto date = parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT");
  ASSERT_TRUE(date);
  EXPECT_EQ(to_rfc3339(*date), "1994-11-06T08:49:37.000Z");
  for (const char* text : {"", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 31 Feb 1994 08:49:37 GMT",
                           "Sun, 06 Nox 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT",
                           "Sun, 06 Nov 1994 08:49:3x GMT"}) {
    EXPECT_FALSE(parse_http_date(text)) << text;
  }
}

TEST(Status, RetryAfter) {
  TimePoint now = *parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(parse_retry_after("2", now), Duration{2000});
  EXPECT_EQ(parse_retry_after("0", now), Duration{0});
  EXPECT_EQ(parse_retry_after("999999", now), Duration{3'600'000});
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:47 GMT", now), Duration{10'000});
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:40:00 GMT", now), Duration{0});
  EXPECT_EQ(parse_retry_after("-1", now), std::nullopt);
  EXPECT_EQ(parse_retry_after("soon", now), std::nullopt);
  EXPECT_EQ(parse_retry_after("", now), std::nullopt);
}

}  // namespace
}  // namespace catflap::kube
