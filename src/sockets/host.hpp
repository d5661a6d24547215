// The listening sockets of this host: table, owners, and what binds the answer to the machine.
#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "core/model/host_listeners.hpp"
#include "sockets/owners.hpp"
#include "sockets/sock_diag.hpp"

namespace catflap::sockets {

struct HostOptions {
  std::vector<Port> ports;  // empty: all
  std::string netns;        // a process's number, or a name of `ip netns`; "": this one's own
  /// The root folder that the machine-id is read in: /proc/1/root, in a container that has the
  /// node's processes. Process 1 then stands for the node whatever PID namespace it is in: the
  /// machine-id, which the reader compares, is its own. "": here.
  std::string root;
  OwnerOptions owners;
  DumpLimits limits;
  OpenNetlink open = open_sock_diag;
};

/// Over netlink, or from /proc/net/tcp{,6} where that cannot be used (no such kernel module, a
/// seccomp filter). Errors: usage for a network namespace that does not exist, not_permitted for
/// one that may not be entered; internal if no table can be read at all.
[[nodiscard]] Result<HostListeners> read_host_listeners(const HostOptions& options,
                                                        const Clock& clock);

}  // namespace catflap::sockets
