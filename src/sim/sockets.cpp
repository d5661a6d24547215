#include "sim/sockets.hpp"

#include <algorithm>

namespace catflap::sim {

namespace {

bool overlap(const Socket& a, const Socket& b) {
  return a.node == b.node && a.port == b.port &&
         (!a.address || !b.address || *a.address == *b.address);
}

}  // namespace

std::optional<std::uint64_t> Sockets::open(Socket socket) {
  const auto& own = addresses_of(socket.node);
  ServerSpec spec{.kind = socket.serves, .node = socket.node, .port = socket.port};
  if (!socket.address) {
    spec.addresses = own;
  } else if (!socket.address->is_loopback()) {
    if (std::ranges::find(own, *socket.address) == own.end()) return std::nullopt;
    spec.addresses = {*socket.address};
  }
  const bool taken = std::ranges::any_of(
      sockets_, [&](const auto& entry) { return overlap(entry.second, socket); });
  if (taken && socket.port != 0) return std::nullopt;
  socket.id = ++ids_;
  // Loopback is the node's own; it would be this machine's, so nothing is opened for it. Neither
  // for Felix's health port.
  if (wire_ != nullptr && !spec.addresses.empty()) {
    const auto port = wire_->open(socket.id, spec);
    if (!port) return std::nullopt;
    socket.port = *port;
  }
  if (socket.port == 0) socket.port = static_cast<Port>(32'768 + socket.id % 20'000);
  return sockets_.emplace(socket.id, socket).first->first;
}

void Sockets::close(std::uint64_t id) {
  if (sockets_.erase(id) != 0 && wire_ != nullptr) wire_->close(id);
}

std::vector<Socket> Sockets::of_node(const std::string& node) const {
  std::vector<Socket> found;
  for (const auto& [id, socket] : sockets_)
    if (socket.node == node) found.push_back(socket);
  return found;
}

const Socket* Sockets::find(std::uint64_t id) const {
  const auto found = sockets_.find(id);
  return found == sockets_.end() ? nullptr : &found->second;
}

const std::vector<IpAddress>& Sockets::addresses_of(const std::string& node) const {
  static const std::vector<IpAddress> kNone;
  const auto found = addresses_.find(node);
  return found == addresses_.end() ? kNone : found->second;
}

}  // namespace catflap::sim
