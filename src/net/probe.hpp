// The probe engine: many TCP/TLS/HTTP endpoints at once, from this machine. Observations only,
// never verdicts. A list that is known is probe()'s; one that is still growing, or too long to
// keep, is ProbeStream's (probe_stream.hpp).
#pragma once

#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "core/model/observation.hpp"

namespace catflap::net {

struct Target {
  HostPort endpoint;
  /// Targets of one node are asked one after another, never two at once. "": node_of its address.
  std::string node;
  /// Only connect: the answer to "is this address reachable from here?"
  bool control = false;
};

/// The node of targets that have no node's name, by one of its addresses.
[[nodiscard]] std::string node_of(const IpAddress& address);

struct ProbeOptions {
  Duration connect_timeout{std::chrono::seconds{3}};
  Duration total_timeout{std::chrono::seconds{8}};  // per try, all its connections
  std::size_t parallel = 256;                       // nodes at once
  std::size_t max_bytes = 1u << 20;  // of one answer; felix_host stood at byte 5,512 of a real one
  int retries = 0;                   // more visits to an endpoint that gave no answer in time
  double rate = 0;                   // visits begun per second; 0: as fast as it goes
  std::optional<IpAddress> source;   // the address to connect from; none: the kernel's choice
  std::stop_token stop;
};

/// Asks every target; the answer has one record per target, in order. Blocks; runs its own loop on
/// its own thread. Per target: TLS ClientHello first; if the answer is not TLS, one plain
/// reconnect (where the last answer at that port was in plain text, plain comes first, and TLS if
/// that does not get the metrics); if a client certificate is asked for, one more try with a
/// throw-away certificate; if the answer is 401 or 403, one more with a throw-away bearer token.
/// GET /metrics, read until felix_host or max_bytes. After a stop request the rest is
/// Outcome::error with detail "interrupted".
[[nodiscard]] std::vector<Reach> probe(std::span<const Target> targets, const ProbeOptions& options,
                                       const Clock& clock);

}  // namespace catflap::net
