// The layer of selector-scoped FelixConfigurations (Calico 3.32 and later): exactly one object
// applies to a node, the oldest whose selector matches its labels; ties go by name, and the losers
// are ignored whole, not merged. Source: felix/calc/config_batcher.go MergeSelectorConfigs.
#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "core/resolve/selector.hpp"
#include "core/resolve/sources.hpp"

namespace catflap {
namespace {

constexpr Version kSelectorScoped{3, 32, 0};

bool sets(const FelixConfiguration& object, const Parameter& parameter) {
  return std::any_of(object.settings.begin(), object.settings.end(), [&](const auto& setting) {
    return names_parameter(setting.name, parameter.name);
  });
}

/// The oldest first; an object without a time is as old as can be.
bool older(const FelixConfiguration* a, const FelixConfiguration* b) {
  const auto key = [](const FelixConfiguration& object) {
    return std::tuple{object.created.value_or(TimePoint::min()), object.name};
  };
  return key(*a) < key(*b);
}

}  // namespace

LayerValues Sources::selector_layer(const Parameter& parameter) const {
  LayerValues layer{.layer = Layer::fc_selector};
  const Support support = since(kSelectorScoped);
  if (support == Support::no || etcd_) return layer;

  std::vector<const FelixConfiguration*> matching;
  std::vector<const FelixConfiguration*> uncertain;
  std::string why;
  for (const FelixConfiguration& object : objects_) {
    if (!is_selector_scoped(object)) continue;
    if (!object.broken.empty()) {
      uncertain.push_back(&object);
      why = object.broken;
      continue;
    }
    if (object.node_selector.value_or("").empty()) continue;  // matches no node
    const auto matches = selector_matches(*object.node_selector, input_.node_labels);
    if (!matches || input_.node_labels.empty()) {
      uncertain.push_back(&object);
      why = matches ? "the node's labels are not known" : matches.error().what;
    } else if (*matches) {
      matching.push_back(&object);
    }
  }

  const auto winner = std::min_element(matching.begin(), matching.end(), older);
  const bool winner_sets = winner != matching.end() && sets(**winner, parameter);
  for (const FelixConfiguration* object : uncertain) {
    const bool matters = winner_sets || !object->broken.empty() || sets(*object, parameter);
    if (!matters) continue;
    layer.unreadable = fmt::format(
        "whether FelixConfiguration {} applies to this node is not known: {}", object->name, why);
    layer.unreadable_source = {
        .kind = "FelixConfiguration", .name = object->name, .field = "spec.nodeSelector"};
  }
  if (!winner_sets) return layer;
  add_object(**winner, parameter, layer);
  // Of an unknown version it is not known whether it looks at these objects at all.
  if (support == Support::unknown) layer.candidates.push_back({});
  return layer;
}

}  // namespace catflap
