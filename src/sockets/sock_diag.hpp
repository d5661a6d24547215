// Listening TCP sockets of this thread's network namespace, from the kernel over netlink.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/handle.hpp"
#include "base/result.hpp"
#include "core/model/host_listeners.hpp"

namespace catflap::sockets {

struct DumpLimits {
  Duration time{std::chrono::seconds{10}};  // for all attempts together
  std::size_t sockets = 1'000'000;          // of one family
  int attempts = 5;                         // dumps of one family
};

/// The sockets and whether they are all.
struct SocketTable {
  std::vector<HostSocket> sockets;
  bool complete = true;
  std::string problem;
};

/// Puts them in a fixed order, each once: a socket can be told twice when others come before it.
void put_in_order(std::vector<HostSocket>& sockets);

/// A NETLINK_SOCK_DIAG socket; tests give one whose other end is theirs.
using OpenNetlink = std::function<Result<UniqueFd>()>;
[[nodiscard]] Result<UniqueFd> open_sock_diag();

/// Both address families. The kernel lists socket by socket without holding the table still: what
/// it calls interrupted, and what needed more than one datagram, is asked again until two answers
/// in a row agree, at most limits.attempts times; then the last one is returned as not complete.
/// Errors: not_permitted or unsupported if netlink cannot be used here, timed_out, malformed_input.
[[nodiscard]] Result<SocketTable> dump_listeners(std::span<const Port> ports, const Clock& clock,
                                                 const DumpLimits& limits = {},
                                                 const OpenNetlink& open = open_sock_diag);

}  // namespace catflap::sockets
