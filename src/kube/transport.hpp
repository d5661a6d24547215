// Transport: requests to the one API server: connections kept alive in a pool, credentials, and
// what may be repeated. The rule that matters: a write that may have reached the server is never
// sent twice. Its error says so, and the caller reads the object again.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "kube/credentials.hpp"
#include "kube/http.hpp"
#include "kube/loop.hpp"

namespace catflap::kube {

struct Call {
  std::string method = "GET";
  std::string target;  // below the server's base path, encoded, with its query
  std::string content_type;
  std::string body;
  enum class Repeat { allowed, forbidden } repeat = Repeat::allowed;
  enum class Coding { gzip, identity } coding = Coding::gzip;
  std::string accept = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string subject;  // for errors: "pods in namespace kube-system"
};

/// Takes an answer's body as it comes.
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  virtual void restart() = 0;  // the call is repeated: forget what came
  [[nodiscard]] virtual Result<void> feed(std::string_view bytes) = 0;
};

/// One exchange in progress on a connection of its own for the time being.
class Conversation {
 public:
  Conversation(Scope& scope, std::unique_ptr<Stream> stream, int generation);
  [[nodiscard]] Stream& stream() { return *stream_; }
  [[nodiscard]] Exchange& exchange() { return exchange_; }

 private:
  friend class Transport;
  std::unique_ptr<Stream> stream_;
  int generation_;
  Exchange exchange_;
  Scope::Member member_;
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
/// address. Pure; the jitter comes on top.
enum class KnownServer { no, yes };
[[nodiscard]] std::optional<Duration> pause_before_repeat(const Call& call, const Failure& failure,
                                                          int attempt, KnownServer known_server);

class Transport {
 public:
  Transport(Loop& loop, const ClientConfig& config, const Environment& environment,
            const Clock& clock, std::stop_token stop);
  ~Transport();

  /// With repetitions, bounded by --request-timeout (60 s); an attempt by 30 s. An answer that is
  /// not 2xx is an Error with the HTTP status as system_code. `call` and `reader` must live until
  /// it returns.
  [[nodiscard]] Task<Result<ResponseHead>> call(Scope& scope, const Call& call, BodyReader& reader);

  /// For watches and WebSockets: up to the head of a 2xx or 101. One attempt, but another after a
  /// 401 that fresh credentials may heal, on a keep-alive connection that was dead, and after a
  /// 429.
  [[nodiscard]] Task<Result<std::unique_ptr<Conversation>>> open(Scope& scope, const Call& call);

  /// Back to the pool, if its exchange has ended well.
  void give_back(std::unique_ptr<Conversation> conversation);

  [[nodiscard]] Duration clock_skew() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

constexpr Duration kAttemptTimeout = std::chrono::seconds{30};
constexpr Duration kCallTimeout = std::chrono::seconds{60};

}  // namespace catflap::kube
