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
    return inside.pod_uid == pod.uid && inside.complete && !inside.table_only;
  });
  return found != look.inside.end() ? &*found : nullptr;
}

/// The file that Felix reads, if it says anything: an image may bring one of its own.
bool put_file(ResolveInput& input, const InsideLook& inside) {
  auto& file = input.file;
  if (!inside.config_file_readable) return false;
  const auto text = inside.config_file.value_or("");  // Felix takes a missing file for an empty one
  const bool was_unreadable = file.state == FelixConfigFile::State::unreadable;
  if (!was_unreadable && (text == file.text || !sets_metrics(text))) return false;
  file.state = FelixConfigFile::State::text;
  file.text = text;
  return true;
}

bool any_unreadable(const std::map<std::string, Lookup>& lookups) {
  return std::ranges::any_of(
      lookups, [](const auto& entry) { return entry.second.state == Lookup::State::unreadable; });
}

/// The environment that Felix really has replaces a declared one with holes. Only if there is one
/// Felix in the container.
bool put_environment(ResolveInput& input, const InsideLook& inside, const Declared& declared) {
  // A source that was deleted since the container started is a hole as well.
  const bool hole =
      declared.enabled.state == ParamState::unreadable && declared.enabled.layer == Layer::env;
  if (!hole && !any_unreadable(input.config_maps) && !any_unreadable(input.secrets)) return false;
  if (inside.felix.size() != 1) return false;
  auto* spec = input.pod.if_contains("spec");
  if (spec == nullptr || !spec->is_object()) return false;
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
  return true;
}

}  // namespace

void apply_inside(ClusterFacts& facts, const Look& look) {
  for (auto& pod : facts.pods) {
    if (pod.unresolved == nullptr) continue;
    const auto* inside = look_into(look, pod);
    if (inside == nullptr) continue;
    ResolveInput input = *pod.unresolved;
    const bool file = put_file(input, *inside);
    const bool environment = put_environment(input, *inside, pod.declared);
    if (!file && !environment) continue;
    input.felix_configurations = &facts.felix_configurations;
    pod.declared = resolve(input);
  }
}

}  // namespace catflap::look
