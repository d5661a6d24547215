#include "core/prove/closed.hpp"

#include <algorithm>
#include <map>

#include "base/text.hpp"

namespace catflap {
namespace {

using Reasons = std::vector<Message>;

constexpr Duration kFresh =
    std::chrono::minutes(1);  // a change younger than this needs two looks, also from diagnose

Message pod_message(const char* code, const PodFacts& pod) {
  return {code, {{"pod", pod.namespace_ + "/" + pod.name}}};
}

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

/// A pod that is alive now; without one "closed" could only mean that Felix is down.
void check_alive(const NodeEvidence& evidence, Reasons& missing) {
  if (evidence.pods.empty()) {
    missing.push_back({"pod-missing", {}});
    return;
  }
  const auto* last = evidence.last();
  for (const auto* pod : evidence.pods) {
    if (pod->terminating) continue;
    const bool seen_inside = last != nullptr && last->inside != nullptr &&
                             last->inside->pod_uid == pod->uid && last->inside->complete &&
                             !last->inside->felix.empty();
    if (pod->ready || seen_inside) continue;
    auto message = pod_message("pod-not-ready", *pod);
    message.params["phase"] = pod->phase;
    if (!pod->troubles.empty()) message.params["why"] = pod->troubles.front().reason;
    missing.push_back(std::move(message));
  }
  if (std::ranges::all_of(evidence.pods, [](const PodFacts* pod) { return pod->terminating; })) {
    missing.push_back(pod_message("pod-lingering", *evidence.pods.front()));
  }
}

/// Does the running Felix have the environment that the verdict was derived from?
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
    return same && (present || enabled.layer != Layer::env);
  });
}

void check_inside(const NodeEvidence& evidence, Reasons& missing) {
  for (const auto& look : evidence.looks) {
    if (look.inside == nullptr || !look.inside->complete) continue;
    if (look.inside->felix.empty())
      missing.push_back({"felix-not-seen-alive", {{"vantage", look.inside->vantage}}});
    for (const auto* pod : evidence.pods) {
      if (pod->uid == look.inside->pod_uid && !environment_agrees(*look.inside, *pod)) {
        missing.push_back(pod_message("environment-differs", *pod));
      }
    }
  }
}

/// Anything seen that speaks against closed, in any look.
void check_against(const NodeEvidence& evidence, Reasons& missing) {
  const auto ports = evidence.ports();
  for (const auto& look : evidence.looks) {
    if (look.inside != nullptr) {
      // An incomplete look proves nothing, but what it did see counts against.
      for (const auto* listener : felix_metrics_listeners(*look.inside, ports, false)) {
        missing.push_back({"felix-listens", {{"endpoint", listener->endpoint.to_string()}}});
      }
    }
    for (const auto* row : look.rows) {
      const std::map<std::string, std::string> where{{"vantage", row->vantage},
                                                     {"endpoint", row->endpoint.to_string()}};
      if (row->identity == Identity::felix) {
        auto message = Message{"wrong-felix-host", where};
        message.params["felixHost"] = row->felix_host;
        missing.push_back(std::move(message));
      } else if (row->outcome == Outcome::reset) {
        missing.push_back({"reset", where});
      } else if (row->outcome == Outcome::open && row->identity != Identity::typha &&
                 row->identity != Identity::other) {
        missing.push_back({"unidentified-listener", where});
      }
    }
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
    if (look.inside == nullptr) continue;
    for (const auto& process : look.inside->felix) later(process.started);
  }
  return start;
}

/// Two inside looks at the ends must have seen the same Felix process.
bool same_process(const NodeEvidence& evidence) {
  const InsideLook* first = nullptr;
  for (const auto& look : evidence.looks) {
    if (look.inside == nullptr || !look.inside->complete) continue;
    if (first == nullptr) first = look.inside;
    const auto pids = [](const InsideLook& inside) {
      std::set<int> result;
      for (const auto& process : inside.felix) result.insert(process.pid);
      return result;
    };
    if (first->pod_uid != look.inside->pod_uid || pids(*first) != pids(*look.inside)) return false;
  }
  return true;
}

