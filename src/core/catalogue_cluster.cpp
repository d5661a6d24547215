// Findings about owners, the cluster as a whole and the run. Rules for codes: see
// catalogue_findings.cpp.
#include "core/catalogue_rows.hpp"

namespace catflap {
namespace {

using enum Severity;

constexpr CatalogueRow kRows[] = {
    {"CF0030", warning,
     "{object} was created with kubectl apply: the next apply of the old file opens the port again",
     "The annotation kubectl.kubernetes.io/last-applied-configuration says that somebody keeps "
     "this object in a "
     "file. The next kubectl apply restores the file's env list.",
     "Change the file too: {change}"},
    {"CF0031", warning, "{object} belongs to a Helm release: the next upgrade opens the port again",
     "helm upgrade renders the object from the chart's values and removes what it did not render.",
     "Change the values too: {change}"},
    {"CF0032", warning, "{owner} reverts changes to {object} {cycle}",
     "The change holds until then. The owner was recognised by {mark}.",
     "Change it at the source too: {change}"},
    {"CF0033", critical, "{owner} reverts changes to {object} {cycle}: an edit would not stick",
     "The owner was recognised by {mark}. An edit that is reverted restarts Calico's pods twice "
     "and closes nothing.",
     "Change it at the source: {change}"},
    {"CF0034", critical, "{object} is controlled by {owner}, which catflap does not know",
     "A controller owner reference means that a program manages the object. Whether an edit would "
     "survive is not known.",
     "Find out what {owner} reads and change that; --override-owner if you know that it lets edits "
     "stand."},
    {"CF0035", info, "{count} DaemonSets run Felix: {names}",
     "Migrations and mixed clusters have more than one. Each is judged and changed by itself; "
     "FelixConfigurations "
     "hold for all of them.",
     "Check that none is a leftover."},
    {"CF0036", warning, "No DaemonSet with a Felix container was found[ in namespace {namespace}]",
     "catflap looks for the container (calico-node, or an image of calico/node), not for a name. "
     "Felix may also "
     "run under systemd or in Docker, where Kubernetes does not show it.",
     "Check the namespace (-n) and the cluster (--context); on a host, ss -lntp shows what "
     "listens."},
    {"CF0037", warning, "FelixConfigurations could not be read[: {why}]",
     "Where the environment does not decide, they do. Without them the declared state stays "
     "unknown.",
     "Grant list on felixconfigurations (deploy/reader.yaml)."},
    {"CF0038", warning, "This machine's clock and the server's differ by {skew}",
     "Ages of observations and starts of pods are compared across both clocks.",
     "Set the clock; catflap corrects for the difference where it compares."},
    {"CF0039", warning,
     "Vantage point {vantage} sees nothing: no control connection passed on any node",
     "A refusal or a timeout from there means nothing, so nothing from there was used.",
     "Run catflap where the nodes can be reached, or use --from exec."},
    {"CF0040", warning, "Vantage point {vantage} was skipped[: {why}]",
     "It needs a right that this user does not have. Nodes that only it could prove stay unknown.",
     "Grant the right (docs/permissions.md), or choose others with --from."},
    {"CF0041", critical,
     "Felix on {node} serves metrics although no setting switches it on: the build does",
     "Nothing in the API says true, yet Felix answers. A vendor's build may have another default, "
     "or the image "
     "carries the variable itself; neither shows in any object.",
     "catflap close sets false in the environment, which outranks both."},
    {"CF0042", warning,
     "{source} switches the endpoint of {node} on, and yet it refuses connections",
     "Felix may be starting, may have failed to bind, or waits for the datastore. It can open at "
     "any moment.",
     "Switch it off with catflap close; do not take the refusal for proof."},
    {"CF0043", warning, "{endpoint} of {node} answered as node {felixHost}",
     "The felix_host label names the node whose Felix answered. An address is shared, translated, "
     "or listed under "
     "the wrong node.",
     "Check the node's addresses. {felixHost} counts as exposed; {node} stays unknown until its "
     "own "
     "Felix is seen."},
    {"CF0044", critical, "A second Felix runs on {node}, outside its calico-node pod",
     "Felix answered there, and a look inside showed that it is none of the pods': their "
     "environment says off and they have no such listener. So it is a service of the host or a "
     "container started by hand. Changes of the DaemonSet do not reach it.",
     "Find it on the node with ss -lntp, and stop or configure it there."},
    {"CF0045", warning, "Windows nodes are not changed: {nodes}",
     "Felix for Windows runs in a DaemonSet of its own with its own environment. catflap looks at "
     "these nodes and "
     "does not write to that DaemonSet.",
     "Set FELIX_PROMETHEUSMETRICSENABLED=false on their DaemonSet by hand."},
    {"CF0046", info, "The nodes changed during the run:[ joined {joined}][ left {left}]",
     "A new node starts Felix with the configuration of that moment. Nodes that left were not "
     "judged.",
     "Run catflap verify again to include them."},
    {"CF0047", warning, "{kind} {object} sets environment variables and could not be read[: {why}]",
     "It may set or repeat the variable. What cannot be read is unknown, not off.",
     "Grant get on that object, or look inside (--from exec): Felix's real environment shows what "
     "it "
     "sets."},
    {"CF0048", warning, "A run of {user} at {time} did not finish; its journal is still open",
     "The changes that it wrote are listed in ConfigMap catflap-journal. The rollout goes on "
     "without it.",
     "catflap close continues from there; catflap undo reverts it."},
    {"CF0049", critical, "Somebody changed {object} since catflap did: {field}",
     "Undo restores only what is still as catflap left it; otherwise it would destroy the other "
     "edit.",
     "Compare before and after in the message and set the field by hand."},
    {"CF0050", info, "The container declares port {port}: a reservation, not a listener",
     "On the host network a containerPort only keeps the scheduler from placing another such pod "
     "there. It stays "
     "after closing and proves nothing.",
     "Leave it. Removing it restarts every pod and closes nothing."},
    {"CF0051", info,
     "Annotations prometheus.io/* ask Prometheus to scrape {port}; they switch nothing on or off",
     "They tell a scraper where to look. Some owners leave them behind after the endpoint is "
     "closed.",
     "Expect failing scrapes after closing; remove them with the next planned rollout."},
    {"CF0052", warning, "FelixConfigurations are not in this cluster's API",
     "With the etcd datastore only calicoctl sees them. They decide where the environment does "
     "not.",
     "Set the environment on the DaemonSet (catflap close does), and check with calicoctl get "
     "felixconfiguration."},
    {"CF0053", warning, "FelixConfiguration {name} says true for nodes with labels {selector}",
     "From Calico 3.32 on one object with a nodeSelector applies per node, the oldest. Relabelling "
     "a node can open "
     "the endpoint without any other change.",
     "Set it to false; catflap close does."},
    {"CF0054", info, "Looked once: a look is not yet a proof",
     "A restarting Felix refuses for a moment and opens again. diagnose looks once, verify twice "
     "with a pause.",
     "catflap verify"},
    {"CF0055", info, "Not probed over the network: {addresses}",
     "These addresses of the node could not be reached from here. A look inside covers the "
     "listeners of all of "
     "them.",
     "Run catflap where they can be reached if proof over the network is wanted."},
    {"CF0070", info, "Felix's metrics are read by {count}: {names}",
     "These objects make a monitoring system read the port. They are no sign that it is open, and "
     "some stay behind after it was closed. A Prometheus that is configured in a file shows in no "
     "object.",
     "Tell whoever owns the dashboards and alerts before closing: targets go down, series end, and "
     "alerts on absent() fire."},
    {"CF0071", info, "Whether {kinds} read Felix's metrics is not known: {why}",
     "Each kind has a right of its own, and all of them are optional.",
     "Grant list on them (deploy/reader.yaml), or look for port 9091 in Prometheus' targets."},
    {"CF0072", warning,
     "{object} is part of Alauda Container Platform: an upgrade of the platform may open the port "
     "again",
     "The platform installs Calico by an AppRelease and keeps an edit by hand as a ResourcePatch, "
     "which an upgrade may drop. From 4.3 on, the check ResourcePatchUpgradeable stops an upgrade "
     "while a ResourcePatch has no exemption. Recognised by {mark}.",
     "Look at the ResourcePatch after closing, and before an upgrade exempt it; neither is done "
     "for you. To stay: {change}"},
    {"CF0073", warning,
     "ResourcePatch {name} seems to be for {object}: it may set the endpoint again",
     "Alauda Container Platform keeps edits as ResourcePatches and applies them again, also after "
     "an undo or a reinstall. Their schema is not public: the DaemonSet's name stands in the "
     "object, and the rest is a guess.",
     "Read it: kubectl get {resource} {name} -o yaml. After an undo it is left over if it still "
     "sets FELIX_PROMETHEUSMETRICSENABLED."},
    {"CF0074", critical,
     "Calico migrates its configuration to another API group (phase {phase})[: {message}]",
     "While DatastoreMigration v1-to-v3 is under way, Felix waits for the datastore and objects "
     "are "
     "copied; what is written meanwhile may be lost.",
     "Wait until its phase is Complete, or delete it to roll back; in phase "
     "WaitingForConflictResolution or Failed it needs you. close --override-owner writes all the "
     "same."},
    {"CF0075", critical, "Whether Calico migrates its configuration could not be read: {why}",
     "The API of DatastoreMigration is served here. While a migration is under way, what is "
     "written "
     "may be lost.",
     "Grant get on datastoremigrations.migration.projectcalico.org (deploy/closer.yaml). "
     "close --override-owner writes all the same."},
    {"CF0076", info,
     "Whether Alauda Container Platform keeps Calico is not known: {kinds} cannot be read: {why}",
     "The platform is here, and an edit of what it manages leaves a ResourcePatch that an upgrade "
     "may drop.",
     "Grant get on appreleases and list on resourcepatches (deploy/reader.yaml)."},
    {"CF0085", warning,
     "{endpoint} answers {vantage} with Felix's metrics, and not {other} ({outcome})",
     "A firewall may let one of them through, or Felix started or ended between the two. What was "
     "read was read: it decides.",
     "Count the node as exposed; look again if it was only restarting."},
    {"CF0086", info, "Vantage point {vantage} has nothing to ask[: {why}]",
     "The API server's proxy asks no loopback address, and these nodes are known by such ones.",
     "Use the other vantage points."},
    {"CF0090", warning, "File {file} is of no node of this cluster: it was not used",
     "No node has its machine-id as status.nodeInfo.machineID. Inside a container /etc/machine-id "
     "is another one, or none.",
     "Make it on the node itself (docs/listeners.md)."},
    {"CF0091", warning, "File {file} is of {node} before its last boot: it was not used",
     "The machine-id is that node's, the boot-id is not the present one. What listened before a "
     "boot says nothing about now.",
     "Make it again."},
    {"CF0092", warning, "File {file} is of {node} or of another node that says the same of itself",
     "Several nodes have this machine-id and this boot-id, as nodes that are containers of one "
     "machine do. It was not used.",
     "Look inside with --from exec."},
    {"CF0093", warning, "File {file} of {node} is from the future: it was not used",
     "Its time is more than a minute ahead of this machine's, so nobody can tell how old it is.",
     "Set the clocks of both, and make it again."},
    {"CF0094", warning, "File {file} of {node} is too old: it was not used",
     "Older than the policy's maxAge, or than 15 minutes if the policy has none.",
     "Make it again, or set maxAge in the policy."},
    {"CF0095", warning, "File {file} of {node} was made before Felix's last start or change",
     "It tells of another Felix, or of one with another configuration: less than a minute after a "
     "FelixConfiguration changed, Felix may not have restarted yet. It was not used.",
     "Make it again."},
    {"CF0087", warning, "Vantage point {vantage} could not be used[: {why}]",
     "The pod is not there or does not run, its image has neither curl nor bash with timeout, or "
     "none of the agent's Jobs could run there. What is missing from there counts as not seen.",
     "Start a pod with curl, or choose another vantage point with --from."},
};

}  // namespace

std::span<const CatalogueRow> cluster_rows() {
  return kRows;
}

}  // namespace catflap
