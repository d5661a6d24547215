// The bytes of one connection, counted, bounded and remembered at their head: under plain HTTP and
// under TLS alike. Writing never raises SIGPIPE and never fails: what went wrong is learnt from the
// next read, because an alert that the other end sent before it reset the connection still waits
// there (Go's server does this when it demands a client certificate).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace catflap::net {

enum class Io {
  done,
  wait,    // nothing now: ask again when epoll says so
  closed,  // the other end closed in order
  reset,   // the connection broke
  cut,     // the bound on received bytes was reached
};

class Wire {
 public:
  /// Borrows a non-blocking socket. `max_received`, and what is allowed later, bounds everything
  /// that is ever read from it.
  Wire(int socket, std::size_t max_received) : socket_(socket), left_(max_received) {}

  struct Count {
    Io io = Io::done;
    std::size_t bytes = 0;
  };
  void allow(std::size_t more) { left_ += more; }
  [[nodiscard]] Count read(std::span<char> into);
  [[nodiscard]] Count write(std::string_view bytes);

  [[nodiscard]] std::uint64_t received() const { return received_; }
  /// The first bytes received, at most 512.
  [[nodiscard]] const std::string& head() const { return head_; }
  /// What the last read that was not `done` said.
  [[nodiscard]] Io last() const { return last_; }
  /// The errno of a broken connection, 0 before.
  [[nodiscard]] int error() const { return error_; }

 private:
  int socket_;
  std::size_t left_;
  std::uint64_t received_ = 0;
  std::string head_;
  Io last_ = Io::done;
  int error_ = 0;
};

}  // namespace catflap::net
