#include "core/plan/owner.hpp"

#include <algorithm>

#include "base/json_read.hpp"
#include "core/plan/tigera_operator.hpp"

namespace catflap {
namespace {

enum class Place { label, annotation };
enum class Setting { variable, field, port };

/// One trace that an owner leaves on what it writes (sources: the owners' own documentation and
/// code).
struct Mark {
  Place place;
  std::string_view key;
  std::string_view value;  // empty: any
  OwnerClass class_;
  std::string_view owner;
  std::string_view cycle;
  std::string_view change_at_source;
};

using enum OwnerClass;
using enum Place;

constexpr std::string_view kOperatorCycle = "within seconds, at the latest after 5 min";
constexpr std::string_view kOperatorChange =
    "set prometheusMetricsEnabled to false in every FelixConfiguration, then: kubectl patch "
    "installations.operator.tigera.io default --type merge -p "
    "'{\"spec\":{\"nodeMetricsPort\":null}}'";
constexpr std::string_view kArgoChange = "set {setting} in the Application's source and sync it";
constexpr std::string_view kFluxChange = "set {setting} in the repository that Flux reads";
constexpr std::string_view kAddonChange =
    "set {setting} in the manifest under /etc/kubernetes/addons "
    "of the control plane";
constexpr std::string_view kHelmChange =
    "set {setting} in the values of the release, then helm upgrade";
constexpr std::string_view kRancherChange =
    "set {setting} in the HelmChartConfig of the chart (RKE2: rke2-canal or rke2-calico) or in the "
    "server's manifests folder";

constexpr std::string_view kHelmRelease = "meta.helm.sh/release-name";

// In the order of strictness, and within it the surest mark of an owner first.
constexpr Mark kMarks[] = {
    {label, "app.kubernetes.io/managed-by", "tigera-operator", reverts_now, "tigera-operator",
     kOperatorCycle, kOperatorChange},
    {annotation, "argocd.argoproj.io/tracking-id", "", reverts_now, "argocd",
     "at its next sync, within about 3 min", kArgoChange},
    {label, "argocd.argoproj.io/instance", "", reverts_now, "argocd",
     "at its next sync, within about 3 min", kArgoChange},
    {label, "kustomize.toolkit.fluxcd.io/name", "", reverts_now, "flux",
     "at its next reconciliation, within minutes", kFluxChange},
    {label, "helm.toolkit.fluxcd.io/name", "", reverts_now, "flux",
     "at its next reconciliation, within minutes", kFluxChange},
    {label, "addonmanager.kubernetes.io/mode", "Reconcile", reverts_now, "addon-manager",
     "within about a minute", kAddonChange},
    {label, "kubernetes.io/cluster-service", "true", reverts_now, "addon-manager",
     "within about a minute", kAddonChange},
    {label, "resources.gardener.cloud/managed-by", "gardener", reverts_now, "gardener",
     "within minutes",
     "change the Shoot's network settings; the ManagedResource writes this object"},
    {label, "kubernetes.azure.com/managedby", "aks", reverts_now, "aks", "within minutes",
     "AKS owns this object; restrict the port with a network security group or a host policy"},
    {annotation, kHelmRelease, "", reverts_at_next_release, "helm", "at the next helm upgrade",
     kHelmChange},
    {label, "app.kubernetes.io/managed-by", "Helm", reverts_at_next_release, "helm",
     "at the next helm upgrade", kHelmChange},
    {label, "heritage", "Helm", reverts_at_next_release, "helm", "at the next helm upgrade",
     kHelmChange},
    {label, "heritage", "Tiller", reverts_at_next_release, "helm", "at the next helm upgrade",
     kHelmChange},
    {annotation, "objectset.rio.cattle.io/owner-gvk", "", reverts_at_next_release, "k3s/RKE2",
     "when the chart or the server's manifests change, or at the next upgrade", kRancherChange},
    {label, "objectset.rio.cattle.io/hash", "", reverts_at_next_release, "k3s/RKE2",
     "when the chart or the server's manifests change, or at the next upgrade", kRancherChange},
    {label, "k0s.k0sproject.io/stack", "", reverts_at_next_release, "k0s",
     "when k0s restarts or is upgraded",
     "k0s renders this object; set {setting} again after each upgrade"},
    {label, "addon.kops.k8s.io/name", "", reverts_at_next_release, "kops",
     "at the next kops update",
     "set networking.calico.prometheusMetricsEnabled: false with kops edit cluster"},
    {label, "app.kubernetes.io/managed-by", "kops", reverts_at_next_release, "kops",
     "at the next kops update",
     "set networking.calico.prometheusMetricsEnabled: false with kops edit cluster"},
    {annotation, "kubectl.kubernetes.io/last-applied-configuration", "", reverts_at_next_release,
     "kubectl-apply", "at the next kubectl apply of its file", "set {setting} in the file"},
};

std::string shown(const Mark& mark, std::string_view value) {
  std::string text = mark.place == label ? "label " : "annotation ";
  text += mark.key;
  // The whole last-applied configuration would follow; the key says it all.
  if (mark.place == label) text += "=" + std::string{value.substr(0, 63)};
  return text;
}

Owner made(const Mark& mark, std::string_view value) {
  return {.class_ = mark.class_,
          .name = std::string{mark.owner},
          .mark = shown(mark, value),
          .cycle = std::string{mark.cycle},
          .change_at_source = std::string{mark.change_at_source}};
}

void add(std::vector<Owner>& owners, Owner owner) {
  const bool known =
      std::ranges::any_of(owners, [&](const Owner& o) { return o.name == owner.name; });
  if (!known) owners.push_back(std::move(owner));
}

/// A controller owner reference is not a trace but a promise to keep the object in shape.
void add_controllers(std::vector<Owner>& owners, const json::object& metadata) {
  for (const auto* reference : objects_at(metadata, {"ownerReferences"})) {
    const std::string api = text_at(*reference, {"apiVersion"});
    const std::string who = text_at(*reference, {"kind"}) + " " + text_at(*reference, {"name"});
    if (api.starts_with("operator.tigera.io/")) {
      add(owners, {.class_ = reverts_now,
                   .name = "tigera-operator",
                   .mark = "owner reference to " + who,
                   .cycle = std::string{kOperatorCycle},
                   .change_at_source = std::string{kOperatorChange}});
    } else if (true_at(*reference, {"controller"})) {
      add(owners, {.class_ = unknown_controller,
                   .name = who,
                   .mark = "controller owner reference to " + api + " " + who,
                   .cycle = "",
                   .change_at_source = "find out what " + who + " reads and change that"});
    }
  }
}

/// Argo CD before 3.0 marks what it manages with this label only, and so do charts. Helm itself
/// leaves an annotation on what it installs; Argo CD renders the same chart without it.
void add_instance_label(std::vector<Owner>& owners, const json::object& labels,
                        const json::object& annotations) {
  const auto instance = text_at(labels, {"app.kubernetes.io/instance"});
  const bool helm = annotations.contains(kHelmRelease);
  const bool decided =
      std::ranges::any_of(owners, [](const Owner& o) { return o.class_ == reverts_now; });
  if (instance.empty() || helm || decided) return;
  add(owners, {.class_ = reverts_now,
               .name = "argocd",
               .mark = "label app.kubernetes.io/instance=" + instance.substr(0, 63) +
                       " without Helm's annotation",
               .cycle = "at its next sync, within about 3 min",
               .change_at_source = std::string{kArgoChange}});
}

/// {setting} in the words of the object: the same owner may keep a DaemonSet, a FelixConfiguration
/// and an Installation.
void name_setting(std::string& text, Setting setting) {
  constexpr std::string_view kPlaceholder = "{setting}";
  const auto at = text.find(kPlaceholder);
  if (at == text.npos) return;
  std::string_view words = "FELIX_PROMETHEUSMETRICSENABLED to \"false\"";
  if (setting == Setting::field) words = "prometheusMetricsEnabled to false";
  // The path in the values of the chart tigera-operator, too, with "installation" before it.
  if (setting == Setting::port) words = "nodeMetricsPort (installation.nodeMetricsPort) to null";
  text.replace(at, kPlaceholder.size(), words);
}

Setting setting_of(std::string_view kind) {
  if (kind == "FelixConfiguration") return Setting::field;
  return kind == "Installation" ? Setting::port : Setting::variable;
}

/// reverts_now, unknown_controller, reverts_at_next_release.
int leniency(const Owner& owner) {
  switch (owner.class_) {
    case reverts_now:
      return 0;
    case unknown_controller:
      return 1;
    case reverts_at_next_release:
      return 2;
    case nobody:
      return 3;
  }
  return 3;
}

}  // namespace

std::vector<Owner> owners_of(const json::object& object) {
  std::vector<Owner> owners;
  const json::object* metadata = object_at(object, {"metadata"});
  if (metadata == nullptr) return owners;
  const json::object none;
  const json::object* labels = object_at(*metadata, {"labels"});
  const json::object* annotations = object_at(*metadata, {"annotations"});
  if (labels == nullptr) labels = &none;
  if (annotations == nullptr) annotations = &none;

  add_controllers(owners, *metadata);
  // The addon manager leaves edits alone where this label says so, whatever the older label says.
  const bool edits_kept = text_at(*labels, {"addonmanager.kubernetes.io/mode"}) == "EnsureExists";
  for (const Mark& mark : kMarks) {
    if (edits_kept && mark.owner == "addon-manager") continue;
    const auto value = text_at(mark.place == label ? *labels : *annotations, {mark.key});
    if (value.empty() || (!mark.value.empty() && value != mark.value)) continue;
    add(owners, made(mark, value));
  }
  add_instance_label(owners, *labels, *annotations);
  const auto setting = setting_of(text_at(object, {"kind"}));
  for (Owner& owner : owners) name_setting(owner.change_at_source, setting);
  std::ranges::stable_sort(owners, {}, leniency);
  return owners;
}

Message owner_finding(const Owner& owner, const std::string& object) {
  const char* code = "CF0032";
  if (owner.name == "kubectl-apply") code = "CF0030";
  if (owner.name == "helm") code = "CF0031";
  if (owner.class_ == reverts_now) code = "CF0033";
  if (owner.class_ == unknown_controller) code = "CF0034";
  if (owner.name == kTigeraOperator) code = "CF0060";
  return {code,
          {{"object", object},
           {"owner", owner.name},
           {"cycle", owner.cycle},
           {"mark", owner.mark},
           {"change", owner.change_at_source}}};
}

bool refuses_edits(const Owner& owner) {
  return owner.class_ == reverts_now || owner.class_ == unknown_controller;
}

const char* to_string(OwnerClass c) {
  switch (c) {
    case nobody:
      return "nobody";
    case reverts_at_next_release:
      return "reverts-at-next-release";
    case reverts_now:
      return "reverts-now";
    case unknown_controller:
      return "unknown-controller";
  }
  return "nobody";
}

}  // namespace catflap
