// Findings about the endpoint and its configuration. A code keeps its meaning for ever: a row that
// is no longer reported stays, a changed meaning gets a new code. The facts come from Calico's
// sources, see docs/how-it-decides.md.
#include "core/catalogue_rows.hpp"

namespace catflap {
namespace {

using enum Severity;

constexpr CatalogueRow kRows[] = {
    {"CF0001", critical, "Anybody who reaches {endpoint} reads Felix's metrics in clear text",
     "The answer carried felix_host, which only Felix itself serves, and no credentials were "
     "required. The metrics describe hosts, policies, workloads and errors of the node.",
     "catflap plan shows what closes it; catflap close does it and proves it."},
    {"CF0002", critical,
     "Anybody who reaches {endpoint} reads Felix's metrics; TLS only encrypts them in transit",
     "The endpoint speaks TLS but requires no client certificate, so every client that skips "
     "the check of "
     "the server's certificate (curl -k) reads the metrics.",
     "Close it with catflap close, or set prometheusMetricsClientAuth to "
     "RequireAndVerifyClientCert (Calico 3.32 "
     "and later)."},
    {"CF0003", critical, "{endpoint} asks for a credential and accepts one that catflap made up",
     "catflap read the metrics with a certificate that nobody signed, or with a token that nobody "
     "issued. RequireAnyClientCert, for one, does not check who signed a certificate.",
     "Close it with catflap close, or set prometheusMetricsClientAuth to "
     "RequireAndVerifyClientCert; a proxy in front must check the token."},
    {"CF0004", warning, "The endpoint of {node} is switched on and waits to open[: {why}]",
     "Felix retries for ever when the port is taken or the address is not on the host, and starts "
     "listening when "
     "the obstacle goes. Not listening now is not closed.",
     "Switch it off with catflap close; the obstacle is not a lock."},
    {"CF0005", warning,
     "Felix's metrics on {node} listen on loopback only: pods on the host network read them",
     "Every process of the node, and every pod with hostNetwork: true, shares that loopback "
     "address.",
     "Close it with catflap close, or accept it: --accept local-only."},
    {"CF0006", warning, "Felix still listens on {node}; a packet filter hides it from here",
     "The listener was seen from inside the node while every try from outside timed out or was "
     "rejected. A filter "
     "does not cover the node itself, and connections that existed before it go on.",
     "Close it with catflap close; keep the filter as a second line, or accept it: --accept "
     "filtered."},
    {"CF0007", warning, "Another process listens on {endpoint}[: {comm}]",
     "9091 is also used by Typha, Ceph CSI, Pushgateway and others. It is not Felix's endpoint, "
     "and catflap does "
     "not touch it. If Felix is switched on too, it takes the port as soon as that process ends.",
     "Find out whether that service should be open; --accept not-felix if it should."},
    {"CF0008", info, "Felix's metrics port is {port}, not 9091[ ({source})]",
     "Rules, scans and dashboards that only know 9091 miss it. catflap checks both.",
     "Mention the port where the endpoint is documented or filtered."},
    {"CF0009", warning,
     "Port 0 does not switch the endpoint off: Felix listens on a random port[ ({source})]",
     "Felix hands port 0 to the system, which picks a free one at each start. No probe of known "
     "ports finds it; "
     "only a look inside the node does.",
     "Switch it off with prometheusMetricsEnabled, not with the port; use --from exec to find the "
     "port now."},
    {"CF0010", warning, "{source} is true as well, hidden by {winner}",
     "Both layers switch the endpoint on. Removing the upper one leaves the decision to the lower "
     "one, and the "
     "port stays open.",
     "catflap close sets every layer to false, the hidden ones first."},
    {"CF0011", warning,
     "Names that differ in case only: {names}; Felix takes one of them at random",
     "Felix ignores the case of a name, and neither the kubelet nor the start scripts of "
     "calico-node keep the "
     "order. The winner may change with every start of the container.",
     "Keep one of them. catflap close does so, and undo restores the others."},
    {"CF0012", warning,
     "Felix does not accept the value \"{raw}\" of {source}: it takes its default and hides "
     "lower layers",
     "Felix accepts true, 1, yes, y, t and false, 0, no, n, f, without blanks around them. "
     "Anything else counts as the compiled default, with the precedence of the layer that it is "
     "in.",
     "Write true or false."},
    {"CF0013", warning, "The value of {source} is empty: Felix skips it and uses the next layer",
     "Empty is not false. Felix drops empty values before it decides.",
     "Write false where false is meant."},
    {"CF0014", warning, "An annotation overrides the spec for Felix's metrics: {source}",
     "An annotation config.projectcalico.org/NAME on a FelixConfiguration overrides the field of "
     "the same name, "
     "without validation. spec.prometheusMetricsEnabled: false is no proof while it exists.",
     "Remove the annotation; catflap close sets it to false."},
    {"CF0015", warning,
     "An annotation hidden in projectcalico.org/metadata sets Felix's metrics: {source}",
     "Calico keeps its own metadata as JSON inside one annotation of the stored object. "
     "Annotations in it override "
     "those outside, and kubectl annotate does not show them.",
     "Change it through the projectcalico.org/v3 API or calicoctl; catflap close rewrites the "
     "JSON."},
    {"CF0016", warning, "{source} says true; only {winner} keeps the endpoint closed",
     "Deleting the upper setting, for example by applying an older manifest, opens the port again "
     "at once.",
     "Set the lower layer to false too. While the upper one stands, that restarts nothing."},
    {"CF0017", info, "{name} comes from {kind} {object}, not from the DaemonSet",
     "Editing that object changes no running pod; only new pods read it. A value in the "
     "container's own env list "
     "outranks envFrom.",
     "catflap close adds the value to the env list and leaves the shared object alone."},
    {"CF0018", info, "{name} appears {count} times in the env list; the last one counts",
     "The kubelet lets later entries win, and kubectl set env edits the first. Reading only one of "
     "them misleads.",
     "catflap close leaves one entry, in the place of the first; undo restores all of them."},
    {"CF0019", warning,
     "CALICO_DISABLE_FELIX is set for {source}: Felix does not run in these pods",
     "Any text counts, even false. A closed port then only means that Felix is missing: no policy "
     "is programmed.",
     "Remove it unless another Felix runs on these hosts, and look for that one with catflap "
     "verify."},
    {"CF0020", warning,
     "TLS without a CA file[ ({source})]: Felix does not listen until one appears",
     "From Calico 3.32 on, a certificate or key file switches TLS on, and Felix then needs a "
     "readable CA file even "
     "if it asks for no client certificate. Without it the endpoint is on and stays shut until the "
     "next start.",
     "Switch it off with catflap close, or complete the three files."},
    {"CF0021", info, "Felix ignores {name}: the parameter is spelt PROMETHEUSMETRICSENABLED",
     "Everything after FELIX_ is the name, without further underscores. A misspelt variable is "
     "skipped silently.",
     "Remove it, or spell it FELIX_PROMETHEUSMETRICSENABLED."},
    {"CF0022", warning,
     "{path} of the host sets Felix's configuration and ranks above every FelixConfiguration",
     "calico-node reads /etc/calico/felix.cfg at its start. Where a volume covers it, the file may "
     "differ from node "
     "to node and no API object shows what it says.",
     "Read it with --from exec. The environment outranks it, so catflap close works all the same."},
    {"CF0023", info, "Felix {version} ignores the FelixConfiguration {name}",
     "Before Calico 3.32 only default and node.NAME count. Later versions use other names if they "
     "carry a "
     "nodeSelector; an upgrade may make this one take effect.",
     "Delete it if nobody needs it."},
    {"CF0024", warning,
     "{pod} was created from an older template: its environment is not the DaemonSet's",
     "A pod keeps the environment it was started with. What the DaemonSet says holds for its next "
     "pod only.",
     "catflap wait shows what the rollout waits for."},
    {"CF0025", warning, "{pod} is being deleted and still there: its Felix may still serve",
     "While the kubelet has not confirmed the end, the old container may run, with its old "
     "settings and listener.",
     "catflap wait; if its node is gone for good, delete the node."},
    {"CF0026", warning, "{node} is not Ready[ ({why})]: what the API says about its pods is old",
     "Without its kubelet nothing on the node changes. The API may show a new pod while the old "
     "Felix goes on "
     "serving.",
     "Repair or remove the node; catflap says closed only when the node itself shows it."},
    {"CF0027", warning,
     "{daemonset} replaces pods only when somebody deletes them (updateStrategy OnDelete)",
     "A change of the template reaches no node by itself. Deleting a pod rolls out every change "
     "made since it was "
     "created.",
     "Delete the pods one after another in a maintenance window; catflap wait lists those left."},
    {"CF0028", warning,
     "{daemonset} has a pending change that catflap did not make ({count} pods are older)",
     "Writing to the template, or deleting a pod, would roll out that change together with this "
     "one.",
     "Finish or revert the other change first, or include it with --include-pending."},
    {"CF0029", info,
     "{count} pods of {daemonset} still have the older template; their rollout is not finished",
     "The template already says what it should. Nothing has to be written, the pods have to be "
     "replaced.",
     "catflap wait shows per node what the rollout waits for."},
};

}  // namespace

std::span<const CatalogueRow> finding_rows() {
  return kRows;
}

}  // namespace catflap
