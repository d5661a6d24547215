#include "sim/tigera_operator.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "look/match.hpp"
#include "sim/edits.hpp"
#include "sim/json_patch.hpp"

namespace catflap::sim {
namespace {

/// Until it has noticed a change and rendered all of Calico.
constexpr Duration kRenders{700};
const Resource kInstallations{"operator.tigera.io", "v1", "installations"};
const ObjectRef kDefault{kInstallations, "", "default"};
const ObjectRef kOverlay{kInstallations, "", "overlay"};
const ObjectRef kDeployment{{"apps", "v1", "deployments"}, "tigera-operator", "tigera-operator"};
const ObjectRef kStatus{{"operator.tigera.io", "v1", "tigerastatuses"}, "", "calico"};
constexpr const char* kEnabled = "FELIX_PROMETHEUSMETRICSENABLED";
constexpr const char* kPort = "FELIX_PROMETHEUSMETRICSPORT";

bool is_its_own(const json::object& set) {
  return std::ranges::any_of(
      objects_at(set, {"metadata", "ownerReferences"}), [](const json::object* owner) {
        return text_at(*owner, {"apiVersion"}).starts_with("operator.tigera.io/");
      });
}

bool is_ignored(const json::object& set) {
  return text_at(set, {"metadata", "annotations", "unsupported.operator.tigera.io/ignore"}) ==
         "true";
}

/// The environment of Felix's container without the port's variables, and with them if there is a
/// port.
void set_port(json::object& pod_spec, const json::value& port) {
  const auto felix = look::felix_container(pod_spec).value_or("");
  for (auto& container : array_in(pod_spec, "containers")) {
    auto* own = container.if_object();
    if (own == nullptr || text_at(*own, {"name"}) != felix) continue;
    auto& env = array_in(*own, "env");
    json::array kept;
    for (const auto& entry : env) {
      const auto name =
          entry.is_object() ? to_lower(text_at(entry.get_object(), {"name"})) : std::string{};
      if (name != to_lower(kEnabled) && name != to_lower(kPort)) kept.push_back(entry);
    }
    if (!port.is_null()) {
      kept.push_back(json::object{{"name", kEnabled}, {"value", "true"}});
      kept.push_back(json::object{{"name", kPort}, {"value", json::serialize(port)}});
    }
    env = std::move(kept);
  }
}

json::object spec_of(const json::object* installation) {
  const auto* spec = installation == nullptr ? nullptr : object_at(*installation, {"spec"});
  return spec == nullptr ? json::object{} : *spec;
}

}  // namespace

void TigeraOperator::begin() {
  if (runs()) render(true);
}

TimePoint TigeraOperator::tick() {
  if (!runs() || !render(false)) {
    acts_at_.reset();
    return kNever;
  }
  const auto now = store_.clock().now();
  if (!acts_at_) acts_at_ = now + kRenders;
  if (now < *acts_at_) return *acts_at_;
  acts_at_.reset();
  render(true);
  return kNever;
}

bool TigeraOperator::runs() const {
  const auto* deployment = store_.find(kDeployment);
  if (deployment == nullptr || number_at(*deployment, {"spec", "replicas"}) == 0) return false;
  if (store_.find(kDefault) == nullptr) return false;
  const auto* status = store_.find(kStatus);
  return status == nullptr || !is_condition_true(*status, "Degraded");
}

/// What the overlay sets, counts; it cannot unset.
json::object TigeraOperator::effective_spec() const {
  return apply_merge_patch(spec_of(store_.find(kDefault)), spec_of(store_.find(kOverlay)))
      .as_object();
}

json::object TigeraOperator::wanted(const json::object& set, const json::value& port) {
  const auto [found, added] =
      found_.try_emplace(uid_of(set), *object_at(set, {"spec", "template", "spec"}));
  auto spec = found->second;
  set_port(spec, port);
  return spec;
}

bool TigeraOperator::render(bool write) {
  const auto spec = effective_spec();
  const auto* port = spec.if_contains("nodeMetricsPort");
  bool any = render_computed(spec, write);
  for (const auto& set : store_.select({.resource = kube::kDaemonSets}))
    if (is_its_own(set) && object_at(set, {"spec", "template", "spec"}) != nullptr)
      any = render_set(set, port == nullptr ? json::value{} : *port, write) || any;
  return any;
}

bool TigeraOperator::render_set(const json::object& set, const json::value& port, bool write) {
  if (is_ignored(set)) return false;
  auto spec = wanted(set, port);
  if (spec == *object_at(set, {"spec", "template", "spec"})) return false;
  if (!write) return true;
  store_.edit({kube::kDaemonSets, text_at(set, {"metadata", "namespace"}), name_of(set)},
              [&](json::object& object) {
                auto& pod_template = object_in(object_in(object, "spec"), "template");
                pod_template["spec"] = std::move(spec);
                if (port.is_null()) return;
                auto& annotations = object_in(object_in(pod_template, "metadata"), "annotations");
                annotations["prometheus.io/scrape"] = "true";
                annotations["prometheus.io/port"] = json::serialize(port);
              });
  return true;
}

bool TigeraOperator::render_computed(const json::object& spec, bool write) {
  const auto* computed = object_at(*store_.find(kDefault), {"status", "computed"});
  if (computed != nullptr && *computed == spec) return false;
  if (write)
    store_.edit(kDefault,
                [&](json::object& object) { object_in(object, "status")["computed"] = spec; });
  return true;
}

}  // namespace catflap::sim
