#include "look/read_node.hpp"

#include <algorithm>

#include "base/json_read.hpp"
#include "base/text.hpp"

namespace catflap::look {
namespace {

struct AnnotationRow {
  const char* key;
  const char* type;
};
// Names: Calico v3.30, libcalico-go/lib/backend/k8s/resources/node.go.
constexpr AnnotationRow kAddressAnnotations[] = {
    {"projectcalico.org/IPv4Address", "CalicoIP"},
    {"projectcalico.org/IPv6Address", "CalicoIP"},
    {"projectcalico.org/IPv4IPIPTunnelAddr", "Tunnel"},
    {"projectcalico.org/IPv4VXLANTunnelAddr", "Tunnel"},
    {"projectcalico.org/IPv6VXLANTunnelAddr", "Tunnel"},
    {"projectcalico.org/IPv4WireguardInterfaceAddr", "Tunnel"},
    {"projectcalico.org/IPv6WireguardInterfaceAddr", "Tunnel"},
};

void read_addresses(const json::object& node, NodeFacts& facts) {
  for (const char* type : {"InternalIP", "ExternalIP"}) {
    for (const auto& entry : array_at(node, {"status", "addresses"})) {
      if (!entry.is_object() || text_at(entry.get_object(), {"type"}) != type) continue;
      const auto address = IpAddress::parse(text_at(entry.get_object(), {"address"}));
      if (address) add_address(facts, *address, type);
    }
  }
  for (const auto& row : kAddressAnnotations) {
    const auto text = text_at(node, {"metadata", "annotations", row.key});
    const auto address = IpAddress::parse(text.substr(0, text.find('/')));
    if (address) add_address(facts, *address, row.type);
  }
}

/// What calicoctl label puts on a node: JSON in an annotation (libcalico-go, as above).
void read_calico_labels(const json::object& node, NodeFacts& facts) {
  json::error_code failed;
  const auto text = text_at(node, {"metadata", "annotations", "projectcalico.org/labels"});
  const auto parsed = json::parse(text, failed);
  if (failed || !parsed.is_object()) return;
  for (const auto& entry : parsed.get_object()) {
    facts.calico_labels.emplace(entry.key(), text_at(parsed.get_object(), {entry.key()}));
  }
}

void read_ready(const json::object& node, NodeFacts& facts) {
  facts.not_ready_reason = "no Ready condition";
  for (const auto& entry : array_at(node, {"status", "conditions"})) {
    if (!entry.is_object() || text_at(entry.get_object(), {"type"}) != "Ready") continue;
    const auto& condition = entry.get_object();
    facts.ready = text_at(condition, {"status"}) == "True";
    facts.not_ready_reason.clear();
    if (facts.ready) return;
    const auto message = text_at(condition, {"message"});
    facts.not_ready_reason = text_at(condition, {"reason"});
    if (!message.empty()) facts.not_ready_reason += ": " + printable(message, 200);
    return;
  }
}

}  // namespace

void add_address(NodeFacts& node, const IpAddress& address, const std::string& type) {
  const bool known = std::ranges::any_of(
      node.addresses, [&](const NodeAddress& have) { return have.address == address; });
  if (!known) node.addresses.push_back({address, type});
}

NodeFacts read_node(const json::object& node) {
  NodeFacts facts;
  facts.name = text_at(node, {"metadata", "name"});
  facts.uid = text_at(node, {"metadata", "uid"});
  facts.machine_id = text_at(node, {"status", "nodeInfo", "machineID"});
  facts.boot_id = text_at(node, {"status", "nodeInfo", "bootID"});
  if (const auto* labels = object_at(node, {"metadata", "labels"})) {
    for (const auto& entry : *labels) {
      facts.labels.emplace(entry.key(), text_at(*labels, {entry.key()}));
    }
  }
  read_calico_labels(node, facts);
  read_addresses(node, facts);
  read_ready(node, facts);
  facts.unschedulable = true_at(node, {"spec", "unschedulable"});
  for (const auto& entry : array_at(node, {"spec", "taints"})) {
    if (!entry.is_object()) continue;
    const auto& taint = entry.get_object();
    facts.taints.push_back(
        {text_at(taint, {"key"}), text_at(taint, {"value"}), text_at(taint, {"effect"})});
  }
  const auto os = facts.labels.find("kubernetes.io/os");
  facts.windows = os != facts.labels.end()
                      ? os->second == "windows"
                      : text_at(node, {"status", "nodeInfo", "operatingSystem"}) == "windows";
  return facts;
}

}  // namespace catflap::look
