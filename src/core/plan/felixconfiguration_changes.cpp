#include "core/plan/felixconfiguration_changes.hpp"

#include <algorithm>
#include <tuple>

#include "base/json_read.hpp"
#include "base/text.hpp"
#include "core/resolve/embedded.hpp"
#include "core/resolve/felixconfiguration.hpp"

namespace catflap {
namespace {

constexpr std::string_view kPerNode = "node.";
constexpr Version kSelectorsSince{3, 32, 0};

bool is_used(const FelixConfiguration& configuration, const ClusterFacts& facts) {
  if (!configuration.broken.empty()) return false;
  const std::string& name = configuration.name;
  if (name == "default") return true;
  if (name.starts_with(kPerNode)) {
    const auto node = name.substr(kPerNode.size());
    // Felix's own name for its node is normally Kubernetes', but the environment can say otherwise.
    return std::ranges::any_of(facts.nodes, [&](const auto& n) { return n.name == node; }) ||
           std::ranges::any_of(facts.pods, [&](const PodFacts& pod) {
             return pod.declared.enabled.source.name == name;
           });
  }
  const auto version = parse_version(facts.calico_version);
  return !version || *version >= kSelectorsSince;
}

std::string group_version(const json::object& object, CalicoApi api) {
  const std::string own = text_at(object, {"apiVersion"});
  if (!own.empty()) return own;
  return api == CalicoApi::v3_crd ? "projectcalico.org/v3" : "crd.projectcalico.org/v1";
}

/// The embedded metadata with every annotation of the list set to "false". Its field names ignore
/// case, as in Go.
std::string embedded_off(const std::string& text,
                         const std::vector<FelixConfigurationSetting>& settings) {
  boost::system::error_code error;
  json::value parsed = json::parse(text, error);
  if (error || !parsed.is_object()) return text;
  for (auto& [key, value] : parsed.get_object()) {
    if (!equal_ignoring_case(key, "annotations") || !value.is_object()) continue;
    for (const auto& setting : settings) {
      if (json::value* annotation = value.get_object().if_contains(setting.key))
        *annotation = "false";
    }
  }
  return json::serialize(parsed);
}

class Changes {
 public:
  Changes(const json::object& object, std::string name, CalicoApi api) : object_(object) {
    base_.object = &object;
    base_.name = name;
    base_.change.target = {.api_version = group_version(object, api),
                           .kind = "FelixConfiguration",
                           .name = std::move(name)};
    if (const json::object* metadata = object_at(object, {"metadata"})) {
      base_.change.target.uid = text_at(*metadata, {"uid"});
      base_.change.resource_version = text_at(*metadata, {"resourceVersion"});
    }
  }

  std::vector<FelixConfigurationChange> run() {
    std::vector<FelixConfigurationSetting> embedded;
    for (const auto& setting : enabled_settings(object_)) {
      if (!setting.value) continue;
      switch (setting.place) {
        case Place::spec:
          add("spec." + setting.key, "", true, false);
          break;
        case Place::annotation:
          add_annotation(setting.key, setting.raw, "false");
          break;
        case Place::embedded:
          embedded.push_back(setting);
          break;
      }
    }
    if (!embedded.empty()) add_embedded(embedded);
    if (!changes_.empty()) changes_.back().last_of_object = true;
    return std::move(changes_);
  }

 private:
  void add(std::string field, std::string annotation, json::value before, json::value after) {
    FelixConfigurationChange one = base_;
    one.annotation = std::move(annotation);
    one.change.target.field = std::move(field);
    one.change.before = std::move(before);
    one.change.after = std::move(after);
    changes_.push_back(std::move(one));
  }

  void add_annotation(const std::string& key, const std::string& before, const std::string& after) {
    add("metadata.annotations[" + key + "]", key, json::value(before), json::value(after));
  }

  void add_embedded(const std::vector<FelixConfigurationSetting>& settings) {
    const std::string key{kMetadataAnnotation};
    const std::string before = text_at(object_, {"metadata", "annotations", key});
    add_annotation(key, before, embedded_off(before, settings));
  }

  const json::object& object_;
  FelixConfigurationChange base_;
  std::vector<FelixConfigurationChange> changes_;
};

/// default, then by selector, then per node: from the lowest layer up.
std::tuple<int, std::string> layer_order(const FelixConfigurationChange& change) {
  const int layer = change.name == "default" ? 0 : change.name.starts_with(kPerNode) ? 2 : 1;
  return {layer, change.name};
}

}  // namespace

bool holds_by_name(const std::string& name) {
  return name == "default" || name.starts_with(kPerNode);
}

std::vector<FelixConfigurationChange> changes_to_false(const ClusterFacts& facts) {
  std::vector<FelixConfigurationChange> all;
  for (const json::object& object : facts.felix_configurations) {
    const auto configuration = read_felix_configuration(object);
    if (!is_used(configuration, facts)) continue;
    for (auto& change : Changes{object, configuration.name, facts.calico_api}.run()) {
      all.push_back(std::move(change));
    }
  }
  std::ranges::stable_sort(all, {}, layer_order);
  return all;
}

}  // namespace catflap
