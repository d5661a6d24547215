// Opening a TCP connection without blocking, and telling exactly why it failed: a refusal is
// evidence, a rejection is not.
//
// connect() gives ECONNREFUSED for a reset and for an ICMP port-unreachable alike, so the errno
// alone proves nothing. Measured on Linux 6.18 between two network namespaces with nft 1.0.6, both
// families ("queue" is the socket's error queue, "in" and "out" are tcpi_segs_in and _out):
// - closed port, and `reject with tcp reset`: ECONNREFUSED, queue empty, in 1.
// - `reject` (port-unreachable): ECONNREFUSED, ICMP in the queue, in 0.
// - admin-, host-, net-prohibited: EHOSTUNREACH or ENETUNREACH (IPv6: EACCES), ICMP, in 0.
// - host-, net-, protocol-unreachable: EHOSTUNREACH, ENETUNREACH, ENOPROTOOPT, ICMP, in 0.
// - no answer to ARP or neighbour discovery: EHOSTUNREACH after 3 s, ICMP from our own address.
// - a reject rule in this machine's own output: as above, ICMP from our own address.
// - no route, unreachable, prohibit or blackhole route: ENETUNREACH, EHOSTUNREACH, EACCES, EINVAL
//   from connect() itself, queue empty, out 0.
// IPv6 fills the queue only with IPV6_RECVERR. Kernels before 5.8 fill no queue while a socket is
// connecting (commit 45af29ca761c), but they count segments since 4.2: so a refusal is believed
// only when a segment arrived. Nobody can tell a closed port from a firewall's `reject with tcp
// reset`: both are a reset from that address.
#pragma once

#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/handle.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "core/model/observation.hpp"

namespace catflap::net {

/// An ICMP or ICMPv6 error that the kernel queued for the socket.
struct IcmpError {
  bool v6 = false;
  int type = 0;
  int code = 0;
  std::optional<IpAddress> from;
  int error = 0;  // the errno that it stands for
};

/// Everything the kernel tells about a failed connection.
struct ConnectSigns {
  int error = 0;                  // errno of connect(), or SO_ERROR
  bool counts_known = false;      // the kernel has the two counters below
  bool segment_sent = false;      // tcpi_segs_out > 0
  bool segment_received = false;  // tcpi_segs_in > 0
  std::optional<IcmpError> icmp;
  IpAddress target;
  std::optional<IpAddress> own;  // this end's address
};

struct ConnectFailure {
  Outcome outcome = Outcome::error;
  std::string detail;      // the system's own words
  bool exhausted = false;  // this machine has no descriptor or buffer left: worth another try later
};

/// Pure: the table above.
[[nodiscard]] ConnectFailure judge_connect(const ConnectSigns& signs);

struct ConnectStart {
  UniqueFd socket;  // non-blocking; none if it failed at once
  std::optional<ConnectFailure> failure;
};
/// `source`: the address to connect from; none: the kernel's choice.
[[nodiscard]] ConnectStart start_connect(const HostPort& endpoint,
                                         const std::optional<IpAddress>& source = {});

/// Is it an address of this machine's? Fails with usage if not.
[[nodiscard]] Result<void> can_connect_from(const IpAddress& source);

enum class ConnectState { pending, open, failed };
struct ConnectCheck {
  ConnectState state = ConnectState::pending;
  ConnectFailure failure;  // if failed
};
/// To be called when epoll reports the socket. `icmp` keeps what was in the error queue from one
/// call to the next: the kernel reports the queue before it ends the attempt, and reading the queue
/// empties it.
[[nodiscard]] ConnectCheck check_connect(int socket, const HostPort& endpoint,
                                         std::optional<IcmpError>& icmp);

/// Has the kernel anything to tell of a socket that connects: open, failed, or an ICMP error
/// queued? If not, check_connect would say pending: of an endpoint that stays silent this is all
/// that is asked. (A kernel before 5.8 can hold back an ICMP error that came inside connect() until
/// the next SYN brings it again.)
[[nodiscard]] bool has_news(int socket);

/// To be called when its time is up: what `check_connect` saw last, or a time-out after that long.
[[nodiscard]] ConnectFailure give_up_connect(int socket, const HostPort& endpoint,
                                             const std::optional<IcmpError>& icmp, Duration after);

/// To be called once a connection is open and before anything is said. Until then ICMP errors
/// explain a failure, afterwards they would only break it; and no request waits until the other end
/// has acknowledged the last message of a handshake.
void make_talkative(int socket, const HostPort& endpoint);

/// "ICMP admin-prohibited from 10.0.0.1".
[[nodiscard]] std::string to_string(const IcmpError& icmp);

}  // namespace catflap::net
