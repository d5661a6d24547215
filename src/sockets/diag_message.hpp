// The bytes of NETLINK_SOCK_DIAG: the request for listening TCP sockets, and what comes back.
// Pure; numbers are in this machine's byte order, as netlink has them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "core/model/host_listeners.hpp"

namespace catflap::sockets {

enum class Family { v4, v6 };

inline constexpr std::size_t kMaxAskedPorts = 64;

/// A dump of all TCP sockets of the family in LISTEN; with ports (at most kMaxAskedPorts), only of
/// those on one of them, chosen by the kernel.
[[nodiscard]] std::string diag_request(Family family, std::span<const Port> ports,
                                       std::uint32_t sequence);

/// What has come so far.
struct DiagDump {
  std::vector<HostSocket> sockets;  // interfaces as numbers
  bool done = false;                // the kernel said that this was all
  bool interrupted = false;         // the table changed meanwhile, says the kernel
};

/// Adds one datagram of the answer. Messages of another sequence are passed by. Errors: what the
/// kernel said (unsupported, not_permitted or internal, with the errno), and malformed_input for
/// everything that is cut, of another family or larger than its frame.
[[nodiscard]] Result<void> read_diag_datagram(std::string_view datagram, Family family,
                                              std::uint32_t sequence, DiagDump& into);

}  // namespace catflap::sockets
