// Who listens where on the nodes of the embedded cluster. This table decides as a node's kernel
// would; behind it, a Wire makes what can be reached from outside real.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ip.hpp"

namespace catflap::sim {

/// A server as the Wire opens it: on every one of the addresses, the same port.
struct ServerSpec {
  std::string kind;  // a kind of server_kinds.hpp
  std::string node;
  std::vector<IpAddress> addresses;
  Port port = 0;  // 0: any that is free on all of them
};

class Wire {
 public:
  virtual ~Wire() = default;
  /// The port; none if it is taken on one of the addresses, or an address is not here.
  virtual std::optional<Port> open(std::uint64_t id, const ServerSpec& spec) = 0;
  virtual void close(std::uint64_t id) = 0;
};

enum class SocketOwner { felix_health, felix, kubelet, other };

struct Socket {
  std::uint64_t id = 0;  // its inode, too
  std::string node;
  std::optional<IpAddress> address;  // none: every address of both families
  Port port = 0;
  std::string serves;
  SocketOwner owner = SocketOwner::other;
};

class Sockets {
 public:
  /// `wire` may be null: then nothing is real, and nobody outside is in the way.
  Sockets(std::map<std::string, std::vector<IpAddress>> addresses, Wire* wire)
      : addresses_(std::move(addresses)), wire_(wire) {}

  /// Listens; socket.id is set here, and socket.port if it was 0. None: the address is not on the
  /// node, or the port is taken.
  [[nodiscard]] std::optional<std::uint64_t> open(Socket socket);
  void close(std::uint64_t id);

  [[nodiscard]] std::vector<Socket> of_node(const std::string& node) const;
  [[nodiscard]] const Socket* find(std::uint64_t id) const;
  [[nodiscard]] const std::vector<IpAddress>& addresses_of(const std::string& node) const;

 private:
  std::map<std::string, std::vector<IpAddress>> addresses_;
  Wire* wire_;
  std::map<std::uint64_t, Socket> sockets_;
  std::uint64_t ids_ = 40'000;
};

}  // namespace catflap::sim
