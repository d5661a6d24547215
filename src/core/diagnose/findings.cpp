#include "core/diagnose/findings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "core/plan/owner.hpp"

namespace catflap {
namespace {

constexpr Duration kSkewWorthSaying = std::chrono::seconds(5);

std::string describe(const Source& source) {
  if (source.kind.empty()) return "the compiled default";
  const auto name = source.namespace_.empty() ? source.name : source.namespace_ + "/" + source.name;
  return fmt::format("{} of {} {}", source.field, source.kind, name);
}

void add_once(std::vector<Message>& findings, Message finding) {
  if (std::ranges::find(findings, finding) == findings.end())
    findings.push_back(std::move(finding));
}

// --- one node
// --------------------------------------------------------------------------------------------------------

void endpoint_findings(NodeVerdict& node) {
  for (const auto& row : node.reachable) {
    const auto endpoint = row.endpoint.to_string();
    if (row.identity == Identity::felix && row.felix_host != node.name) {
      node.findings.push_back(
          {"CF0043", {{"endpoint", endpoint}, {"node", node.name}, {"felixHost", row.felix_host}}});
    } else if (row.identity == Identity::felix) {
      const char* code = row.tls ? "CF0002" : "CF0001";
      if (row.throwaway == ThrowawayResult::accepted) code = "CF0003";
      node.findings.push_back({code, {{"endpoint", endpoint}}});
    } else if (row.identity == Identity::other || row.identity == Identity::typha) {
      node.findings.push_back({"CF0007", {{"endpoint", endpoint}}});
    }
  }
}

void verdict_findings(NodeVerdict& node) {
  if (node.verdict == Verdict::armed) {
    node.findings.push_back({"CF0004", {{"node", node.name}}});
  } else if (node.verdict == Verdict::local_only) {
    node.findings.push_back({"CF0005", {{"node", node.name}}});
  } else if (node.verdict == Verdict::filtered) {
    node.findings.push_back({"CF0006", {{"node", node.name}}});
  }
  if (node.coverage.untested.empty()) return;
  std::vector<std::string> addresses;
  for (const auto& endpoint : node.coverage.untested) addresses.push_back(endpoint.to_string());
  node.findings.push_back(
      {"CF0055", {{"addresses", fmt::format("{}", fmt::join(addresses, ", "))}}});
}

void declared_findings(NodeVerdict& node) {
  if (!node.declared) return;
  const auto& declared = *node.declared;
  const bool answered = std::ranges::any_of(node.reachable, [&](const Reach& row) {
    return row.felix_host == node.name && row.identity == Identity::felix;
  });
  const bool refused =
      !node.reachable.empty() && std::ranges::all_of(node.reachable, [](const Reach& row) {
        return row.outcome == Outcome::refused;
      });
  if (declared.enabled.layer == Layer::build) {
    node.findings.push_back({"CF0041", {{"node", node.name}}});
  } else if (answered && enabled_switch(declared) == Switch::off) {
    // The configuration that catflap read says off: another Felix, outside the pods that were
    // judged, answers.
    node.findings.push_back({"CF0044", {{"node", node.name}}});
  }
  if (refused && enabled_switch(declared) == Switch::on) {
    node.findings.push_back(
        {"CF0042", {{"node", node.name}, {"source", describe(declared.enabled.source)}}});
  }
}

void pod_findings(NodeVerdict& node) {
  for (const auto& pod : node.pods) {
    const auto name = pod.namespace_ + "/" + pod.name;
    if (pod.stale) node.findings.push_back({"CF0024", {{"pod", name}}});
    if (pod.terminating) node.findings.push_back({"CF0025", {{"pod", name}}});
  }
}

// --- the configuration, once for the cluster
// ---------------------------------------------------------------------------

void owner_findings(std::vector<Message>& findings, const json::object& object,
                    const std::string& name) {
  for (const auto& owner : owners_of(object)) add_once(findings, owner_finding(owner, name));
}

std::string name_of(const json::object& object) {
  const auto* metadata = object.if_contains("metadata");
  const auto* name = metadata != nullptr && metadata->is_object()
                         ? metadata->get_object().if_contains("name")
                         : nullptr;
  return name != nullptr && name->is_string() ? std::string(name->get_string()) : std::string();
}

void daemon_set_findings(std::vector<Message>& findings, const ClusterFacts& facts) {
  for (const auto& daemon_set : facts.daemon_sets) {
    const auto name = daemon_set.namespace_ + "/" + daemon_set.name;
    if (daemon_set.on_delete) findings.push_back({"CF0027", {{"daemonset", name}}});
    const auto old = std::ranges::count_if(facts.pods, [&](const PodFacts& pod) {
      return pod.stale && pod.namespace_ == daemon_set.namespace_ &&
             pod.daemon_set == daemon_set.name;
    });
    if (old > 0)
      findings.push_back({"CF0029", {{"daemonset", name}, {"count", std::to_string(old)}}});
    owner_findings(findings, daemon_set.object, "DaemonSet " + name);
  }
  for (const auto& object : facts.felix_configurations) {
    owner_findings(findings, object, "FelixConfiguration " + name_of(object));
  }
  if (facts.daemon_sets.size() > 1) {
    std::vector<std::string> names;
    for (const auto& daemon_set : facts.daemon_sets)
      names.push_back(daemon_set.namespace_ + "/" + daemon_set.name);
    findings.push_back({"CF0035",
                        {{"count", std::to_string(names.size())},
                         {"names", fmt::format("{}", fmt::join(names, ", "))}}});
  }
  if (facts.daemon_sets.empty()) findings.push_back({"CF0036", {}});
}

// --- the run
// -----------------------------------------------------------------------------------------------------------

void run_findings(ClusterVerdict& cluster, const ClusterFacts& facts,
                  const std::vector<Look>& looks) {
  auto& findings = cluster.findings;
  if (!facts.felix_configurations_state.readable) {
    findings.push_back({"CF0037", {{"why", facts.felix_configurations_state.why}}});
  } else if (facts.calico_api == CalicoApi::none && !facts.daemon_sets.empty()) {
    findings.push_back({"CF0052", {}});
  }
  const auto skew = facts.clock_skew < Duration{} ? -facts.clock_skew : facts.clock_skew;
  if (skew >= kSkewWorthSaying) findings.push_back({"CF0038", {{"skew", to_string(skew)}}});
  for (const auto& look : looks) {
    for (const auto& skipped : look.skipped) {
      const char* code = skipped.code == "blind" ? "CF0039" : "CF0040";
      Message finding{code, {{"vantage", skipped.vantage}}};
      if (skipped.code != "blind") finding.params["why"] = skipped.detail;
      add_once(findings, std::move(finding));
    }
  }
  std::vector<std::string> windows;
  for (const auto& node : facts.nodes) {
    if (node.windows) windows.push_back(node.name);
  }
  if (!windows.empty())
    findings.push_back({"CF0045", {{"nodes", fmt::format("{}", fmt::join(windows, ", "))}}});
  const auto& population = cluster.population;
  if (!population.joined.empty() || !population.left.empty()) {
    Message finding{"CF0046", {}};
    if (!population.joined.empty())
      finding.params["joined"] = fmt::format("{}", fmt::join(population.joined, ", "));
    if (!population.left.empty())
      finding.params["left"] = fmt::format("{}", fmt::join(population.left, ", "));
    findings.push_back(std::move(finding));
  }
  if (looks.size() == 1 && cluster.counts.contains(Verdict::closed))
    findings.push_back({"CF0054", {}});
}

}  // namespace

void add_findings(ClusterVerdict& cluster, const ClusterFacts& facts,
                  const std::vector<Look>& looks) {
  for (auto& node : cluster.nodes) {
    endpoint_findings(node);
    verdict_findings(node);
    declared_findings(node);
    pod_findings(node);
    if (node.declared) {
      for (const auto& note : node.declared->notes) add_once(cluster.findings, note);
    }
    const auto fact = std::ranges::find(facts.nodes, node.name, &NodeFacts::name);
    if (fact != facts.nodes.end() && !fact->ready) {
      node.findings.push_back({"CF0026", {{"node", node.name}, {"why", fact->not_ready_reason}}});
    }
  }
  daemon_set_findings(cluster.findings, facts);
  run_findings(cluster, facts, looks);
}

}  // namespace catflap
