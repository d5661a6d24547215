// Call: one request as its caller wants it, how an attempt at it can fail, and whether another may
// follow. Pure. The rule that matters: a write that may have reached the server is never sent
// twice. Its error says so, and the caller reads the object again.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace catflap::kube {

struct Call {
  std::string method = "GET";
  std::string target;  // below the server's base path, encoded, with its query
  std::string content_type;
  std::string body;
  enum class Repeat { allowed, forbidden } repeat = Repeat::allowed;
  enum class Coding { gzip, identity } coding = Coding::gzip;
  /// any: also an answer that is not 2xx is handed to the caller, as it came.
  enum class Answers { good, any } answers = Answers::good;
  std::string accept = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string subject;  // for errors: "pods in namespace kube-system"
};

/// Why one attempt failed, for the decision whether to make another.
struct Failure {
  Error error;
  enum class Sent { nothing, perhaps, answered } sent = Sent::nothing;
  enum class Connection { fresh, reused } connection = Connection::fresh;
  std::optional<Duration> retry_after;
};

/// How long to wait before attempt number `attempt` + 1 (1 is the first); nullopt: give up.
/// `known_server`: it has answered before, so a refused connection is a restart and not a wrong
/// address. The jitter comes on top.
enum class KnownServer { no, yes };
[[nodiscard]] std::optional<Duration> pause_before_repeat(const Call& call, const Failure& failure,
                                                          int attempt, KnownServer known_server);

/// A 429: the server did not begin. What it asks for, but never less than a pause that grows: some
/// answer "Retry-After: 0" for as long as they are busy.
[[nodiscard]] Duration pause_when_busy(const Failure& failure, int attempt);

/// A kept connection on which nothing came back: it may have died without a word, like those
/// beside it.
[[nodiscard]] bool died_in_the_pool(const Failure& failure);

/// What a caller is told who may not repeat.
[[nodiscard]] Error final_error(const Call& call, Failure failure);

/// Of a write that the server may have done.
[[nodiscard]] Error outcome_unknown(Error error);

constexpr int kMaxServerErrors = 5;

}  // namespace catflap::kube
