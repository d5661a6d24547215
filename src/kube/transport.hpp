// Transport: requests to the one API server: connections kept alive in a pool (for reads),
// credentials, and repetitions (what may be repeated is in call.hpp).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "kube/call.hpp"
#include "kube/credentials.hpp"
#include "kube/http.hpp"
#include "kube/loop.hpp"

namespace catflap::kube {

/// Takes an answer's body as it comes.
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  virtual void restart() = 0;  // the call is repeated: forget what came
  [[nodiscard]] virtual Result<void> feed(std::string_view bytes) = 0;
  /// The rest of the body is not wanted: the connection is given up with it.
  [[nodiscard]] virtual bool has_enough() const { return false; }
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

class Transport {
 public:
  Transport(Loop& loop, const ClientConfig& config, const Environment& environment,
            const Clock& clock, std::stop_token stop);
  ~Transport();

  /// With repetitions, bounded by --request-timeout (else 60 s); an attempt by all of it (else 30
  /// s) on a new connection and by half on a kept one, which may be dead. The time that a
  /// credential plugin takes does not count. An answer that is not 2xx is an Error with the HTTP
  /// status as system_code, unless the call takes any. `call` and `reader` must live until it
  /// returns.
  [[nodiscard]] Task<Result<ResponseHead>> call(Scope& scope, const Call& call, BodyReader& reader);

  /// For watches and WebSockets: up to the head of a 2xx or 101, on a connection of its own. One
  /// attempt, but another after a 401 that fresh credentials may heal, and after a 429.
  [[nodiscard]] Task<Result<std::unique_ptr<Conversation>>> open(Scope& scope, const Call& call);

  /// Runs a credential plugin that is due, so that it takes no time of the calls that follow.
  [[nodiscard]] Result<void> prepare_credentials();

  [[nodiscard]] Duration clock_skew() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

constexpr Duration kAttemptTimeout = std::chrono::seconds{30};
constexpr Duration kCallTimeout = std::chrono::seconds{60};

}  // namespace catflap::kube
