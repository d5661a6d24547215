#include "core/plan/owner.hpp"

#include <algorithm>

#include "base/json_read.hpp"
#include "base/text.hpp"
#include "core/plan/by_hand.hpp"
#include "core/plan/owner_marks.hpp"
#include "core/plan/tigera_operator.hpp"

namespace catflap {
namespace {

using enum OwnerClass;

constexpr std::size_t kMostNamed = 8;
constexpr std::string_view kTrackingId = "argocd.argoproj.io/tracking-id";
constexpr std::string_view kInstance = "app.kubernetes.io/instance";

/// The parts of an object that carry marks; missing ones are empty.
class Marked {
 public:
  explicit Marked(const json::object& object) : object_(object) {}

  [[nodiscard]] std::string label(std::string_view key) const {
    return text_at(object_, {"metadata", "labels", key});
  }
  [[nodiscard]] std::string annotation(std::string_view key) const {
    return text_at(object_, {"metadata", "annotations", key});
  }
  /// The operation (Apply or Update) with which this manager owns fields below spec; "": it does
  /// not.
  [[nodiscard]] std::string writer(std::string_view manager, std::string_view operation) const {
    for (const auto* entry : objects_at(object_, {"metadata", "managedFields"})) {
      const auto how = text_at(*entry, {"operation"});
      if (text_at(*entry, {"manager"}) != manager || (!operation.empty() && how != operation))
        continue;
      return how.empty() ? "Update" : how;
    }
    return "";
  }

  [[nodiscard]] std::string value_of(const Mark& mark) const {
    switch (mark.place) {
      case Place::label:
        return label(mark.key);
      case Place::annotation:
        return annotation(mark.key);
      case Place::writer:
        return writer(mark.key, mark.value);
    }
    return "";
  }

