#include "core/prove/evidence.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include "base/text.hpp"
#include "core/prove/schedules.hpp"

namespace catflap {
namespace {

std::set<Port> other_felix_ports(const std::vector<const PodFacts*>& pods) {
  std::set<Port> ports{9099, 9199, 10256};
  for (const auto* pod : pods) {
    for (const int port : pod->declared.other_ports) ports.insert(static_cast<Port>(port));
  }
  return ports;
}

/// What the environment says is resolved with the rest; this is the real one.
void add_health_ports(const FelixProcess& process, std::set<Port>& ports) {
  for (const auto& [name, value] : process.environment) {
    if (!equal_ignoring_case(name, "FELIX_HEALTHPORT")) continue;
    unsigned port = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), port);
    if (error == std::errc{} && end == value.data() + value.size() && port <= 65535) {
      ports.insert(static_cast<Port>(port));
    }
  }
}

/// A pod that ended runs no more; but what the API says of a node that is away is old, and a pod
/// that is being deleted may be marked as failed before its container has ended.
bool may_run(const PodFacts& pod, const NodeFacts& node) {
  const bool ended = pod.phase == "Succeeded" || pod.phase == "Failed";
  return !ended || pod.terminating || !node.ready;
}

void add_inside(NodeLook& look, const InsideLook& inside) {
  look.insides.push_back(&inside);
  for (const auto& process : inside.felix) add_health_ports(process, look.other_ports);
  for (const auto& listener : inside.listeners) {
    const auto same = std::ranges::find_if(look.listeners, [&](const Listener& known) {
      return known.endpoint == listener.endpoint && known.inode == listener.inode;
    });
    if (same == look.listeners.end()) {
      look.listeners.push_back(listener);
    } else if (listener.felix || (!same->felix && same->comm.empty())) {
      *same = listener;
    }
  }
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
  for (auto& [name, evidence] : all.nodes) {
    evidence.looks.push_back({.other_ports = other_felix_ports(evidence.pods)});
  }
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
    if (!pod_is_there) continue;
    add_inside(it->second.looks.back(), inside);
  }
}

}  // namespace

const InsideLook* NodeLook::complete_into(const PodFacts& pod) const {
  const auto found = std::ranges::find_if(insides, [&](const InsideLook* inside) {
    return inside->complete && inside->pod_uid == pod.uid;
  });
  return found == insides.end() ? nullptr : *found;
}

bool NodeLook::control_passed(const Reach& row) const {
  // At a loopback address another port vouches for the machine that catflap runs on, not the node.
  if (row.endpoint.address.is_loopback()) return false;
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
  for (const auto* inside : insides) first = std::min(first, inside->at);
  return first;
}

bool NodeEvidence::is_own_felix(const Reach& row) const {
  if (row.identity != Identity::felix) return false;
  // At a loopback address answers whoever runs here, unless it is the one by which the node is
  // known and it says that node's name: the nodes of `catflap demo` are such.
  if (row.endpoint.address.is_loopback()) {
    return row.felix_host == node->name &&
           std::ranges::any_of(node->addresses, [&](const NodeAddress& known) {
             return known.address == row.endpoint.address;
           });
  }
  return row.felix_host == node->name || !node_names->contains(row.felix_host);
}

std::set<Port> NodeEvidence::ports() const {
  std::set<Port> result{kDefaultMetricsPort};
  for (const auto* pod : pods) {
    const auto port = pod->declared.port.value;
    if (port && *port > 0 && *port <= 65535) result.insert(static_cast<Port>(*port));
  }
  return result;
}

bool NodeEvidence::seen_inside(const NodeLook& look) const {
  bool any = false;
  for (const auto* pod : pods) {
    const bool seen = look.complete_into(*pod) != nullptr;
    if (!seen && (pod->felix_running || pod->terminating)) return false;
    any = any || seen;
  }
  return any;
}

bool is_foreign(const Reach& row) {
  return row.identity == Identity::other || row.identity == Identity::typha;
}

bool covers(const NodeLook& look, const Listener& listener, const HostPort& endpoint) {
  const auto& address = listener.endpoint.address;
  if (listener.endpoint.port != endpoint.port) return false;
  if (!address.is_unspecified()) return address == endpoint.address;
  if (address.is_v6() == endpoint.address.is_v6()) return true;
  return address.is_v6() && std::ranges::none_of(look.listeners, [&](const Listener& other) {
           return other.endpoint.port == endpoint.port && other.endpoint.address.is_unspecified() &&
                  !other.endpoint.address.is_v6();
         });
}

std::vector<const Listener*> felix_metrics_listeners(const NodeLook& look,
                                                     const std::set<Port>& ports,
                                                     bool random_port) {
  std::vector<const Listener*> found;
  for (const auto& listener : look.listeners) {
    if (!listener.felix) continue;
    const bool asked = ports.contains(listener.endpoint.port);
    const bool explained = look.other_ports.contains(listener.endpoint.port) ||
                           (listener.endpoint.address.is_loopback() && !random_port);
    if (asked || !explained) found.push_back(&listener);
  }
  return found;
}

std::vector<const Listener*> foreign_listeners(const NodeLook& look, const std::set<Port>& ports) {
  std::vector<const Listener*> found;
  for (const auto& listener : look.listeners) {
    if (!listener.felix && ports.contains(listener.endpoint.port)) found.push_back(&listener);
  }
  return found;
}

bool identified(const NodeLook& look, const Listener& listener) {
  return !listener.comm.empty() || std::ranges::any_of(look.rows, [&](const Reach* row) {
    return is_foreign(*row) && covers(look, listener, row->endpoint);
  });
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
    if (it != all.nodes.end() && may_run(pod, *it->second.node)) it->second.pods.push_back(&pod);
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
                  [](const NodeLook& look) { return look.rows.empty() && look.insides.empty(); });
    result.push_back(std::move(evidence));
  }
  return result;
}

}  // namespace catflap
