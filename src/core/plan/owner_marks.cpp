#include "core/plan/owner_marks.hpp"

namespace catflap {
namespace {

using enum OwnerClass;
using enum Place;

constexpr std::string_view kEnvObject =
    "apiVersion: apps/v1\n"
    "kind: DaemonSet\n"
    "metadata:\n"
    "  name: {name}\n"
    "  namespace: {namespace}\n"
    "spec:\n"
    "  template:\n"
    "    spec:\n"
    "      containers:\n"
    "        - name: {container}\n"
    "          env:\n"
    "            - name: FELIX_PROMETHEUSMETRICSENABLED\n"
    "              value: \"false\"\n";
constexpr std::string_view kFieldObject =
    "apiVersion: {apiVersion}\n"
    "kind: FelixConfiguration\n"
    "metadata:\n"
    "  name: {name}\n"
    "spec:\n"
    "  prometheusMetricsEnabled: false\n";
constexpr std::string_view kPortObject =
    "# Installation {name}, without spec.nodeMetricsPort\n"
    "apiVersion: operator.tigera.io/v1\n"
    "kind: Installation\n"
    "metadata:\n"
    "  name: {name}\n";
// Of chart tigera-operator; null removes a key that the chart sets.
constexpr std::string_view kHelmValues =
    "# values of the release, if its chart is tigera-operator; another chart has another key\n"
    "# (helm show values CHART | grep -i -n metrics)\n"
    "installation:\n"
    "  nodeMetricsPort: null\n"
    "defaultFelixConfiguration:\n"
    "  enabled: true\n"
    "  prometheusMetricsEnabled: false\n";
// The same where Flux runs Helm: the values lie in the HelmRelease, not in a file of the release.
constexpr std::string_view kFluxHelmValues =
    "apiVersion: helm.toolkit.fluxcd.io/v2\n"
    "kind: HelmRelease\n"
    "metadata:\n"
    "  name: {release}\n"
    "  namespace: {releaseNamespace}\n"
    "spec:\n"
    "  # if its chart is tigera-operator; another chart has another key\n"
    "  # (helm show values CHART | grep -i -n metrics)\n"
    "  values:\n"
    "    installation:\n"
    "      nodeMetricsPort: null\n"
    "    defaultFelixConfiguration:\n"
    "      enabled: true\n"
    "      prometheusMetricsEnabled: false\n";
// Charts until about v3.25 have the second key, later ones the first; Helm ignores the other.
constexpr std::string_view kRke2Canal =
    "apiVersion: helm.cattle.io/v1\n"
    "kind: HelmChartConfig\n"
    "metadata:\n"
    "  name: rke2-canal\n"
    "  namespace: kube-system\n"
    "spec:\n"
    "  valuesContent: |-\n"
    "    calico:\n"
    "      felixConfiguration:\n"
    "        prometheusMetricsEnabled: false\n"
    "      felixPrometheusMetricsEnabled: false\n";
constexpr std::string_view kRke2Calico =
    "apiVersion: helm.cattle.io/v1\n"
    "kind: HelmChartConfig\n"
    "metadata:\n"
    "  name: rke2-calico\n"
    "  namespace: kube-system\n"
    "spec:\n"
    "  valuesContent: |-\n"
    "    installation:\n"
    "      nodeMetricsPort: null\n"
    "    felixConfiguration:\n"
    "      prometheusMetricsEnabled: false\n";
constexpr std::string_view kK0sConfig =
    "# k0s.yaml, or kubectl -n kube-system edit clusterconfigs.k0s.k0sproject.io k0s\n"
    "spec:\n"
    "  network:\n"
    "    calico:\n"
    "      envVars:\n"
    "        FELIX_PROMETHEUSMETRICSENABLED: \"false\"\n";
constexpr std::string_view kKopsSpec =
    "spec:\n"
    "  networking:\n"
    "    calico:\n"
    "      prometheusMetricsEnabled: false\n";
constexpr std::string_view kNetworkRule =
    "az network nsg rule create -g RESOURCE_GROUP --nsg-name NSG -n deny-felix-metrics "
    "--priority 200 --direction Inbound --access Deny --protocol Tcp "
    "--destination-port-ranges 9091\n";

constexpr AtSource kAtFlux{"set {setting} in the repository that Flux reads", kEnvObject,
                           kFieldObject, kPortObject};
constexpr AtSource kAtFluxHelm{
    "set {setting} in the values of HelmRelease {releaseNamespace}/{release}, in the repository "
    "that "
    "Flux reads",
    kFluxHelmValues, kFluxHelmValues, kFluxHelmValues};
constexpr AtSource kAtAddons{
    "set {setting} in the manifest under /etc/kubernetes/addons of every control plane node",
    kEnvObject, kFieldObject, kPortObject};
// NetworkConfig of gardener-extension-networking-calico has no field for it; its chart switches the
// endpoint on.
constexpr AtSource kAtGardener{
    "Gardener writes this object from a ManagedResource, and a Shoot has no setting for it; "
    "restrict "
    "the port with a security group or a host policy",
    "", "", ""};
constexpr AtSource kAtAks{
    "AKS owns this object; restrict the port with a network security group or a host policy",
    kNetworkRule, kNetworkRule, kNetworkRule};
constexpr AtSource kAtHelm{"set {setting} in the values of the release, then helm upgrade",
                           kHelmValues, kHelmValues, kHelmValues};
constexpr AtSource kAtRke2Canal{
    "set {setting} in the HelmChartConfig of rke2-canal; its chart writes both the DaemonSet's "
    "environment and the FelixConfiguration",
    kRke2Canal, kRke2Canal, ""};
constexpr AtSource kAtRke2Calico{"set {setting} in the HelmChartConfig of rke2-calico", kRke2Calico,
                                 kRke2Calico, kRke2Calico};
constexpr AtSource kAtRancher{
    "set {setting} in the HelmChartConfig of the chart (RKE2: rke2-canal or rke2-calico) or in the "
    "server's manifests folder",
    kEnvObject, kFieldObject, kPortObject};
constexpr AtSource kAtK0s{
    "set FELIX_PROMETHEUSMETRICSENABLED to \"false\" in spec.network.calico.envVars of k0s' "
    "configuration, then restart the controllers",
    kK0sConfig, kK0sConfig, ""};
constexpr AtSource kAtKops{
    "set networking.calico.prometheusMetricsEnabled: false with kops edit cluster, then kops "
    "update cluster --yes",
    kKopsSpec, kKopsSpec, ""};
constexpr AtSource kAtFile{
    "set {setting} in the file (kubespray: calico_felix_prometheusmetricsenabled: false)",
    "# env of container {container}\n"
    "- name: FELIX_PROMETHEUSMETRICSENABLED\n"
    "  value: \"false\"\n",
    "spec:\n"
    "  prometheusMetricsEnabled: false\n",
    kPortObject};

constexpr std::string_view kSyncCycle = "at its next reconciliation, within minutes";
constexpr std::string_view kAddonCycle = "within about a minute";
constexpr std::string_view kHelmCycle = "at the next helm upgrade";
constexpr std::string_view kRancherCycle =
    "when the chart or the server's manifests change, or at the next upgrade";
constexpr std::string_view kApplyCycle = "at the next kubectl apply of its file";
constexpr std::string_view kKopsCycle = "at the next kops update";
constexpr std::string_view kManagedBy = "app.kubernetes.io/managed-by";
constexpr std::string_view kApplied = "kubectl.kubernetes.io/last-applied-configuration";

constexpr Mark now(Place place, std::string_view key, std::string_view value,
                   std::string_view owner, std::string_view cycle, const AtSource& source) {
  return {place, key, value, reverts_now, owner, cycle, &source};
}

constexpr Mark later(Place place, std::string_view key, std::string_view value,
                     std::string_view owner, std::string_view cycle, const AtSource& source) {
  return {place, key, value, reverts_at_next_release, owner, cycle, &source};
}

}  // namespace

const AtSource kAtOperator{
    "set prometheusMetricsEnabled to false in every FelixConfiguration, then clear "
    "nodeMetricsPort in each Installation",
    "", "", ""};
const AtSource kAtArgo{"set {setting} in the Application's source and sync it", kEnvObject,
                       kFieldObject, kPortObject};
const AtSource kAtPlatform{
    "ask whoever runs the platform to set {setting} in AppRelease cni-calico, from the global "
    "cluster",
    kEnvObject, kFieldObject, kPortObject};

std::span<const Mark> owner_marks() {
  static const Mark kMarks[] = {
      now(label, kManagedBy, "tigera-operator", "tigera-operator", kOperatorCycle, kAtOperator),
      now(annotation, "argocd.argoproj.io/tracking-id", "", "argocd", kArgoCycle, kAtArgo),
      now(label, "argocd.argoproj.io/instance", "", "argocd", kArgoCycle, kAtArgo),
      now(writer, "argocd-controller", "", "argocd", kArgoCycle, kAtArgo),
      now(label, "kustomize.toolkit.fluxcd.io/name", "", "flux", kSyncCycle, kAtFlux),
      now(label, "helm.toolkit.fluxcd.io/name", "", "flux", kSyncCycle, kAtFluxHelm),
      now(writer, "kustomize-controller", "", "flux", kSyncCycle, kAtFlux),
      now(writer, "helm-controller", "", "flux", kSyncCycle, kAtFluxHelm),
      now(label, "addonmanager.kubernetes.io/mode", "Reconcile", "addon-manager", kAddonCycle,
          kAtAddons),
      now(label, "kubernetes.io/cluster-service", "true", "addon-manager", kAddonCycle, kAtAddons),
      now(label, "resources.gardener.cloud/managed-by", "gardener", "gardener", "within minutes",
          kAtGardener),
      now(label, "kubernetes.azure.com/managedby", "aks", "aks", "within minutes", kAtAks),
      later(annotation, kHelmRelease, "rke2-canal*", "k3s/RKE2", kRancherCycle, kAtRke2Canal),
      later(annotation, kHelmRelease, "rke2-calico*", "k3s/RKE2", kRancherCycle, kAtRke2Calico),
      later(annotation, "objectset.rio.cattle.io/owner-name", "rke2-canal*", "k3s/RKE2",
            kRancherCycle, kAtRke2Canal),
      later(annotation, "objectset.rio.cattle.io/owner-name", "rke2-calico*", "k3s/RKE2",
            kRancherCycle, kAtRke2Calico),
      later(annotation, "objectset.rio.cattle.io/owner-gvk", "", "k3s/RKE2", kRancherCycle,
            kAtRancher),
      later(label, "objectset.rio.cattle.io/hash", "", "k3s/RKE2", kRancherCycle, kAtRancher),
      later(annotation, kHelmRelease, "", "helm", kHelmCycle, kAtHelm),
      later(label, kManagedBy, "Helm", "helm", kHelmCycle, kAtHelm),
      later(label, "heritage", "Helm", "helm", kHelmCycle, kAtHelm),
      later(label, "heritage", "Tiller", "helm", kHelmCycle, kAtHelm),
      later(writer, "helm", "", "helm", kHelmCycle, kAtHelm),
      later(label, "k0s.k0sproject.io/stack", "", "k0s", "when k0s restarts or is upgraded",
            kAtK0s),
      later(label, "addon.kops.k8s.io/name", "", "kops", kKopsCycle, kAtKops),
      later(label, kManagedBy, "kops", "kops", kKopsCycle, kAtKops),
      later(annotation, kApplied, "", "kubectl-apply", kApplyCycle, kAtFile),
      later(writer, "kubectl-client-side-apply", "", "kubectl-apply", kApplyCycle, kAtFile),
      later(writer, "kubectl-last-applied", "", "kubectl-apply", kApplyCycle, kAtFile),
      later(writer, "kubectl", "Apply", "kubectl-apply", kApplyCycle, kAtFile),
  };
  return kMarks;
}

}  // namespace catflap