bool freshly_changed(const ProveInput& input, std::optional<TimePoint> start) {
  const auto skew = input.facts->clock_skew;
  const auto& changed = input.facts->felix_configurations_changed;
  return (start && *start + kFresh > input.now) ||
         (changed && *changed - skew + kFresh > input.now);
}

void check_times(const NodeEvidence& evidence, const ProveInput& input, Reasons& missing) {
  if (evidence.looks.empty()) return;
  const auto start = felix_start(evidence, input.facts->clock_skew);
  const auto first = evidence.looks.front().earliest();
  const auto last = evidence.looks.back().earliest();
  if ((start && first < *start) || !same_process(evidence))
    missing.push_back({"look-too-early", {}});
  const bool one_is_enough = input.purpose == Purpose::diagnose && !freshly_changed(input, start);
  if (!one_is_enough && (evidence.looks.size() < 2 || last - first < input.settle)) {
    missing.push_back({"settle-too-short", {{"settle", to_string(input.settle)}}});
  }
}

enum class Support { no, clean, foreign };

/// The inside look: Felix's sockets are all known, and none is a metrics listener.
Support inside_supports(const NodeLook& look, const NodeEvidence& evidence) {
  if (look.inside == nullptr || !look.inside->complete || look.inside->felix.empty())
    return Support::no;
  const auto ports = evidence.ports();
  if (!felix_metrics_listeners(*look.inside, ports, false).empty()) return Support::no;
  bool foreign = false;
  for (const auto* listener : foreign_listeners(*look.inside, ports)) {
    // Not Felix's; but who it is must be known, from the process or from its answer.
    const bool answered = std::ranges::any_of(look.rows, [&](const Reach* row) {
      return row->endpoint.port == listener->endpoint.port &&
             (row->identity == Identity::other || row->identity == Identity::typha);
    });
    if (listener->comm.empty() && !answered) return Support::no;
    foreign = true;
  }
  for (const auto* row : look.rows) foreign = foreign || row->outcome == Outcome::open;
  return foreign ? Support::foreign : Support::clean;
}

/// The endpoints that answered as this node's Felix before refuse now.
Support before_after_supports(const NodeLook& look, const NodeEvidence& evidence) {
  if (evidence.before.empty()) return Support::no;
  for (const auto* before : evidence.before) {
    const bool refuses = std::ranges::any_of(look.rows, [&](const Reach* row) {
      return row->vantage == before->vantage && row->endpoint == before->endpoint &&
             row->outcome == Outcome::refused;
    });
    if (!refuses) return Support::no;
  }
  const bool answers = std::ranges::any_of(
      look.rows, [](const Reach* row) { return row->outcome == Outcome::open; });
  return answers ? Support::no : Support::clean;
}

Support network_supports(const NodeLook& look, const NodeEvidence& evidence) {
  if (!evidence.node->ready) return Support::no;
  const bool old_pod = std::ranges::any_of(
      evidence.pods, [](const PodFacts* pod) { return pod->terminating || pod->stale; });
  if (old_pod) return Support::no;
  switch (network_refusals(look, evidence)) {
    case Refusals::all:
      return Support::clean;
    case Refusals::all_but_foreign:
      return Support::foreign;
    case Refusals::no:
      return Support::no;
  }
  return Support::no;
}

/// What every look supports: `foreign` if one of them saw somebody else on the port.
Support all_support(const NodeEvidence& evidence,
                    Support (*supports)(const NodeLook&, const NodeEvidence&)) {
  if (evidence.looks.empty()) return Support::no;
  Support all = Support::clean;
  for (const auto& look : evidence.looks) {
    const auto one = supports(look, evidence);
    if (one == Support::no) return Support::no;
    if (one == Support::foreign) all = Support::foreign;
  }
  return all;
}

