// What only the container itself could tell is put in the place of what the API server could not,
// and the pod resolved again.
#include <algorithm>

#include "base/json_read.hpp"
#include "base/text.hpp"
#include "core/resolve/resolve.hpp"
#include "look/discover.hpp"

namespace catflap::look {
namespace {

const InsideLook* look_into(const Look& look, const PodFacts& pod) {
  const auto found = std::ranges::find_if(look.inside, [&](const InsideLook& inside) {
    return inside.pod_uid == pod.uid && inside.complete;
  });
  return found != look.inside.end() ? &*found : nullptr;
}

void put_file(ResolveInput& input, const InsideLook& inside) {
  auto& file = input.file;
  if (file.state != FelixConfigFile::State::unreadable) return;
  if (!inside.config_file_readable) return;
  file.state = FelixConfigFile::State::text;
  file.text = inside.config_file.value_or("");  // Felix takes a missing file for an empty one
}

bool any_unreadable(const std::map<std::string, Lookup>& lookups) {
  return std::ranges::any_of(
      lookups, [](const auto& entry) { return entry.second.state == Lookup::State::unreadable; });
}

/// The environment that Felix really has replaces a declared one with holes. Only if there is one
/// Felix in the container.
void put_environment(ResolveInput& input, const InsideLook& inside) {
  if (!any_unreadable(input.config_maps) && !any_unreadable(input.secrets)) return;
  if (inside.felix.size() != 1) return;
  auto* spec = input.pod.if_contains("spec");
  if (spec == nullptr || !spec->is_object()) return;
  json::array environment;
  for (const auto& [name, value] : inside.felix.front().environment) {
    // resolve would expand "$(X)" once more; "$$" is how Kubernetes writes a plain dollar.
    std::string escaped;
    for (const char c : value) escaped += c == '$' ? std::string("$$") : std::string(1, c);
    environment.push_back({{"name", name}, {"value", escaped}});
  }
  spec->get_object()["containers"] =
      json::array{{{"name", input.felix_container}, {"env", std::move(environment)}}};
  input.config_maps.clear();
  input.secrets.clear();
}

}  // namespace

void apply_inside(ClusterFacts& facts, const Look& look) {
  for (auto& pod : facts.pods) {
    if (pod.unresolved == nullptr) continue;
    const auto* inside = look_into(look, pod);
    if (inside == nullptr) continue;
    ResolveInput input = *pod.unresolved;
    put_file(input, *inside);
    put_environment(input, *inside);
    input.felix_configurations = &facts.felix_configurations;
    pod.declared = resolve(input);
  }
}

}  // namespace catflap::look
