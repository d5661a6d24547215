// Findings about installs of the tigera operator. Rules for codes: see catalogue_findings.cpp.
#include "core/catalogue_rows.hpp"

namespace catflap {
namespace {

using enum Severity;

constexpr CatalogueRow kRows[] = {
    {"CF0060", info, "{object} is rendered by the tigera operator, which reverts edits {cycle}",
     "Recognised by {mark}. It writes the pod spec from its Installations: those are changed, and "
     "the FelixConfigurations, and never the DaemonSet.",
     "By hand: {change}"},
    {"CF0061", critical, "The tigera operator's Installations could not be read[: {why}]",
     "They decide what the environment of every Felix says, and whether it will stay so. Without "
     "them a change can neither be planned nor be expected to stick.",
     "Grant get on installations.operator.tigera.io (deploy/reader.yaml)."},
    {"CF0062", critical, "The tigera operator has not rendered {daemonset} anew: {why}",
     "The Installation is changed, and its DaemonSet still has the old environment. The nodes stay "
     "as they are until the operator acts.",
     "Repair what is named; the operator then goes on by itself. catflap close waits for it again, "
     "catflap undo takes the change back."},
    {"CF0063", warning, "The tigera operator does not act on {daemonset} now: {why}",
     "A change of the Installation reaches no pod before it does.",
     "Repair it first (kubectl get tigerastatus calico, kubectl -n tigera-operator get deploy)."},
    {"CF0064", critical,
     "The tigera operator is moving Calico from kube-system to calico-system: {why}",
     "During the move two DaemonSets exist, each node runs the pod of one, and the operator "
     "carries "
     "the old environment over into its Installation. A change in between may be lost.",
     "Wait until no node has the label projectcalico.org/operator-node-migration and the DaemonSet "
     "in kube-system is gone, then run the command again."},
    {"CF0065", warning, "Installation says {port}, and {daemonset} does not have it yet",
     "The operator has not rendered it. The port opens, by a rolling restart, as soon as it does.",
     "catflap close removes the field."},
    {"CF0066", critical,
     "{layer} opens the port of {daemonset}, and the operator has no field that "
     "says off",
     "The environment would outrank it, but the operator renders no FELIX_PROMETHEUSMETRICSENABLED"
     "=false and reverts one that is set by hand.",
     "Change it at the source: felix.cfg on the nodes; for a build with another default set "
     "prometheusMetricsEnabled to false in FelixConfiguration default."},
};

}  // namespace

std::span<const CatalogueRow> operator_rows() {
  return kRows;
}

}  // namespace catflap
