// Which processes hold a socket, from /proc/PID/fd.
#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "core/model/host_listeners.hpp"

namespace catflap::sockets {

struct OwnerOptions {
  bool all = false;  // every holder, not just the first that is found
  Duration time{std::chrono::seconds{10}};
  std::string proc = "/proc";
  std::string cgroups = "/sys/fs/cgroup";  // where cgroup v2 is mounted, or v1 with v2 in unified/
};

/// Fills owners and owner_state of each socket. Looks into the likeliest processes first (those in
/// the socket's own cgroup, then by their name, then by the socket's user) and no further than
/// needed. What could not be looked into is told as not_permitted, never as nobody.
void find_owners(std::vector<HostSocket>& sockets, const OwnerOptions& options, const Clock& clock);

}  // namespace catflap::sockets
