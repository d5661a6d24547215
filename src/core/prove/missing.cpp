#include "core/prove/missing.hpp"

#include <algorithm>
#include <map>

namespace catflap {
namespace {

/// What one look lacked for a basis.
void explain_look(const NodeLook& look, const NodeEvidence& evidence,
                  std::vector<Message>& missing) {
  for (const auto* inside : look.insides) {
    if (inside->complete) continue;
    const auto& code = inside->problem_code;
    missing.push_back({code.empty() ? "inside-incomplete" : code, {{"why", inside->problem}}});
  }
  for (const auto* listener : foreign_listeners(look, evidence.ports())) {
    if (!identified(look, *listener)) continue;
    missing.push_back({"foreign-listener",
                       {{"endpoint", listener->endpoint.to_string()}, {"comm", listener->comm}}});
  }
  for (const auto* row : look.rows) {
    const std::map<std::string, std::string> where{{"vantage", row->vantage},
                                                   {"endpoint", row->endpoint.to_string()}};
    if (row->outcome == Outcome::timeout) missing.push_back({"timeout", where});
    if (row->outcome == Outcome::rejected) missing.push_back({"rejected", where});
    if (row->outcome == Outcome::unreachable || row->outcome == Outcome::error) {
      missing.push_back({"unreachable", where});
    }
    if (row->outcome != Outcome::refused || row->inside_the_node()) continue;
    if (!look.control_passed(*row)) {
      missing.push_back({"control-failed", where});
    } else if (row->retold()) {
      missing.push_back({"refusal-retold", where});
    }
  }
}

/// InternalIPs that nobody asked.
void explain_addresses(const NodeEvidence& evidence, std::vector<Message>& missing) {
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

}  // namespace

Message pod_message(const char* code, const PodFacts& pod) {
  return {code, {{"pod", pod.namespace_ + "/" + pod.name}}};
}

const PodFacts* pod_on_unknown_port(const NodeEvidence& evidence) {
  const auto found = std::ranges::find_if(evidence.pods, [](const PodFacts* pod) {
    return rests_on_default(pod->declared.enabled) && pod->declared.port.value.value_or(0) == 0;
  });
  return found == evidence.pods.end() ? nullptr : *found;
}

void explain_no_basis(const NodeEvidence& evidence, std::vector<Message>& missing) {
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
  if (const auto* pod = pod_on_unknown_port(evidence)) {
    const auto& port = pod->declared.port;
    auto message = pod_message(port.value ? "port-random" : "declared-unreadable", *pod);
    if (!port.value) message.params["why"] = "its port: " + port.why;
    missing.push_back(std::move(message));
  }
  for (const auto& look : evidence.looks) explain_look(look, evidence, missing);
  if (missing.empty()) explain_addresses(evidence, missing);
  if (missing.empty()) missing.push_back({"no-basis", {}});
}

}  // namespace catflap
