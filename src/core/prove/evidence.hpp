// NodeEvidence: everything said and seen of one node, sorted for the rules. Private to core/prove.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/model/verdict.hpp"
#include "core/prove/prove.hpp"

namespace catflap {

/// What one look brought about one node. Pointers are borrowed from ProveInput.
struct NodeLook {
  std::vector<const Reach*> rows;  // at this node's addresses
  std::vector<const Control*> controls;
  std::vector<const InsideLook*> insides;  // of pods that are still there, complete or cut
  std::vector<Listener> listeners;  // of all insides, each socket once: Felix's and named if one
                                    // of them says so
  std::set<Port> other_ports;       // where Felix listens for its health checks

  /// The complete look into this pod, or null.
  [[nodiscard]] const InsideLook* complete_into(const PodFacts& pod) const;
  [[nodiscard]] bool control_passed(const Reach& row) const;
  /// Rows that say something about a listener: open, refused, reset; and silence or rejection where
  /// the control passed.
  [[nodiscard]] bool conclusive(const Reach& row) const;
  [[nodiscard]] TimePoint earliest() const;
};

struct NodeEvidence {
  const NodeFacts* node = nullptr;
  std::vector<const PodFacts*> pods;    // Felix pods on it that run or may still run
  bool scheduled = false;               // a DaemonSet puts Felix here
  std::vector<NodeLook> looks;          // oldest first, those with anything about this node
  std::vector<const Reach*> before;     // felix_host of this node, before the change
  std::vector<const Reach*> elsewhere;  // felix_host of this node, at another node's address
  const std::set<std::string>* node_names = nullptr;
  bool too_old = false;  // observations were dropped for their age

  [[nodiscard]] const NodeLook* last() const { return looks.empty() ? nullptr : &looks.back(); }
  /// Felix metrics read at a non-loopback address, by this node's Felix as far as the answer says.
  [[nodiscard]] bool is_own_felix(const Reach& row) const;
  /// The ports that matter here: 9091 and every declared one but 0.
  [[nodiscard]] std::set<Port> ports() const;
  /// A complete look into every Felix pod that runs or terminates here, one at least: only then
  /// are all of Felix's sockets known as such.
  [[nodiscard]] bool seen_inside(const NodeLook& look) const;
};

/// A complete answer that is positively not Felix's.
[[nodiscard]] bool is_foreign(const Reach& row);

/// Does a socket of this look take connections to the endpoint? 0.0.0.0 takes IPv4 only; :: takes
/// both families, unless a socket on 0.0.0.0 shows that it cannot.
[[nodiscard]] bool covers(const NodeLook& look, const Listener& listener, const HostPort& endpoint);

/// Listeners of Felix that can be its metrics endpoint. Felix's health (9099, 9199 on OpenShift, or
/// as declared) and eBPF kube-proxy health (10256, or as declared) ports are not, unless metrics
/// were asked for there; neither is any other loopback port.
[[nodiscard]] std::vector<const Listener*> felix_metrics_listeners(const NodeLook& look,
                                                                   const std::set<Port>& ports,
                                                                   bool random_port);

/// Listeners on one of the ports that are not known to be Felix's.
[[nodiscard]] std::vector<const Listener*> foreign_listeners(const NodeLook& look,
                                                             const std::set<Port>& ports);

/// Is it known whose this listener is, by its process or by its answer?
[[nodiscard]] bool identified(const NodeLook& look, const Listener& listener);

[[nodiscard]] std::vector<NodeEvidence> gather(const ProveInput& input,
                                               const std::set<std::string>& node_names);

}  // namespace catflap