/// What one look lacked for a basis.
void explain_look(const NodeLook& look, const NodeEvidence& evidence, Reasons& missing) {
  if (look.inside != nullptr && !look.inside->complete) {
    const auto& code = look.inside->problem_code;
    missing.push_back({code.empty() ? "inside-incomplete" : code, {{"why", look.inside->problem}}});
  }
  if (look.inside != nullptr && look.inside->complete) {
    for (const auto* listener : foreign_listeners(*look.inside, evidence.ports())) {
      missing.push_back({"foreign-listener", {{"endpoint", listener->endpoint.to_string()}}});
    }
  }
  for (const auto* row : look.rows) {
    const std::map<std::string, std::string> where{{"vantage", row->vantage},
                                                   {"endpoint", row->endpoint.to_string()}};
    if (row->outcome == Outcome::timeout) missing.push_back({"timeout", where});
    if (row->outcome == Outcome::rejected) missing.push_back({"rejected", where});
    if (row->outcome == Outcome::unreachable || row->outcome == Outcome::error) {
      missing.push_back({"unreachable", where});
    }
    if (row->outcome == Outcome::refused && !look.control_passed(*row)) {
      missing.push_back({"control-failed", where});
    }
  }
}

/// InternalIPs that nobody asked.
void explain_addresses(const NodeEvidence& evidence, Reasons& missing) {
  bool internal = false;
  for (const auto& address : evidence.node->addresses) {
    if (address.type != "InternalIP") continue;
    internal = true;
    for (const Port port : evidence.ports()) {
      const HostPort endpoint{address.address, port};
      const bool asked = std::ranges::any_of(evidence.looks, [&](const NodeLook& look) {
        return std::ranges::any_of(look.rows,
                                   [&](const Reach* row) { return row->endpoint == endpoint; });
      });
      if (!asked) missing.push_back({"untested-address", {{"endpoint", endpoint.to_string()}}});
    }
  }
  if (!internal) missing.push_back({"addresses-unknown", {}});
}

/// Why no basis was found, as a person would ask: what did each vantage point say, in each look?
void explain_no_basis(const NodeEvidence& evidence, Reasons& missing) {
  if (evidence.looks.empty()) {
    missing.push_back({evidence.too_old ? "observation-too-old" : "no-vantage", {}});
    return;
  }
  if (!evidence.node->ready) {
    missing.push_back({"node-not-ready", {{"why", evidence.node->not_ready_reason}}});
  }
  for (const auto* pod : evidence.pods) {
    if (pod->terminating) missing.push_back(pod_message("pod-lingering", *pod));
    if (pod->stale) missing.push_back(pod_message("pod-stale", *pod));
  }
  for (const auto& look : evidence.looks) explain_look(look, evidence, missing);
  if (missing.empty()) explain_addresses(evidence, missing);
  if (missing.empty()) missing.push_back({"no-basis", {}});
}

}  // namespace

Refusals network_refusals(const NodeLook& look, const NodeEvidence& evidence) {
  bool any = false;
  bool foreign = false;
  for (const auto& address : evidence.node->addresses) {
    if (address.type != "InternalIP") continue;
    for (const Port port : evidence.ports()) {
      // One vantage point that the control vouches for is enough; one that anything else answered
      // is too much.
      bool refused = false;
      for (const auto* row : look.rows) {
        if (row->endpoint != HostPort{address.address, port}) continue;
        if (row->identity == Identity::other || row->identity == Identity::typha) {
          refused = foreign = true;
        } else if (row->outcome == Outcome::open || row->outcome == Outcome::reset) {
          return Refusals::no;
        } else if (row->outcome == Outcome::refused && look.control_passed(*row)) {
          refused = true;
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
  check_alive(evidence, proof.reasons);
  check_inside(evidence, proof.reasons);
  check_against(evidence, proof.reasons);
  check_times(evidence, input, proof.reasons);

  struct Row {
    Basis basis;
    Support (*supports)(const NodeLook&, const NodeEvidence&);
    const char* code;
  };
  constexpr Row kBases[] = {{Basis::inside, inside_supports, "inside-clean"},
                            {Basis::before_after, before_after_supports, "refused-before-after"},
                            {Basis::network, network_supports, "refused-everywhere"}};
  const Row* found = nullptr;
  for (const auto& row : kBases) {
    const auto support = all_support(evidence, row.supports);
    if (support == Support::no) continue;
    found = &row;
    proof.foreign = support == Support::foreign;
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

}  // namespace catflap
