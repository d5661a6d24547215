// Real listeners for the sockets of the embedded cluster, and for tests and other backends of the
// scenarios: every kind of server_kinds.hpp. All of them run on one io_context, and all are
// bounded in connections, bytes and time.
#pragma once

#include <memory>

#include "base/result.hpp"
#include "sim/sockets.hpp"

namespace boost::asio {
class io_context;
}

namespace catflap::sim {

class Servers final : public Wire {
 public:
  /// `io` is borrowed; it must have ended, or never run again, when this is destroyed. internal:
  /// OpenSSL failed.
  [[nodiscard]] static Result<std::unique_ptr<Servers>> create(boost::asio::io_context& io);
  ~Servers() override;

  /// From the thread that runs `io`, or while nobody does.
  std::optional<Port> open(std::uint64_t id, const ServerSpec& spec) override;
  /// Ends its connections too.
  void close(std::uint64_t id) override;

 private:
  struct Impl;
  explicit Servers(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Can a socket be bound to this address here?
[[nodiscard]] bool can_bind(const IpAddress& address);

}  // namespace catflap::sim
