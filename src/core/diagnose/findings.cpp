#include "core/diagnose/findings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "base/json_read.hpp"
#include "base/text.hpp"
#include "core/diagnose/consumers.hpp"
#include "core/plan/migration.hpp"
#include "core/plan/owner.hpp"
#include "core/plan/tigera_operator.hpp"

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

// One node.

/// Another vantage point got nothing where this one read Felix's metrics.
void disagreements(NodeVerdict& node, const Reach& read) {
  for (const auto& row : node.reachable) {
    const bool nothing = row.outcome == Outcome::refused || row.outcome == Outcome::rejected ||
                         row.outcome == Outcome::timeout;
    if (!nothing || row.endpoint != read.endpoint || row.vantage == read.vantage) continue;
    add_once(node.findings, {"CF0085",
                             {{"endpoint", row.endpoint.to_string()},
                              {"vantage", read.vantage},
                              {"other", row.vantage},
                              {"outcome", to_string(row.outcome)}}});
  }
}

void endpoint_findings(NodeVerdict& node) {
  for (const auto& row : node.reachable) {
    if (row.inside_the_node()) continue;  // the verdict's reasons have it
    const auto endpoint = row.endpoint.to_string();
    if (row.identity == Identity::felix) disagreements(node, row);
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

/// Felix answered, and it is none of the pods': the environment, which nothing outranks, says off,
/// and looks into all of them saw that environment and no such listener.
bool outside_its_pods(const NodeVerdict& node, const Look* last) {
  if (last == nullptr || node.pods.empty()) return false;
  const auto pod_is_off = [&](const PodVerdict& pod) {
    const auto& enabled = pod.declared.enabled;
    if (enabled_switch(pod.declared) != Switch::off || enabled.layer != Layer::env) return false;
    const auto inside = std::ranges::find(last->inside, pod.uid, &InsideLook::pod_uid);
    if (inside == last->inside.end() || !inside->complete) return false;
    const bool same = std::ranges::all_of(inside->felix, [&](const FelixProcess& process) {
      return std::ranges::all_of(process.environment, [&](const auto& variable) {
        return !equal_ignoring_case(variable.first, "FELIX_PROMETHEUSMETRICSENABLED") ||
               variable.second == enabled.raw;
      });
    });
    return same && std::ranges::none_of(inside->listeners, [&](const Listener& listener) {
             return listener.felix && std::ranges::any_of(node.reachable, [&](const Reach& row) {
                      return row.identity == Identity::felix &&
                             row.endpoint.port == listener.endpoint.port;
                    });
           });
  };
  return std::ranges::all_of(node.pods, pod_is_off);
}

void declared_findings(NodeVerdict& node, const Look* last) {
  if (!node.declared) return;
  const auto& declared = *node.declared;
  const bool answered = std::ranges::any_of(node.reachable, [&](const Reach& row) {
    return row.felix_host == node.name && row.identity == Identity::felix;
  });
  // Silence is no answer: from outside of the cluster a tunnel's address always keeps silent.
  const auto has = [&](auto... outcomes) {
    return std::ranges::any_of(
        node.reachable, [&](const Reach& row) { return ((row.outcome == outcomes) || ...); });
  };
  const bool refused = has(Outcome::refused) && !has(Outcome::open, Outcome::reset);
  if (declared.enabled.layer == Layer::build) {
    node.findings.push_back({"CF0041", {{"node", node.name}}});
  } else if (answered && outside_its_pods(node, last)) {
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

// The configuration, once for the cluster.

void owner_findings(std::vector<Message>& findings, const json::object& object,
                    const std::string& name, const ClusterFacts& facts) {
  for (const auto& owner : owners_of(object, facts)) add_once(findings, owner_finding(owner, name));
}

/// What reads the port, or reserves it, and switches nothing.
void scrape_findings(std::vector<Message>& findings, const DaemonSetFacts& daemon_set) {
  const int port = daemon_set.template_declared.port.value.value_or(kDefaultMetricsPort);
  const auto annotation = [&](const char* name) {
    return text_at(daemon_set.object, {"spec", "template", "metadata", "annotations", name});
  };
  if (annotation("prometheus.io/scrape") == "true") {
    const auto asked = annotation("prometheus.io/port");
    add_once(findings,
             {"CF0051", {{"port", asked.empty() ? "each port" : "port " + printable(asked, 20)}}});
  }
  const auto* container =
      named(array_at(daemon_set.object, {"spec", "template", "spec", "containers"}),
            daemon_set.felix_container);
  if (container == nullptr) return;
  for (const auto* entry : objects_at(*container, {"ports"})) {
    if (number_at(*entry, {"containerPort"}) == port) {
      add_once(findings, {"CF0050", {{"port", std::to_string(port)}}});
    }
  }
}

/// What the tigera operator reads, and what it has not acted on yet.
void operator_findings(std::vector<Message>& findings, const ClusterFacts& facts) {
  if (!facts.tigera_operator) return;
  const OperatorFacts& known = *facts.tigera_operator;
  if (!known.installations_state.readable)
    findings.push_back({"CF0061", {{"why", known.installations_state.why}}});
  for (const auto& installation : known.installations)
    owner_findings(findings, installation,
                   "Installation " + text_at(installation, {"metadata", "name"}), facts);
  if (auto shown = namespace_migration(facts); !shown.empty())
    findings.push_back({"CF0064", {{"why", std::move(shown)}}});
  const auto port = effective_port(known);
  for (const auto& daemon_set : facts.daemon_sets) {
    if (!is_operated(daemon_set)) continue;
    const auto name = daemon_set.namespace_ + "/" + daemon_set.name;
    if (auto why = operator_trouble(known, daemon_set.object); !why.empty())
      findings.push_back({"CF0063", {{"daemonset", name}, {"why", std::move(why)}}});
    if (!port.is_null() && !is_rendered(daemon_set.object, daemon_set.felix_container, port))
      findings.push_back({"CF0065", {{"daemonset", name}, {"port", port_words(port)}}});
  }
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
    owner_findings(findings, daemon_set.object, "DaemonSet " + name, facts);
    scrape_findings(findings, daemon_set);
  }
  for (const auto& object : facts.felix_configurations) {
    owner_findings(findings, object, "FelixConfiguration " + text_at(object, {"metadata", "name"}),
                   facts);
  }
  operator_findings(findings, facts);
  if (facts.daemon_sets.size() > 1) {
    std::vector<std::string> names;
    for (const auto& daemon_set : facts.daemon_sets)
      names.push_back(daemon_set.namespace_ + "/" + daemon_set.name);
    findings.push_back({"CF0035",
                        {{"count", std::to_string(names.size())},
                         {"names", fmt::format("{}", fmt::join(names, ", "))}}});
  }
  if (std::ranges::none_of(facts.daemon_sets, &DaemonSetFacts::in_scope))
    findings.push_back(none_found(facts));
}

// The run.

const char* code_of(const Look::SkippedVantage& skipped) {
  if (skipped.code == "blind") return "CF0039";
  if (skipped.code == "loopback") return "CF0086";
  return skipped.code == "forbidden" ? "CF0040" : "CF0087";
}

void run_findings(ClusterVerdict& cluster, const ClusterFacts& facts,
                  const std::vector<Look>& looks) {
  auto& findings = cluster.findings;
  if (!facts.felix_configurations_state.readable) {
    findings.push_back({"CF0037", {{"why", facts.felix_configurations_state.why}}});
  } else if (facts.calico_api == CalicoApi::none && !facts.daemon_sets.empty()) {
    findings.push_back({"CF0052", {}});
  }
  if (const auto migration = migration_refusal(facts)) findings.push_back(migration->message);
  const auto skew = facts.clock_skew < Duration{} ? -facts.clock_skew : facts.clock_skew;
  if (skew >= kSkewWorthSaying) findings.push_back({"CF0038", {{"skew", to_string(skew)}}});
  for (const auto& look : looks) {
    for (const auto& skipped : look.skipped) {
      const char* code = code_of(skipped);
      Message finding{code, {{"vantage", skipped.vantage}}};
      if (skipped.code != "blind") finding.params["why"] = skipped.detail;
      add_once(findings, std::move(finding));
    }
  }
  std::vector<std::string> windows;
  for (const auto& node : facts.nodes) {
    if (node.windows) windows.push_back(node.name);
  }
  // The operator renders Windows' DaemonSet from the same field.
  if (!windows.empty() && !facts.tigera_operator)
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

Message none_found(const ClusterFacts& facts) {
  Message finding{"CF0036", {}};
  if (!facts.scope.empty()) finding.params["namespace"] = facts.scope;
  return finding;
}

void add_findings(ClusterVerdict& cluster, const ClusterFacts& facts,
                  const std::vector<Look>& looks) {
  for (auto& node : cluster.nodes) {
    endpoint_findings(node);
    verdict_findings(node);
    declared_findings(node, looks.empty() ? nullptr : &looks.back());
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
  std::ranges::move(surroundings_findings(facts.surroundings),
                    std::back_inserter(cluster.findings));
}

}  // namespace catflap
