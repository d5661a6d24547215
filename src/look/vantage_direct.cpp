// direct: every address of every node, at every port that Felix could have, from this machine.
// Beside them one control per address: the kubelet's port. Only where that answers does silence or
// a refusal mean anything.
#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "look/answers.hpp"
#include "look/vantage.hpp"

namespace catflap::look {
namespace {

constexpr const char* kName = "direct";

std::vector<net::Target> targets_of(const ClusterFacts& facts, const LookOptions& options) {
  std::vector<net::Target> targets;
  for (const auto& node : facts.nodes) {
    const auto ports = ports_to_ask(facts, options, node.name);
    for (const auto& [address, type] : node.addresses) {
      targets.push_back({.endpoint = {address, kKubeletPort}, .node = node.name, .control = true});
      for (const Port port : ports) {
        targets.push_back({.endpoint = {address, port}, .node = node.name});
      }
    }
  }
  return targets;
}

/// Two nodes may name one address (a NAT); it is one control, passed if it passed for either.
void add_control(std::map<IpAddress, Control>& controls, const Reach& record) {
  const Control control{.vantage = kName,
                        .address = record.endpoint.address,
                        .port = record.endpoint.port,
                        .outcome = record.outcome,
                        .at = record.at};
  auto [it, added] = controls.emplace(control.address, control);
  if (!added && control.passed()) it->second = control;
}

}  // namespace

Look look_direct(const LookContext& context, const ClusterFacts& facts,
                 const LookOptions& options) {
  Look look;
  const auto targets = targets_of(facts, options);
  auto probe_options = options.probe;
  probe_options.stop = context.stop;
  if (context.progress) context.progress(kName, 0, targets.size());
  auto records = context.probe(targets, probe_options);
  if (context.progress) context.progress(kName, targets.size(), targets.size());

  std::map<IpAddress, Control> controls;
  for (std::size_t i = 0; i < std::min(records.size(), targets.size()); ++i) {
    auto& record = records[i];
    if (targets[i].control) {
      add_control(controls, record);
      continue;
    }
    record.vantage = kName;
    record.node = targets[i].node;
    look.reached.push_back(std::move(record));
  }
  bool sees = false;
  for (const auto& [address, control] : controls) {
    sees = sees || control.passed();
    look.controls.push_back(control);
  }
  if (sees || controls.empty()) return look;
  // Blind. What answered did answer; a refusal or silence seen from here says nothing about a node.
  std::erase_if(look.reached, [](const Reach& record) { return record.outcome != Outcome::open; });
  look.skipped.push_back({kName, "blind",
                          fmt::format("port {} answered at none of {} node addresses", kKubeletPort,
                                      controls.size())});
  return look;
}

}  // namespace catflap::look