 private:
  const json::object& object_;
};

bool matches(std::string_view wanted, std::string_view value) {
  if (value.empty() || wanted.empty()) return !value.empty();
  if (!wanted.ends_with('*')) return value == wanted;
  return value.starts_with(wanted.substr(0, wanted.size() - 1));
}

std::string shown(const Mark& mark, std::string_view value) {
  if (mark.place == Place::writer)
    return "field manager " + std::string{mark.key} + " in managedFields";
  std::string text = mark.place == Place::label ? "label " : "annotation ";
  text += mark.key;
  // The whole last-applied configuration would follow; the key says it all.
  if (mark.place == Place::label) text += "=" + std::string{value.substr(0, 63)};
  return text;
}

enum class Setting { variable, field, port };

/// The DaemonSets of a list have no kind.
Setting setting_of(const json::object& object) {
  const auto kind = text_at(object, {"kind"});
  if (kind == "FelixConfiguration") return Setting::field;
  return kind == "Installation" ? Setting::port : Setting::variable;
}

std::string words_of(Setting setting) {
  if (setting == Setting::field) return "prometheusMetricsEnabled to false";
  // The path in the values of the chart tigera-operator, too.
  if (setting == Setting::port) return "nodeMetricsPort (installation.nodeMetricsPort) to null";
  return "FELIX_PROMETHEUSMETRICSENABLED to \"false\"";
}

std::string_view paste_of(const AtSource& source, Setting setting) {
  if (setting == Setting::field) return source.field;
  return setting == Setting::port ? source.port : source.env;
}

/// Felix's container by its usual names; an object of another shape gets the most usual one.
std::string container_of(const json::object& object) {
  const auto& containers = array_at(object, {"spec", "template", "spec", "containers"});
  for (const auto* name : {"calico-node", "felix"})
    if (named(containers, name) != nullptr) return name;
  const auto* only = containers.size() == 1 ? containers.front().if_object() : nullptr;
  return only == nullptr ? "calico-node" : text_at(*only, {"name"});
}

/// A label that Flux leaves on what it renders from a HelmRelease.
std::string release_of(const json::object& object, std::string_view key, const char* placeholder) {
  auto value = Marked{object}.label(key);
  return value.empty() ? placeholder : value;
}

/// The placeholders of AtSource in the words of the object.
std::string filled(std::string_view text, const json::object& object) {
  const std::pair<std::string_view, std::string> words[] = {
      {"{setting}", words_of(setting_of(object))},
      {"{name}", text_at(object, {"metadata", "name"})},
      {"{namespace}", text_at(object, {"metadata", "namespace"})},
      {"{container}", container_of(object)},
      {"{apiVersion}", text_at(object, {"apiVersion"})},
      {"{release}", release_of(object, "helm.toolkit.fluxcd.io/name", "NAME")},
      {"{releaseNamespace}", release_of(object, "helm.toolkit.fluxcd.io/namespace", "NAMESPACE")},
  };
  std::string out;
  while (!text.empty()) {
    const auto open = std::min(text.find('{'), text.size());
    out += text.substr(0, open);
    text.remove_prefix(open);
    const auto word =
        std::ranges::find_if(words, [&](const auto& one) { return text.starts_with(one.first); });
    if (word != std::end(words)) {
      out += printable(word->second, 253);
      text.remove_prefix(word->first.size());
    } else if (!text.empty()) {
      out += text.front();
      text.remove_prefix(1);
    }
  }
  return out;
}

Owner made(OwnerClass c, std::string_view name, std::string mark, std::string_view cycle,
           const AtSource& source, const json::object& object) {
  return {.class_ = c,
          .name = std::string{name},
          .mark = std::move(mark),
          .cycle = std::string{cycle},
          .change_at_source = filled(source.change, object),
          .paste = filled(paste_of(source, setting_of(object)), object)};
}

bool has(const std::vector<Owner>& owners, std::string_view name) {
  return std::ranges::any_of(owners, [&](const Owner& owner) { return owner.name == name; });
}

void add(std::vector<Owner>& owners, Owner owner) {
  if (!has(owners, owner.name)) owners.push_back(std::move(owner));
}

/// A controller owner reference is not a trace but a promise to keep the object in shape.
void add_controllers(std::vector<Owner>& owners, const json::object& object) {
  for (const auto* reference : objects_at(object, {"metadata", "ownerReferences"})) {
    const std::string api = text_at(*reference, {"apiVersion"});
    const std::string who = text_at(*reference, {"kind"}) + " " + text_at(*reference, {"name"});
    if (api.starts_with("operator.tigera.io/")) {
      add(owners, made(reverts_now, "tigera-operator", "owner reference to " + who, kOperatorCycle,
                       kAtOperator, object));
    } else if (true_at(*reference, {"controller"})) {
      add(owners, {.class_ = unknown_controller,
                   .name = who,
                   .mark = "controller owner reference to " + api + " " + who,
                   .cycle = "",
                   .change_at_source = "find out what " + who + " reads and change that",
                   .paste = ""});
    }
  }
}

/// Argo CD before 3.0 marks what it manages with this label only, and so do charts. Helm itself
/// leaves an annotation on what it installs; Argo CD renders the same chart without it.
bool is_instance_of_argo(const Marked& marked) {
  return !marked.label(kInstance).empty() && marked.annotation(kHelmRelease).empty();
}

void add_instance_label(std::vector<Owner>& owners, const Marked& marked,
                        const json::object& object) {
  const bool decided =
      std::ranges::any_of(owners, [](const Owner& o) { return o.class_ == reverts_now; });
  if (decided || !is_instance_of_argo(marked)) return;
  const auto mark = "label " + std::string{kInstance} + "=" +
                    marked.label(kInstance).substr(0, 63) + " without Helm's annotation";
  add(owners, made(reverts_now, "argocd", mark, kArgoCycle, kAtArgo, object));
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

/// Every Application that the marks may mean: is it here, and does it leave edits alone?
void ask_argo(Owner& owner, const json::object& object, const Surroundings& around) {
  if (!around.read) return;
  const auto names = applications_of(object);
  if (!around.applications_state.readable) {
    owner.mark += "; its Application cannot be read: " + around.applications_state.why;
    return;
  }
  std::string lenient;
  for (const ArgoApplication& application : around.applications) {
    const auto full = application.namespace_ + "/" + application.name;
    const bool meant = std::ranges::any_of(
        names, [&](const auto& name) { return name == full || name == application.name; });
    if (!meant) continue;
    if (application.heals_itself) {
      owner.mark += "; Application " + full + " heals itself";
      return;
    }
    lenient = full;
  }
  if (lenient.empty()) return;
  owner.class_ = reverts_at_next_release;
  owner.cycle = "at the next sync of Application " + lenient + ", which does not heal itself";
}

/// The platform keeps DaemonSets of its AppRelease; an edit by hand lives on as a ResourcePatch.
void add_platform(std::vector<Owner>& owners, const json::object& object,
                  const Platform& platform) {
  if (setting_of(object) != Setting::variable) return;
  const auto name = "DaemonSet " + text_at(object, {"metadata", "namespace"}) + "/" +
                    text_at(object, {"metadata", "name"});
  const auto patch = std::ranges::find(platform.patches, name, &PlatformPatch::object);
  const bool patched = patch != platform.patches.end();
  if (platform.release.empty() && !patched) return;
  auto owner = made(reverts_at_next_release, "acp",
                    platform.release.empty() ? "ResourcePatch " + patch->name : platform.release,
                    "at the next upgrade of the platform", kAtPlatform, object);
  const auto resource = shell_word(printable(platform.patch_resource, 253));
  owner.paste =
      "# before an upgrade of the platform (ACP 4.3 and later), if the edit is to stay:\n"
      "kubectl get " +
      resource + "\nkubectl annotate " + resource + " " +
      (patched ? shell_word(printable(patch->name, 253)) : "NAME") +
      " 'config.cpaas.io/exempt-for-ver=<target version>'\n";
  add(owners, std::move(owner));
}

}  // namespace

std::vector<std::string> applications_of(const json::object& object) {
  const Marked marked{object};
  std::vector<std::string> names;
  const auto add_name = [&](std::string name) {
    if (!name.empty() && names.size() < kMostNamed) names.push_back(std::move(name));
  };
  // "NAME:GROUP/KIND:NAMESPACE/NAME"; an Application outside Argo CD's own namespace is
  // "NAMESPACE_NAME".
  const auto id = marked.annotation(kTrackingId);
  auto name = id.substr(0, id.find(':'));
  if (const auto cut = name.find('_'); cut != name.npos) name[cut] = '/';
  add_name(std::move(name));
  if (!names.empty()) return names;
  add_name(marked.label("argocd.argoproj.io/instance"));
  if (names.empty() && is_instance_of_argo(marked)) add_name(marked.label(kInstance));
  return names;
}

std::vector<Owner> owners_of(const json::object& object) {
  std::vector<Owner> owners;
  const Marked marked{object};
  add_controllers(owners, object);
  // The addon manager leaves edits alone where this label says so, whatever the older label says.
  const bool edits_kept = marked.label("addonmanager.kubernetes.io/mode") == "EnsureExists";
  for (const Mark& mark : owner_marks()) {
    if (edits_kept && mark.owner == "addon-manager") continue;
    // RKE2 runs Helm for its charts: there is no release that somebody upgrades by hand.
    if (mark.owner == "helm" && has(owners, "k3s/RKE2")) continue;
    const auto value = marked.value_of(mark);
    if (!matches(mark.value, value)) continue;
    add(owners,
        made(mark.class_, mark.owner, shown(mark, value), mark.cycle, *mark.source, object));
  }
  add_instance_label(owners, marked, object);
  std::ranges::stable_sort(owners, {}, leniency);
  return owners;
}

std::vector<Owner> owners_of(const json::object& object, const Surroundings& surroundings) {
  auto owners = owners_of(object);
  for (Owner& owner : owners)
    if (owner.name == "argocd") ask_argo(owner, object, surroundings);
  add_platform(owners, object, surroundings.platform);
  std::ranges::stable_sort(owners, {}, leniency);
  return owners;
}

std::vector<Owner> owners_of(const json::object& object, const ClusterFacts& facts) {
  auto owners = owners_of(object, facts.surroundings);
  for (Owner& owner : owners)
    if (owner.name == kTigeraOperator) owner.paste = by_hand_for_operator(facts);
  return owners;
}

Message owner_finding(const Owner& owner, const std::string& object) {
  const char* code = "CF0032";
  if (owner.name == "kubectl-apply") code = "CF0030";
  if (owner.name == "helm") code = "CF0031";
  if (owner.name == "acp") code = "CF0072";
  if (owner.class_ == reverts_now) code = "CF0033";
  if (owner.class_ == unknown_controller) code = "CF0034";
  if (owner.name == kTigeraOperator) code = "CF0060";
  Message finding{code,
                  {{"object", object},
                   {"owner", owner.name},
                   {"cycle", owner.cycle},
                   {"mark", owner.mark},
                   {"change", owner.change_at_source}}};
  if (!owner.paste.empty()) finding.params["paste"] = owner.paste;
  return finding;
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
