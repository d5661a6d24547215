// HostListeners: the listening TCP sockets of one network namespace with their owners, as a host
// tells them of itself (`catflap listeners`, or `ss -lntp` in a file). No verdict.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/ip.hpp"

namespace catflap {

/// A process that holds a socket.
struct SocketOwner {
  int pid = 0;
  int fd = -1;
  std::string comm;       // process name
  bool felix = false;     // by its arguments; from ss, which shows none, by its name
  std::string container;  // id, from the process's cgroup; "": in none
  std::string pod_uid;    // the same
  friend bool operator==(const SocketOwner&, const SocketOwner&) = default;
};

enum class OwnerState {
  not_looked,     // nobody searched, or not to the end
  named,          // one process at least is known
  not_permitted,  // some processes may not be looked into: root is needed
  not_found,      // no process that can be seen from here holds it
};

struct HostSocket {
  HostPort endpoint;  // v4-mapped addresses as IPv4
  bool v6_socket = false;
  std::optional<bool> v6only;  // of a v6 socket; none: the source does not tell
  std::uint32_t interface_index = 0;
  std::string interface;  // that the socket is bound to; "": any
  std::uint64_t inode = 0;
  std::uint32_t uid = 0;  // who made it
  std::optional<std::uint64_t> cgroup_id;
  std::uint32_t queued = 0;   // connections that wait for accept
  std::uint32_t backlog = 0;  // how many may
  OwnerState owner_state = OwnerState::not_looked;
  std::vector<SocketOwner> owners;
  friend bool operator==(const HostSocket&, const HostSocket&) = default;
};

struct HostListeners {
  enum class Method { sock_diag, proc_net, ss };
  /// Whose network namespace was read. `node`: that of process 1, seen from the initial PID
  /// namespace.
  enum class Network { not_known, node, other };

  std::string machine_id;  // as node.status.nodeInfo.machineID has it; "": not readable
  std::string boot_id;     // as node.status.nodeInfo.bootID
  std::string hostname;
  TimePoint at{};  // never later than the look itself
  Method method = Method::sock_diag;
  Network network = Network::not_known;
  bool complete = true;     // the table, not the owners
  std::string problem;      // why not complete
  std::vector<Port> ports;  // asked for; empty: all
  std::vector<HostSocket> sockets;
  friend bool operator==(const HostListeners&, const HostListeners&) = default;
};

[[nodiscard]] const char* to_string(OwnerState state);  // not-looked, named, not-permitted, …
[[nodiscard]] const char* to_string(HostListeners::Method method);    // sock-diag, proc-net, ss
[[nodiscard]] const char* to_string(HostListeners::Network network);  // not-known, node, other

}  // namespace catflap
