// The tigera operator renders its DaemonSets from its Installations and reverts every edit of their
// pod spec, so the endpoint is switched off where it reads: spec.nodeMetricsPort, which it renders
// as FELIX_PROMETHEUSMETRICSENABLED=true and the port. Without the field it renders neither, and
// the FelixConfigurations decide. It has no field that renders "false". Source: tigera/operator
// v1.38, pkg/render/node.go and pkg/controller/utils/{component,merge}.go.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/model/cluster.hpp"
#include "core/model/plan.hpp"

namespace catflap {

inline constexpr std::string_view kTigeraOperator = "tigera-operator";
/// The Installations that it reads, in every version: what the last one sets, counts. The name
/// tigera-secure is that of other kinds of Calico Enterprise; an Installation of that name is not
/// read (pkg/controller/utils/utils.go, GetInstallation).
inline constexpr const char* kInstallations[] = {"default", "overlay"};
/// Its pods run on with whatever the object says while this is "true" on it.
inline constexpr std::string_view kOperatorIgnores = "unsupported.operator.tigera.io/ignore";

/// Does the tigera operator render this DaemonSet?
[[nodiscard]] bool is_operated(const DaemonSetFacts& daemon_set);

/// spec.nodeMetricsPort as it stands; null: absent. 0 is a random port, not off.
[[nodiscard]] json::value node_metrics_port(const json::object& installation);

/// What the Installations together say; null: nothing.
[[nodiscard]] json::value effective_port(const OperatorFacts& facts);

/// "port 9091", "a random port".
[[nodiscard]] std::string port_words(const json::value& port);

/// One for each Installation that has the field, the one that counts last: the others change
/// nothing while it stands, so the pods are replaced once. Borrows from facts.
struct InstallationChange {
  const json::object* object = nullptr;
  Change change;
};
[[nodiscard]] std::vector<InstallationChange> changes_to_absent(const OperatorFacts& facts);

/// The kubectl commands that close the port where the operator reads, in their order: every
/// FelixConfiguration that says true, then every Installation that has the port. "": nothing is
/// left to change, or not all of them can be read.
[[nodiscard]] std::string by_hand_for_operator(const ClusterFacts& facts);

/// Has the operator rendered this port into the container's environment? Null: is there nothing in
/// it that switches the endpoint on?
[[nodiscard]] bool is_rendered(const json::object& daemon_set, const std::string& container,
                               const json::value& port);

/// The one reason why the operator does not act on the DaemonSet, as far as it is known; "": none.
[[nodiscard]] std::string operator_trouble(const OperatorFacts& facts,
                                           const json::object& daemon_set);

/// The operator moves Calico from kube-system to calico-system: some nodes run the pods of the one
/// DaemonSet and some of the other, and it carries the environment of the old one over into its
/// Installation. Names what shows it; "": no such move.
[[nodiscard]] std::string namespace_migration(const ClusterFacts& facts);

}  // namespace catflap
