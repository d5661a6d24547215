#include "kube/call.hpp"

#include <gtest/gtest.h>

namespace catflap::kube {
namespace {

using Sent = Failure::Sent;
using Connection = Failure::Connection;

Failure status(int code, std::optional<Duration> retry_after = std::nullopt) {
  return {.error = {.kind = ErrorKind::internal, .system_code = code},
          .sent = Sent::answered,
          .retry_after = retry_after};
}
Failure lost(Sent sent, Connection connection = Connection::fresh) {
  return {.error = {.kind = ErrorKind::unreachable, .system_code = ECONNRESET},
          .sent = sent,
          .connection = connection};
}
Failure late(Sent sent, Connection connection) {
  return {
      .error = {.kind = ErrorKind::timed_out, .what = "x"}, .sent = sent, .connection = connection};
}

TEST(Call, PauseBeforeRepeat) {
  using std::chrono::seconds;
  const Call read{.target = "/version"};
  const Call write{.method = "PATCH", .target = "/x", .repeat = Call::Repeat::forbidden};
  const Call proxied{.target = "/api/v1/namespaces/a/pods/b:9091/proxy/metrics?x"};
  constexpr auto kNo = KnownServer::no;
  constexpr auto kYes = KnownServer::yes;
  const struct {
    const char* what;
    Call call;
    Failure failure;
    int attempt;
    KnownServer known;
    std::optional<Duration> want;
  } rows[] = {
      {"busy", read, status(429), 1, kYes, Duration{200}},
      {"busy, a write", write, status(429), 1, kYes, Duration{200}},
      {"busy for long", read, status(429), 50, kYes, seconds{5}},
      {"busy, says when", read, status(429, seconds{3}), 1, kYes, seconds{3}},
      {"busy, says at once", read, status(429, seconds{0}), 1, kYes, Duration{200}},
      {"busy, says at once again", read, status(429, seconds{0}), 4, kYes, Duration{1600}},
      {"broken", read, status(503), 2, kYes, Duration{400}},
      {"broken, says at once", read, status(503, seconds{0}), 2, kYes, Duration{400}},
      {"broken too often", read, status(503), kMaxServerErrors, kYes, std::nullopt},
      {"broken, a write", write, status(500), 1, kYes, std::nullopt},
      {"a pod's word", proxied, status(502), 1, kYes, std::nullopt},
      {"not found", read, status(404), 1, kYes, std::nullopt},
      {"not sent, wrong address", read, lost(Sent::nothing), 1, kNo, std::nullopt},
      {"not sent, restarting", write, lost(Sent::nothing), 3, kYes, Duration{800}},
      {"kept and dead", read, lost(Sent::perhaps, Connection::reused), 9, kYes, Duration{0}},
      {"kept and silent", read, late(Sent::perhaps, Connection::reused), 9, kYes, Duration{0}},
      {"kept and silent, a write", write, late(Sent::perhaps, Connection::reused), 1, kYes,
       std::nullopt},
      {"kept, cut in its answer", read, lost(Sent::answered, Connection::reused), 1, kYes,
       Duration{200}},
      {"new and silent", read, late(Sent::perhaps, Connection::fresh), 1, kYes, std::nullopt},
      {"slow answer", read, late(Sent::answered, Connection::reused), 1, kYes, std::nullopt},
      {"cut", read, lost(Sent::perhaps), 1, kNo, Duration{200}},
      {"cut twice by a stranger", read, lost(Sent::perhaps), 2, kNo, std::nullopt},
      {"a write that was cut", write, lost(Sent::perhaps), 1, kYes, std::nullopt},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(pause_before_repeat(row.call, row.failure, row.attempt, row.known), row.want)
        << row.what;
  }
}

TEST(Call, OnlyAnUnclearWriteIsSaidToBeUnclear) {
  const Call write{.method = "PATCH", .repeat = Call::Repeat::forbidden, .subject = "x"};
  const auto unclear = [&](const Failure& failure) {
    return final_error(write, failure).what.find("is not known") != std::string::npos;
  };
  EXPECT_FALSE(unclear(status(409)));
  EXPECT_FALSE(unclear(lost(Sent::nothing)));
  EXPECT_TRUE(unclear(lost(Sent::perhaps)));
  EXPECT_TRUE(unclear(status(500)));
  EXPECT_TRUE(unclear({.error = {.kind = ErrorKind::malformed_input}, .sent = Sent::answered}));
  EXPECT_EQ(final_error({}, lost(Sent::perhaps)).what, "");
}

}  // namespace
}  // namespace catflap::kube
