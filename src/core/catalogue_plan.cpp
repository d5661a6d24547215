// What a plan says: the procedure's step titles, one title per kind of write, and what restarts,
// stays and breaks.
#include "core/catalogue_rows.hpp"

namespace catflap {
namespace {

using enum Severity;

constexpr CatalogueRow kRows[] = {
    {"breaks-annotated-scrapes", warning,
     "Prometheus jobs that follow the pods' prometheus.io annotations (port {port})",
     "The template of {daemonset} asks for scrapes. They fail once the port is closed, and alerts "
     "on missing targets "
     "may fire.",
     "Tell whoever owns the dashboards and alerts on felix_* series."},
    {"breaks-consumer", warning, "{object} reads port {port} of {via}: its targets go down",
     "Once the port is closed, the scrapes that this object asks for fail: the targets are down "
     "and "
     "alerts on missing targets or absent() series fire.",
     "Remove it, or silence its alerts, together with the change."},
    {"breaks-scrapes", info,
     "Whatever reads Felix's metrics on port {port}: its series end and its target goes down",
     "Closing the endpoint ends felix_* series of every node. Nothing in Calico reads them.",
     "Look for felix_* in dashboards and alerts first."},
    {"plan-cannot-tell", warning,
     "What Felix's configuration says could not be determined for {what}[: {why}]",
     "A source that could decide could not be read, or Felix picks among several at random.",
     "The environment outranks every other source, so the plan sets it."},
    {"plan-disable-annotation", info, "Set annotation {key} of FelixConfiguration {name} to false",
     "The annotation overrides the field of the spec. It is set and not removed, so that it "
     "continues to decide and one write is enough.",
     "catflap undo restores the old value."},
    {"plan-disable-env", info, "Set {name}=false on container {container} of {daemonset}",
     "The environment outranks every other layer.",
     "catflap undo restores the old entry in its old place."},
    {"plan-disable-felixconfiguration", info,
     "Set prometheusMetricsEnabled to false in FelixConfiguration {name}",
     "false closes like an absent field, and the next reader sees that it is meant.",
     "catflap undo restores the old value."},
    {"plan-disable-installation", info, "Remove nodeMetricsPort from Installation {name}",
     "The tigera operator renders the field into the environment of every Felix. Without it the "
     "FelixConfigurations decide, and they are set to false first.",
     "catflap undo restores the old value."},
    {"plan-envfrom-variants", warning,
     "{object} sets {names}, which differ from each other in case only",
     "Sources of envFrom are left alone. The plan sets each of these names to false in the "
     "container's env list, so "
     "that it does not matter which one Felix takes.",
     "Remove them from {object} when it can be changed."},
    {"plan-felixconfiguration-kept", warning,
     "FelixConfiguration {name} stays true: {owner} would revert it. The environment outranks "
     "it",
     "The port is closed without this write, and nothing that would be reverted is written.",
     "Change it at the source: {change}"},
    {"plan-in-place-cheaper", info,
     "--in-place would restart {inPlace} Felixes inside their pods, all at about the same moment, "
     "instead of {rolling} "
     "pods one after another",
     "Only FelixConfigurations switch the endpoint on. Changing them needs no new pods, but Felix "
     "exits everywhere at "
     "once, and no API object shows when it is done. The environment is the stronger lock.",
     "catflap plan --in-place"},
    {"plan-in-place-impossible", critical,
     "--in-place cannot close {daemonset}: {layer} decides there",
     "A FelixConfiguration is outranked by the environment and by felix.cfg, and cannot switch off "
     "what the build "
     "switches on by its environment.",
     "Run without --in-place."},
    {"plan-in-place-restarts", warning,
     "Every Felix that reads the changed FelixConfigurations exits at about the same moment and "
     "starts again in its pod",
     "No pod restarts and no rollout shows progress. Felix is back after about three seconds; new "
     "pods and policy "
     "changes wait for it.",
     "Plan a maintenance window."},
    {"plan-nodes-not-ready", warning, "Not Ready and in the way of the rollout: {nodes}",
     "Pods there count as unavailable, so a rollout with a small maxUnavailable waits for them.",
     "Repair or remove these nodes first, or expect close to end at its time limit with them "
     "listed."},
    {"plan-nothing-to-do", info,
     "Nothing to do: nothing switches Felix's endpoint on, and nothing answered",
     "No write would change anything, so none is made.", "catflap verify proves it per node."},
    {"plan-on-delete", warning,
     "{daemonset} has updateStrategy OnDelete: the change waits until its pods are deleted",
     "The plan writes the template. Nothing restarts and nothing closes before each pod is deleted "
     "by hand.",
     "kubectl -n {namespace} delete pod NAME, one node after another; catflap wait lists the nodes "
     "left."},
    {"plan-owner-overridden", critical,
     "--override-owner: {object} is written although {owner} writes it back[ {cycle}]",
     "When it does, the port opens again, and the pods restart once more for each write. close "
     "looks "
     "again after its settle time; what is written back later it does not see.",
     "catflap diagnose after the owner's cycle; better, change what the owner reads."},
    {"plan-pods-restart", warning,
     "The pods of {daemonset} restart one batch after another ({pods} pods, maxUnavailable "
     "{maxUnavailable})[; {unavailable} not available: those restart at once]",
     "A changed environment needs new pods. Each node is without Felix for some seconds; its "
     "dataplane stays as programmed. Kubernetes replaces pods that are not available (not Ready, "
     "or "
     "younger than minReadySeconds) without waiting for their turn.",
     "Plan a maintenance window."},
    {"refuse-in-place-owner", critical,
     "{owner} reverts changes to FelixConfiguration {name} {cycle}: --in-place would not stick",
     "With --in-place nothing outranks that object.", "Change it at the source: {change}"},
    {"stays-dataplane", info,
     "Connections, routes and policy in force stay: Felix leaves them programmed while it restarts",
     "Felix reads the state back at its start and goes on. New pods and policy changes wait those "
     "seconds.",
     "Avoid rolling out workloads at the same time."},
    {"stays-health", info,
     "Felix's health endpoint (9099) and the pods' probes do not use the metrics port",
     "Closing it cannot make a pod unready.", "Nothing to do."},
    {"step-disable", info, "Step 1: Disable Felix Prometheus metrics",
     "The writes, in the order that causes the fewest restarts.", "catflap undo reverts them."},
    {"step-verify", info, "Step 3: Verify that port {port} is closed",
     "Every node, every address, from inside and outside, twice with a pause.",
     "catflap verify repeats it."},
    {"step-wait", info, "Step 2: Wait for the rolling restart to complete",
     "Until every node runs a pod made from the new template, or the time limit is reached.",
     "catflap wait shows it again."},
};

}  // namespace

std::span<const CatalogueRow> plan_rows() {
  return kRows;
}

}  // namespace catflap
