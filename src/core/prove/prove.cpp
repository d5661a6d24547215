// The verdicts of all nodes with what else is said of each, and the cluster's.
#include "core/prove/prove.hpp"

#include <algorithm>
#include <array>

#include "core/prove/rules.hpp"

namespace catflap {
namespace {

/// The same word once: two looks that both timed out are one reason.
std::vector<Message> once(std::vector<Message> messages) {
  std::vector<Message> result;
  for (auto& message : messages) {
    if (std::ranges::find(result, message) == result.end()) result.push_back(std::move(message));
  }
  return result;
}

/// on, then undecided, then off; null without pods.
const PodFacts* worst_pod(const NodeEvidence& evidence) {
  const auto rank = [](const PodFacts* pod) {
    switch (enabled_switch(pod->declared)) {
      case Switch::on:
        return 0;
      case Switch::undecided:
        return 1;
      case Switch::off:
        return 2;
    }
    return 2;
  };
  const auto worst = std::ranges::min_element(evidence.pods, {}, rank);
  return worst == evidence.pods.end() ? nullptr : *worst;
}

/// Nothing sets it, and yet it answers or listens: the build enables it.
bool enabled_by_build(const NodeEvidence& evidence) {
  for (const auto& look : evidence.looks) {
    if (std::ranges::any_of(look.rows,
                            [&](const Reach* row) { return evidence.is_own_felix(*row); }))
      return true;
    if (!felix_metrics_listeners(look, evidence.ports(), false).empty()) return true;
  }
  return !evidence.elsewhere.empty();
}

Coverage coverage_of(const NodeEvidence& evidence) {
  Coverage coverage;
  const auto* last = evidence.last();
  for (const auto& address : evidence.node->addresses) {
    for (const Port port : evidence.ports()) {
      const HostPort endpoint{address.address, port};
      const bool tested = last != nullptr && std::ranges::any_of(last->rows, [&](const Reach* row) {
                            return row->endpoint == endpoint && last->conclusive(*row);
                          });
      (tested ? coverage.tested : coverage.untested).push_back(endpoint);
    }
  }
  return coverage;
}

bool accepted(const NodeVerdict& node, const ProveInput& input) {
  const auto& policy = input.policy;
  const Verdict verdict = node.verdict;
  if (verdict == Verdict::exposed || verdict == Verdict::armed || verdict == Verdict::unknown)
    return false;
  if (verdict == Verdict::closed || verdict == Verdict::no_felix) return true;
  if (verdict == Verdict::not_felix && policy.scope == Policy::Scope::felix) return true;
  if (std::ranges::find(policy.accept, verdict) != policy.accept.end()) return true;
  return std::ranges::any_of(policy.exceptions, [&](const Policy::Exception& exception) {
    return exception.node == node.name && exception.verdict == verdict &&
           (!exception.until || input.now <= *exception.until);
  });
}

NodeVerdict verdict_of(const NodeEvidence& evidence, const ProveInput& input) {
  auto judgement = judge(evidence, input);
  NodeVerdict node{.name = evidence.node->name,
                   .addresses = evidence.node->addresses,
                   .verdict = judgement.verdict,
                   .basis = judgement.basis,
                   .by = std::move(judgement.by),
                   .reasons = once(std::move(judgement.reasons)),
                   .coverage = coverage_of(evidence)};
  for (const auto* pod : evidence.pods) {
    node.pods.push_back({pod->namespace_, pod->name, pod->uid, pod->ready, pod->stale,
                         pod->terminating, pod->declared});
  }
  if (const auto* worst = worst_pod(evidence)) node.declared = worst->declared;
  if (node.declared && node.declared->enabled.assumed && enabled_by_build(evidence)) {
    const auto upgrade = [](Declared& declared) {
      if (!declared.enabled.assumed) return;
      declared.enabled.value = true;
      declared.enabled.layer = Layer::build;
    };
    upgrade(*node.declared);
    for (auto& pod : node.pods) upgrade(pod.declared);
  }
  if (const auto* last = evidence.last()) {
    node.listening = last->listeners;
    for (const auto* row : last->rows) node.reachable.push_back(*row);
  }
  node.accepted = accepted(node, input);
  return node;
}

Population count(const ProveInput& input, const std::vector<NodeEvidence>& evidence,
                 const std::vector<NodeVerdict>& nodes, const std::set<std::string>& names) {
  Population population{.total = static_cast<int>(nodes.size())};
  for (const auto& one : evidence) population.tested += one.looks.empty() ? 0 : 1;
  for (const auto& node : nodes) {
    if (node.verdict == Verdict::no_felix)
      population.excluded.push_back({"no-felix-scheduled", {{"node", node.name}}});
  }
  if (!input.known_nodes.empty()) {
    const std::set<std::string> before(input.known_nodes.begin(), input.known_nodes.end());
    std::ranges::set_difference(names, before, std::back_inserter(population.joined));
    std::ranges::set_difference(before, names, std::back_inserter(population.left));
  }
  return population;
}

Stability stability_of(const ProveInput& input) {
  Stability stability{.owner_cycle = input.owner_cycle};
  for (const auto& look : input.looks) stability.looks.push_back(look.started);
  if (input.looks.size() < 2) {
    stability.owner_cycle_covered = input.owner_cycle.empty();
    return stability;
  }
  const auto watched = input.looks.back().started - input.looks.front().started;
  stability.settled = watched >= input.settle;
  stability.owner_cycle_covered =
      input.owner_cycle.empty() ||
      (input.owner_cycle_length && watched >= *input.owner_cycle_length);
  return stability;
}

/// `unknown` stands after `armed`; the rest is the table's order.
int severity_rank(Verdict verdict) {
  constexpr std::array kWorstFirst{Verdict::exposed,    Verdict::armed,      Verdict::unknown,
                                   Verdict::protected_, Verdict::local_only, Verdict::filtered,
                                   Verdict::not_felix,  Verdict::closed,     Verdict::no_felix};
  return static_cast<int>(std::ranges::find(kWorstFirst, verdict) - kWorstFirst.begin());
}

}  // namespace

ClusterVerdict prove(const ProveInput& input) {
  std::set<std::string> names;
  for (const auto& node : input.facts->nodes) names.insert(node.name);
  const auto evidence = gather(input, names);

  ClusterVerdict cluster;
  for (const auto& one : evidence) cluster.nodes.push_back(verdict_of(one, input));
  for (const auto& node : cluster.nodes) ++cluster.counts[node.verdict];
  const auto worst = std::ranges::min_element(
      cluster.nodes, {}, [](const NodeVerdict& node) { return severity_rank(node.verdict); });
  if (worst != cluster.nodes.end()) cluster.verdict = worst->verdict;
  cluster.population = count(input, evidence, cluster.nodes, names);
  cluster.stability = stability_of(input);
  return cluster;
}

int exit_code(const ClusterVerdict& cluster) {
  bool unknown = false;
  bool felix = false;
  for (const auto& node : cluster.nodes) {
    if (node.verdict == Verdict::unknown) {
      unknown = true;
    } else if (!node.accepted) {
      return 1;
    }
    felix = felix || node.verdict != Verdict::no_felix;
  }
  return unknown || !felix ? 3 : 0;
}

}  // namespace catflap
