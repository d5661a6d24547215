#include "look/look.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "base/text.hpp"
#include "core/prove/evidence.hpp"
#include "look/vantage.hpp"

namespace catflap::look {
namespace {

struct VantageRow {
  const char* name;
  RunVantage run;
};
// Weakest footprint first; in this order they are used, whatever the order asked for.
constexpr VantageRow kVantages[] = {{"direct", look_direct},
                                    {"apiserver", look_apiserver},
                                    {"portforward", look_portforward},
                                    {"exec", look_exec}};

void add_port(std::set<Port>& ports, const Declared& declared) {
  const auto value = declared.port.value;
  if (value && *value > 0 && *value <= 65535) ports.insert(static_cast<Port>(*value));
}

template <class T>
void append(std::vector<T>& to, std::vector<T>&& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

Result<void> check_names(const std::vector<std::string>& asked) {
  const auto known = vantage_names();
  for (const auto& name : asked) {
    if (std::ranges::find(known, name) != known.end() || parse_pod_vantage(name) ||
        parse_agent_vantage(name))
      continue;
    std::string list;
    for (const auto& each : known) list += (list.empty() ? "" : ", ") + each;
    const auto near = nearest(name, known);
    return Error{.kind = ErrorKind::usage,
                 .what = fmt::format("unknown vantage point \"{}\"", printable(name, 64)),
                 .hint = near.empty() ? fmt::format("known are {}", list)
                                      : fmt::format("did you mean {}? Known are {}", near, list)};
  }
  return {};
}

/// Ports where the looks inside saw Felix listen for outsiders, and that nobody has asked. What
/// says so is the node's word: it may not make this a scan.
std::map<std::string, std::set<Port>> found_inside(const ClusterFacts& facts, const Look& look) {
  constexpr std::size_t kMost = 8;
  std::map<std::string, std::set<Port>> found;
  const ProveInput input{.facts = &facts, .looks = {look}};
  for (const auto& evidence : gather(input, {})) {
    if (evidence.last() == nullptr) continue;
    const auto ports = ports_of(facts, evidence.node->name);
    const std::set<Port> asked(ports.begin(), ports.end());
    for (const auto* listener : felix_metrics_listeners(*evidence.last(), asked, false)) {
      const auto& [address, port] = listener->endpoint;
      if (address.is_loopback() || asked.contains(port)) continue;
      auto& own = found[evidence.node->name];
      if (own.size() < kMost) own.insert(port);
    }
  }
  return found;
}

/// The nodes in question alone, with their pods.
ClusterFacts narrowed(ClusterFacts facts, const std::map<std::string, std::set<Port>>& only) {
  std::erase_if(facts.nodes, [&](const NodeFacts& node) { return !only.contains(node.name); });
  std::erase_if(facts.pods, [&](const PodFacts& pod) { return !only.contains(pod.node); });
  return facts;
}

/// One vantage point a word, those asked for, in their order.
std::vector<std::pair<std::string, RunVantage>> chosen(const std::vector<std::string>& asked) {
  std::vector<std::pair<std::string, RunVantage>> all;
  for (const auto& row : kVantages)
    if (std::ranges::find(asked, row.name) != asked.end()) all.emplace_back(row.name, row.run);
  std::set<std::string> named;
  const auto add = [&](auto parse) {
    for (const auto& name : asked)
      if (parse(name) && named.insert(name).second) all.emplace_back(name, nullptr);
  };
  add(parse_pod_vantage);
  add(parse_agent_vantage);
  return all;
}

}  // namespace

std::vector<Port> ports_of(const ClusterFacts& facts, const std::string& node) {
  std::set<Port> ports{kDefaultMetricsPort};
  for (const auto& pod : facts.pods) {
    if (pod.node == node) add_port(ports, pod.declared);
  }
  // A Felix whose pod object is gone already, or not there yet, listens where its DaemonSet says.
  for (const auto& daemon_set : facts.daemon_sets) add_port(ports, daemon_set.template_declared);
  return {ports.begin(), ports.end()};
}

std::vector<Port> ports_to_ask(const ClusterFacts& facts, const LookOptions& options,
                               const std::string& node) {
  if (options.only.empty()) return ports_of(facts, node);
  const auto own = options.only.find(node);
  if (own == options.only.end()) return {};
  return {own->second.begin(), own->second.end()};
}

std::vector<std::string> vantage_names() {
  std::vector<std::string> names;
  for (const auto& row : kVantages) names.emplace_back(row.name);
  return names;
}

Result<Look> look(const LookContext& context, const ClusterFacts& facts,
                  const LookOptions& options) {
  TRY(check_names(options.vantages));
  Look all;
  all.started = context.clock.now();
  const auto add = [&](Look one) {
    append(all.reached, std::move(one.reached));
    append(all.controls, std::move(one.controls));
    append(all.inside, std::move(one.inside));
    append(all.skipped, std::move(one.skipped));
  };
  const auto run = [&](const auto& vantage, const ClusterFacts& at, const LookOptions& how) {
    const auto& [name, function] = vantage;
    if (context.stop.stop_requested()) return;
    const auto by_name = parse_agent_vantage(name) ? look_agent : look_pod;
    add(function != nullptr ? function(context, at, how) : by_name(context, at, how, name));
  };
  const auto vantages = chosen(options.vantages);
  for (const auto& vantage : vantages) run(vantage, facts, options);
  auto again = options;
  again.only = found_inside(facts, all);
  const auto skipped = all.skipped;  // said once
  if (!again.only.empty()) {
    const auto there = narrowed(facts, again.only);
    for (const auto& vantage : vantages)
      if (vantage.second != look_exec && vantage.second != look_portforward)
        run(vantage, there, again);
    all.skipped = skipped;
  }
  if (context.stop.stop_requested()) {
    return Error{.kind = ErrorKind::interrupted, .what = "stopped while looking at the nodes"};
  }
  all.finished = context.clock.now();
  return all;
}

}  // namespace catflap::look
