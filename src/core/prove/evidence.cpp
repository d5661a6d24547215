#include "core/prove/evidence.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include "base/text.hpp"
#include "core/prove/schedules.hpp"

namespace catflap {
namespace {

constexpr Port kMetricsPort = 9091;

/// Ports that Felix listens on for other reasons (docs/how-it-decides.md).
std::set<Port> other_felix_ports(const InsideLook& inside) {
  std::set<Port> ports{9099, 9199, 10256};
  for (const auto& process : inside.felix) {
    for (const auto& [name, value] : process.environment) {
      if (!equal_ignoring_case(name, "FELIX_HEALTHPORT")) continue;
      unsigned port = 0;
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), port);
      if (error == std::errc{} && end == value.data() + value.size() && port <= 65535) {
        ports.insert(static_cast<Port>(port));
      }
    }
  }
  return ports;
}

bool may_run(const PodFacts& pod) {
  return pod.phase != "Succeeded" && pod.phase != "Failed";
}

bool too_old(TimePoint at, const ProveInput& input) {
  return input.policy.max_age && at + *input.policy.max_age < input.now;
}

struct ByNode {
  std::map<std::string, NodeEvidence> nodes;
  std::map<IpAddress, std::string> node_of_address;
};

/// The node a row belongs to: the one it was asked for, if that node (still) has the address.
NodeEvidence* owner_of(ByNode& all, const std::string& node, const IpAddress& address) {
  auto it = all.nodes.find(node);
  if (it == all.nodes.end()) {
    const auto by_address = all.node_of_address.find(address);
    if (by_address == all.node_of_address.end()) return nullptr;
    it = all.nodes.find(by_address->second);
  }
  return it == all.nodes.end() ? nullptr : &it->second;
}

void add_rows(ByNode& all, const Look& look, const ProveInput& input) {
  for (const auto& row : look.reached) {
    auto* evidence = owner_of(all, row.node, row.endpoint.address);
    if (evidence == nullptr) continue;
    if (too_old(row.at, input)) {
      evidence->too_old = true;
      continue;
    }
    evidence->looks.back().rows.push_back(&row);
    if (row.identity != Identity::felix || row.felix_host == evidence->node->name) continue;
    if (const auto host = all.nodes.find(row.felix_host); host != all.nodes.end()) {
      host->second.elsewhere.push_back(&row);
    }
  }
}

void add_look(ByNode& all, const Look& look, const ProveInput& input) {
  for (auto& [name, evidence] : all.nodes) evidence.looks.emplace_back();
  add_rows(all, look, input);
  for (const auto& control : look.controls) {
    const auto by_address = all.node_of_address.find(control.address);
    if (by_address == all.node_of_address.end() || too_old(control.at, input)) continue;
    all.nodes.at(by_address->second).looks.back().controls.push_back(&control);
  }
  for (const auto& inside : look.inside) {
    const auto it = all.nodes.find(inside.node);
    if (it == all.nodes.end()) continue;
    if (too_old(inside.at, input)) {
      it->second.too_old = true;
      continue;
    }
    // A look into a pod that is gone says nothing of the Felix that runs now.
    const bool pod_is_there = std::ranges::any_of(
        it->second.pods, [&](const PodFacts* pod) { return pod->uid == inside.pod_uid; });
    const auto*& slot = it->second.looks.back().inside;
    if (pod_is_there && (slot == nullptr || !slot->complete)) slot = &inside;
  }
}

}  // namespace

bool NodeLook::control_passed(const Reach& row) const {
  return std::ranges::any_of(controls, [&](const Control* control) {
    return control->vantage == row.vantage && control->address == row.endpoint.address &&
           control->passed();
  });
}

bool NodeLook::conclusive(const Reach& row) const {
  switch (row.outcome) {
    case Outcome::open:
    case Outcome::reset:
      return true;
    case Outcome::refused:
    case Outcome::timeout:
    case Outcome::rejected:
      return control_passed(row);
    case Outcome::unreachable:
    case Outcome::error:
      return false;
  }
  return false;
}

TimePoint NodeLook::earliest() const {
  TimePoint first = TimePoint::max();
  for (const auto* row : rows) first = std::min(first, row->at);
  if (inside != nullptr) first = std::min(first, inside->at);
  return first;
}

bool NodeEvidence::is_own_felix(const Reach& row) const {
  if (row.identity != Identity::felix || row.endpoint.address.is_loopback()) return false;
  return row.felix_host == node->name || !node_names->contains(row.felix_host);
}

std::set<Port> NodeEvidence::ports() const {
  std::set<Port> result{kMetricsPort};
  for (const auto* pod : pods) {
    const auto port = pod->declared.port.value;
    if (port && *port > 0 && *port <= 65535) result.insert(static_cast<Port>(*port));
  }
  return result;
}

std::vector<const Listener*> felix_metrics_listeners(const InsideLook& inside,
                                                     const std::set<Port>& ports,
                                                     bool random_port) {
  const auto known = other_felix_ports(inside);
  std::vector<const Listener*> found;
  for (const auto& listener : inside.listeners) {
    if (!listener.felix) continue;
    const bool asked = ports.contains(listener.endpoint.port);
    const bool explained = known.contains(listener.endpoint.port) ||
                           (listener.endpoint.address.is_loopback() && !random_port);
    if (asked || !explained) found.push_back(&listener);
  }
  return found;
}

std::vector<const Listener*> foreign_listeners(const InsideLook& inside,
                                               const std::set<Port>& ports) {
  std::vector<const Listener*> found;
  for (const auto& listener : inside.listeners) {
    if (!listener.felix && ports.contains(listener.endpoint.port)) found.push_back(&listener);
  }
  return found;
}

std::vector<NodeEvidence> gather(const ProveInput& input, const std::set<std::string>& node_names) {
  ByNode all;
  for (const auto& node : input.facts->nodes) {
    NodeEvidence evidence{.node = &node, .node_names = &node_names};
    evidence.scheduled = std::ranges::any_of(
        input.facts->daemon_sets,
        [&](const DaemonSetFacts& ds) { return schedules_on(ds.object, node); });
    for (const auto& address : node.addresses)
      all.node_of_address.emplace(address.address, node.name);
    all.nodes.emplace(node.name, std::move(evidence));
  }
  for (const auto& pod : input.facts->pods) {
    const auto it = all.nodes.find(pod.node);
    if (it != all.nodes.end() && may_run(pod)) it->second.pods.push_back(&pod);
  }
  for (const auto& look : input.looks) add_look(all, look, input);
  for (const auto& row : input.before) {
    auto* evidence = owner_of(all, row.node, row.endpoint.address);
    if (evidence != nullptr && row.felix_host == evidence->node->name)
      evidence->before.push_back(&row);
  }
  std::vector<NodeEvidence> result;
  for (auto& [name, evidence] : all.nodes) {
    std::erase_if(evidence.looks,
                  [](const NodeLook& look) { return look.rows.empty() && look.inside == nullptr; });
    result.push_back(std::move(evidence));
  }
  return result;
}

}  // namespace catflap
