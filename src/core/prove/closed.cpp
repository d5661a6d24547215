#include "core/prove/closed.hpp"

#include <algorithm>
#include <map>

#include "base/text.hpp"
#include "core/prove/missing.hpp"

namespace catflap {
namespace {

using Reasons = std::vector<Message>;

constexpr Duration kFresh = std::chrono::minutes(1);

/// Declared off for every pod that runs or may still run.
void check_declared(const NodeEvidence& evidence, Reasons& missing) {
  for (const auto* pod : evidence.pods) {
    switch (enabled_switch(pod->declared)) {
      case Switch::off:
        break;
      case Switch::on:
        missing.push_back(pod_message("declared-on", *pod));
        break;
      case Switch::undecided: {
        const bool ambiguous = pod->declared.enabled.state == ParamState::ambiguous;
        auto message = pod_message(ambiguous ? "declared-ambiguous" : "declared-unreadable", *pod);
        message.params["why"] = pod->declared.enabled.why;
        missing.push_back(std::move(message));
      }
    }
  }
}

/// A Felix with a network of its own listens at its pod's address, which nobody asked.
void check_network(const NodeEvidence& evidence, Reasons& missing) {
  for (const auto* pod : evidence.pods) {
    if (!pod->host_network) missing.push_back(pod_message("pod-own-network", *pod));
  }
}

/// A pod that is alive now; without one "closed" could only mean that Felix is down.
void check_alive(const NodeEvidence& evidence, Reasons& missing) {
  if (evidence.pods.empty()) {
    missing.push_back({"pod-missing", {}});
    return;
  }
  const auto* last = evidence.last();
  for (const auto* pod : evidence.pods) {
    if (pod->terminating) continue;
    const auto* inside = last != nullptr ? last->complete_into(*pod) : nullptr;
    const bool seen_inside = inside != nullptr && !inside->felix.empty();
    // A build that is on by default listens last, after Felix has read its datastore: its process
    // alone shows nothing.
    if (pod->ready || (seen_inside && !rests_on_default(pod->declared.enabled))) continue;
    auto message = pod_message("pod-not-ready", *pod);
    message.params["phase"] = pod->phase;
    if (!pod->troubles.empty()) message.params["why"] = pod->troubles.front().reason;
    missing.push_back(std::move(message));
  }
  if (std::ranges::all_of(evidence.pods, [](const PodFacts* pod) { return pod->terminating; })) {
    missing.push_back(pod_message("pod-lingering", *evidence.pods.front()));
  }
}

/// Does the running Felix have the environment that the verdict was derived from? What a cut look
/// did not see may have been cut off.
bool environment_agrees(const InsideLook& inside, const PodFacts& pod) {
  const auto& enabled = pod.declared.enabled;
  return std::ranges::all_of(inside.felix, [&](const FelixProcess& process) {
    bool present = false;
    bool same = true;
    for (const auto& [name, value] : process.environment) {
      if (value.empty() || !equal_ignoring_case(name, "FELIX_PROMETHEUSMETRICSENABLED")) continue;
      present = true;
      same = same && enabled.layer == Layer::env && value == enabled.raw;
    }
    return same && (present || !inside.complete || enabled.layer != Layer::env);
  });
}

void check_inside(const NodeEvidence& evidence, Reasons& missing) {
  for (const auto& look : evidence.looks) {
    for (const auto* inside : look.insides) {
      if (inside->complete && !inside->table_only && inside->felix.empty())
        missing.push_back({"felix-not-seen-alive", {{"vantage", inside->vantage}}});
      for (const auto* pod : evidence.pods) {
        if (pod->uid == inside->pod_uid && !environment_agrees(*inside, *pod))
          missing.push_back(pod_message("environment-differs", *pod));
      }
    }
  }
}

void check_row(const Reach& row, const NodeEvidence& evidence, Reasons& missing) {
  const std::map<std::string, std::string> where{{"vantage", row.vantage},
                                                 {"endpoint", row.endpoint.to_string()}};
  if (row.inside_the_node() && row.felix_host == evidence.node->name) {
    missing.push_back({"loopback-answered", where});
  } else if (row.identity == Identity::felix) {
    auto message = Message{"wrong-felix-host", where};
    message.params["felixHost"] = row.felix_host;
    missing.push_back(std::move(message));
  } else if (row.outcome == Outcome::reset) {
    missing.push_back({"reset", where});
  } else if (row.outcome == Outcome::open && !is_foreign(row)) {
    missing.push_back({"unidentified-listener", where});
  }
}

/// Anything seen that speaks against closed, in any look. An incomplete look inside proves nothing,
/// but what it did see counts against.
void check_against(const NodeEvidence& evidence, Reasons& missing) {
  const auto ports = evidence.ports();
  for (const auto& look : evidence.looks) {
    for (const auto* listener : felix_metrics_listeners(look, ports, false)) {
      missing.push_back({"felix-listens", {{"endpoint", listener->endpoint.to_string()}}});
    }
    for (const auto* listener : foreign_listeners(look, ports)) {
      if (identified(look, *listener)) continue;
      missing.push_back({"unidentified-listener", {{"endpoint", listener->endpoint.to_string()}}});
    }
    for (const auto* row : look.rows) check_row(*row, evidence, missing);
  }
}

/// When the Felix that runs now started, by our clock; as late as any source says.
std::optional<TimePoint> felix_start(const NodeEvidence& evidence, Duration skew) {
  std::optional<TimePoint> start;
  const auto later = [&](std::optional<TimePoint> at) {
    if (at && (!start || *at - skew > *start)) start = *at - skew;
  };
  for (const auto* pod : evidence.pods) later(pod->felix_started);
  for (const auto& look : evidence.looks) {
    for (const auto* inside : look.insides) {
      for (const auto& process : inside->felix) later(process.started);
    }
  }
  return start;
}

/// All complete looks into a pod must have seen the same Felix processes.
bool same_process(const NodeEvidence& evidence) {
  std::map<std::string, std::set<int>> known;  // by pod
  for (const auto& look : evidence.looks) {
    for (const auto* inside : look.insides) {
      if (!inside->complete || inside->table_only) continue;
      std::set<int> pids;
      for (const auto& process : inside->felix) pids.insert(process.pid);
      if (known.emplace(inside->pod_uid, pids).first->second != pids) return false;
    }
  }
  return true;
}

void check_times(const NodeEvidence& evidence, const ProveInput& input, Reasons& missing) {
  if (evidence.looks.empty()) return;
  const auto start = felix_start(evidence, input.facts->clock_skew);
  const auto first = evidence.looks.front().earliest();
  const auto last = evidence.looks.back().earliest();
  if ((start && first < *start) || !same_process(evidence))
    missing.push_back({"look-too-early", {}});
  const bool fresh =
      changed_lately(*input.facts, input.now) || (start && *start + kFresh > input.now);
  const bool one_is_enough = input.purpose == Purpose::diagnose && !fresh;
  if (!one_is_enough && (evidence.looks.size() < 2 || last - first < input.settle)) {
    missing.push_back({"settle-too-short", {{"settle", to_string(input.settle)}}});
  }
}

/// What one look, or all of them, give a basis.
enum class Backing { none, clean, foreign };

/// The inside look: Felix's sockets are all known, and none is a metrics listener.
Backing inside_backs(const NodeLook& look, const NodeEvidence& evidence) {
  if (!evidence.seen_inside(look)) return Backing::none;
  const auto ports = evidence.ports();
  if (!felix_metrics_listeners(look, ports, false).empty()) return Backing::none;
  bool foreign = false;
  for (const auto* listener : foreign_listeners(look, ports)) {
    if (!identified(look, *listener)) return Backing::none;
    foreign = true;
  }
  for (const auto* row : look.rows) foreign = foreign || row->outcome == Outcome::open;
  return foreign ? Backing::foreign : Backing::clean;
}

/// Something takes connections at an address or a port of this node, whoever it is.
bool anybody_listens(const NodeLook& look, const NodeEvidence& evidence) {
  return !foreign_listeners(look, evidence.ports()).empty() ||
         std::ranges::any_of(look.rows,
                             [](const Reach* row) { return row->outcome == Outcome::open; });
}

bool has_old_pod(const NodeEvidence& evidence) {
  return std::ranges::any_of(evidence.pods,
                             [](const PodFacts* pod) { return pod->terminating || pod->stale; });
}

/// The endpoints that answered as this node's Felix before refuse now. The control counts here too:
/// the answers may have been recorded from another machine.
Backing before_after_backs(const NodeLook& look, const NodeEvidence& evidence) {
  if (evidence.before.empty() || pod_on_unknown_port(evidence) != nullptr) return Backing::none;
  if (has_old_pod(evidence) && std::ranges::all_of(evidence.before, &Reach::retold))
    return Backing::none;
  for (const auto* before : evidence.before) {
    const bool refuses = std::ranges::any_of(look.rows, [&](const Reach* row) {
      return row->vantage == before->vantage && row->endpoint == before->endpoint &&
             row->outcome == Outcome::refused && look.control_passed(*row);
    });
    if (!refuses) return Backing::none;
  }
  return anybody_listens(look, evidence) ? Backing::none : Backing::clean;
}

Backing network_backs(const NodeLook& look, const NodeEvidence& evidence) {
  if (!evidence.node->ready || pod_on_unknown_port(evidence) != nullptr) return Backing::none;
  if (has_old_pod(evidence) || network_refusals(look, evidence) == Refusals::no)
    return Backing::none;
  return anybody_listens(look, evidence) ? Backing::foreign : Backing::clean;
}

/// What every look backs: `foreign` if one of them saw somebody else on the port.
Backing all_back(const NodeEvidence& evidence,
                 Backing (*backs)(const NodeLook&, const NodeEvidence&)) {
  if (evidence.looks.empty()) return Backing::none;
  Backing all = Backing::clean;
  for (const auto& look : evidence.looks) {
    const auto one = backs(look, evidence);
    if (one == Backing::none) return Backing::none;
    if (one == Backing::foreign) all = Backing::foreign;
  }
  return all;
}

}  // namespace

bool changed_lately(const ClusterFacts& facts, TimePoint now) {
  const TimePoint server_now = now + facts.clock_skew;
  const auto lately = [&](const std::optional<TimePoint>& at) {
    return at && *at + kFresh > server_now;
  };
  return lately(facts.felix_configurations_changed) ||
         std::ranges::any_of(facts.pods, [&](const PodFacts& pod) {
           return pod.terminating || lately(pod.felix_started) || lately(pod.created);
         });
}

Refusals network_refusals(const NodeLook& look, const NodeEvidence& evidence) {
  bool any = false;
  bool foreign = false;
  for (const auto& address : evidence.node->addresses) {
    if (address.type != "InternalIP") continue;
    for (const Port port : evidence.ports()) {
      // One vantage point that the control vouches for is enough; one that anything else answered
      // is too much. Who only retells a refusal or an answer may have it from somebody in between.
      bool refused = false;
      for (const auto* row : look.rows) {
        if (row->endpoint != HostPort{address.address, port}) continue;
        if (is_foreign(*row)) {
          refused = refused || !row->retold();
          foreign = true;
        } else if (row->outcome == Outcome::open || row->outcome == Outcome::reset) {
          return Refusals::no;
        } else if (row->outcome == Outcome::refused && look.control_passed(*row)) {
          refused = refused || !row->retold();
        }
      }
      if (!refused) return Refusals::no;
      any = true;
    }
  }
  if (!any) return Refusals::no;
  return foreign ? Refusals::all_but_foreign : Refusals::all;
}

ClosedProof prove_closed(const NodeEvidence& evidence, const ProveInput& input) {
  ClosedProof proof;
  check_declared(evidence, proof.reasons);
  check_network(evidence, proof.reasons);
  check_alive(evidence, proof.reasons);
  check_inside(evidence, proof.reasons);
  check_against(evidence, proof.reasons);
  check_times(evidence, input, proof.reasons);

  struct Row {
    Basis basis;
    Backing (*backs)(const NodeLook&, const NodeEvidence&);
    const char* code;
  };
  constexpr Row kBases[] = {{Basis::inside, inside_backs, "inside-clean"},
                            {Basis::before_after, before_after_backs, "refused-before-after"},
                            {Basis::network, network_backs, "refused-everywhere"}};
  const Row* found = nullptr;
  for (const auto& row : kBases) {
    const auto backing = all_back(evidence, row.backs);
    if (backing == Backing::none) continue;
    found = &row;
    proof.foreign = backing == Backing::foreign;
    break;
  }
  if (found == nullptr) {
    explain_no_basis(evidence, proof.reasons);
  } else if (input.policy.require_basis != Basis::none &&
             found->basis > input.policy.require_basis) {
    proof.reasons.push_back({"basis-not-accepted",
                             {{"basis", to_string(found->basis)},
                              {"required", to_string(input.policy.require_basis)}}});
  }
  if (!proof.reasons.empty()) return proof;
  proof.basis = found->basis;
  proof.reasons.push_back({found->code, {}});
  return proof;
}

ClosedProof prove_no_felix(const NodeEvidence& evidence, const ProveInput& input) {
  ClosedProof proof;
  const auto& daemon_sets = input.facts->daemon_sets_state;
  if (!daemon_sets.readable) {
    proof.reasons.push_back({"daemonsets-unreadable", {{"why", daemon_sets.why}}});
  }
  check_against(evidence, proof.reasons);
  check_times(evidence, input, proof.reasons);
  const auto backing = all_back(evidence, network_backs);
  proof.foreign = backing == Backing::foreign;
  if (backing == Backing::none) explain_no_basis(evidence, proof.reasons);
  if (!proof.reasons.empty()) return proof;
  proof.basis = Basis::network;
  proof.reasons.push_back({"no-felix-scheduled", {}});
  return proof;
}

}  // namespace catflap
