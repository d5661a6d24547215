#include "core/plan/tigera_operator.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/json_read.hpp"
#include "base/text.hpp"
#include "core/plan/by_hand.hpp"
#include "core/plan/felixconfiguration_changes.hpp"
#include "core/plan/owner.hpp"
#include "core/resolve/env.hpp"
#include "core/resolve/values.hpp"

namespace catflap {
namespace {

constexpr std::string_view kMigrationLabel = "projectcalico.org/operator-node-migration";
constexpr const char* kName = "calico-node";

/// The value of the last entry for the parameter; none: it has no entry.
std::optional<std::string> value_in_env(const json::array& env, const Parameter& parameter) {
  const auto entries = env_entries_for(env, parameter.name);
  if (entries.empty()) return std::nullopt;
  return text_at(env[entries.back()].get_object(), {"value"});
}

bool has(const ClusterFacts& facts, std::string_view namespace_, bool operated) {
  return std::ranges::any_of(facts.daemon_sets, [&](const DaemonSetFacts& set) {
    return set.namespace_ == namespace_ && set.name == kName && is_operated(set) == operated;
  });
}

}  // namespace

bool is_operated(const DaemonSetFacts& daemon_set) {
  return std::ranges::any_of(owners_of(daemon_set.object),
                             [](const Owner& owner) { return owner.name == kTigeraOperator; });
}

json::value node_metrics_port(const json::object& installation) {
  const json::value* port = value_at(installation, {"spec", "nodeMetricsPort"});
  return port == nullptr ? json::value{} : *port;
}

json::value effective_port(const OperatorFacts& facts) {
  json::value port;
  for (const json::object& installation : facts.installations) {
    auto own = node_metrics_port(installation);
    if (!own.is_null()) port = std::move(own);
  }
  return port;
}

std::string port_words(const json::value& port) {
  return port == json::value(0) ? "a random port" : "port " + printable(json::serialize(port), 20);
}

std::vector<InstallationChange> changes_to_absent(const OperatorFacts& facts) {
  std::vector<InstallationChange> changes;
  for (const json::object& installation : facts.installations) {
    auto port = node_metrics_port(installation);
    if (port.is_null()) continue;
    changes.push_back(
        {.object = &installation,
         .change = {.target = {.api_version = "operator.tigera.io/v1",
                               .kind = "Installation",
                               .name = text_at(installation, {"metadata", "name"}),
                               .uid = text_at(installation, {"metadata", "uid"}),
                               .field = "spec.nodeMetricsPort"},
                    .before = std::move(port),
                    .resource_version = text_at(installation, {"metadata", "resourceVersion"})}});
  }
  return changes;
}

std::string by_hand_for_operator(const ClusterFacts& facts) {
  if (!facts.tigera_operator || !facts.tigera_operator->installations_state.readable ||
      !facts.felix_configurations_state.readable)
    return "";
  std::string lines;
  for (const auto& one : changes_to_false(facts))
    lines += by_hand_felixconfiguration(one.change.target, one.change.after) + "\n";
  for (const auto& one : changes_to_absent(*facts.tigera_operator))
    lines += by_hand_installation(one.change.target) + "\n";
  return lines;
}

bool is_rendered(const json::object& daemon_set, const std::string& container,
                 const json::value& port) {
  const json::object* found =
      named(array_at(daemon_set, {"spec", "template", "spec", "containers"}), container);
  if (found == nullptr) return false;
  const json::array& env = array_at(*found, {"env"});
  const auto enabled = value_in_env(env, kEnabled);
  if (port.is_null()) return !enabled || parse_felix_bool(*enabled) == false;
  return enabled && parse_felix_bool(*enabled) == true &&
         value_in_env(env, kPort) == json::serialize(port);
}

std::string operator_trouble(const OperatorFacts& facts, const json::object& daemon_set) {
  if (text_at(daemon_set, {"metadata", "annotations", kOperatorIgnores}) == "true") {
    return fmt::format("the DaemonSet has annotation {}: the operator leaves it as it is",
                       kOperatorIgnores);
  }
  if (facts.installations_state.readable &&
      std::ranges::none_of(facts.installations, [](const json::object& installation) {
        return text_at(installation, {"metadata", "name"}) == kInstallations[0];
      })) {
    return "Installation default is not there, and without it the operator renders nothing";
  }
  if (facts.deployment_state.readable && facts.wanted == 0) {
    return "Deployment tigera-operator/tigera-operator is scaled to 0";
  }
  if (facts.deployment_state.readable && facts.available == 0) {
    return "Deployment tigera-operator/tigera-operator has no available pod";
  }
  if (!facts.degraded.empty()) return "TigeraStatus calico is Degraded: " + facts.degraded;
  return "";
}

std::string namespace_migration(const ClusterFacts& facts) {
  if (!has(facts, "calico-system", true)) return "";
  std::size_t labelled = 0;
  for (const NodeFacts& node : facts.nodes)
    labelled += node.labels.contains(std::string{kMigrationLabel}) ? 1 : 0;
  if (labelled > 0)
    return fmt::format("{} of {} nodes have label {}", labelled, facts.nodes.size(),
                       kMigrationLabel);
  return has(facts, "kube-system", false) ? "DaemonSet kube-system/calico-node is still there" : "";
}

}  // namespace catflap
