// One connection as a state machine: connecting, handshaking (TLS only), asking, answering, over.
// It never blocks and owns no timer; the engine in probe.cpp tells it what epoll said and when its
// time is up.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/handle.hpp"
#include "base/ip.hpp"
#include "net/attempt.hpp"
#include "net/http_answer.hpp"
#include "net/tls_facts.hpp"
#include "net/tls_stream.hpp"
#include "net/wire.hpp"

namespace catflap::net {

class Connection {
 public:
  /// Starts at once; it may be over when the constructor returns (no route, no descriptor). Borrows
  /// the context.
  /// `source`: the address to connect from; none: the kernel's choice.
  Connection(const HostPort& endpoint, Speak speak, const TlsContext& context,
             std::size_t max_bytes, const std::optional<IpAddress>& source = {});
  Connection(const Connection&) = delete;  // TLS holds addresses inside
  Connection& operator=(const Connection&) = delete;

  [[nodiscard]] int socket() const { return socket_.get(); }
  [[nodiscard]] bool over() const { return phase_ == Phase::over; }
  /// This machine had no room for its socket.
  [[nodiscard]] bool exhausted() const { return attempt_.failure.exhausted; }
  [[nodiscard]] bool connecting() const { return phase_ == Phase::connecting; }

  /// Goes as far as it can without waiting. `events`: what edge-triggered epoll reported.
  void advance(std::uint32_t events);
  /// Its time is up, after this long: over, unless it turns out to have opened by now.
  void expire(Duration after);
  /// Given up by us, e.g. because epoll has no room for it.
  void abandon(std::string why);

  /// The result; once, when over. Closes the socket.
  [[nodiscard]] Attempt take();

 private:
  enum class Phase { connecting, handshaking, asking, answering, over };
  enum class Go { on, wait };

  [[nodiscard]] Go connect_step(std::uint32_t events);
  [[nodiscard]] Go handshake_step();
  [[nodiscard]] Go ask_step();
  [[nodiscard]] Go answer_step();
  void opened();
  void ask();
  [[nodiscard]] Go on_answer_bytes(std::string_view bytes);
  [[nodiscard]] Go on_end_of_stream();
  [[nodiscard]] Go on_failure();
  [[nodiscard]] Go end(Attempt::End how, std::string detail);
  [[nodiscard]] bool uses_tls() const { return tls_ != nullptr; }
  [[nodiscard]] std::chrono::microseconds lap();
  void collect();
  void collect_tls();

  HostPort endpoint_;
  const TlsContext& context_;
  std::size_t max_bytes_;
  UniqueFd socket_;
  Phase phase_ = Phase::connecting;
  std::optional<IcmpError> icmp_;  // seen while connecting, without ending it
  std::unique_ptr<Wire> wire_;
  std::unique_ptr<TlsStream> tls_;
  std::string request_;
  std::size_t asked_ = 0;               // bytes of the request that are sent
  std::unique_ptr<HttpAnswer> answer_;  // from asking on
  Attempt attempt_;
  // A handshake takes less than the clock of the deadlines can tell.
  std::chrono::steady_clock::time_point phase_began_ = std::chrono::steady_clock::now();
};

}  // namespace catflap::net
