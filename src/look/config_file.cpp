#include "look/config_file.hpp"

#include <fmt/core.h>

#include "base/json_read.hpp"

namespace catflap::look {
namespace {

std::string_view without_final_slashes(std::string_view path) {
  while (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

/// The rest of the file's path below the mount ("" if the mount is the file itself), or none.
std::optional<std::string_view> below(std::string_view mount) {
  mount = without_final_slashes(mount);
  if (!kFelixConfigPath.starts_with(mount)) return std::nullopt;
  const auto rest = kFelixConfigPath.substr(mount.size());
  if (!rest.empty() && rest.front() != '/') return std::nullopt;
  return rest.empty() ? rest : rest.substr(1);
}

const json::object* covering_mount(const json::object& container) {
  const json::object* deepest = nullptr;
  std::size_t depth = 0;
  for (const auto& entry : array_at(container, {"volumeMounts"})) {
    if (!entry.is_object()) continue;
    const auto path = text_at(entry.get_object(), {"mountPath"});
    if (path.empty() || !below(path)) continue;
    const auto length = without_final_slashes(path).size();
    if (deepest != nullptr && length < depth) continue;
    deepest = &entry.get_object();
    depth = length;
  }
  return deepest;
}

/// The volume's kind and path, e.g. "hostPath /etc/calico".
std::string describe(const json::object& volume) {
  if (const auto path = text_at(volume, {"hostPath", "path"}); !path.empty()) {
    return "hostPath " + path;
  }
  for (const auto& entry : volume) {
    if (entry.key() != "name")
      return fmt::format("a volume of type {}", std::string_view(entry.key()));
  }
  return "a volume";
}

/// The ConfigMap's key that the volume shows at this path, "" if none.
std::string key_of(const json::object& config_map, const std::string& path) {
  const auto& items = array_at(config_map, {"items"});
  if (items.empty()) return path.find('/') == std::string::npos ? path : std::string();
  for (const auto& entry : items) {
    if (entry.is_object() && text_at(entry.get_object(), {"path"}) == path) {
      return text_at(entry.get_object(), {"key"});
    }
  }
  return {};
}

}  // namespace

ConfigFileSource config_file_source(const json::object& pod_spec, const json::object& container,
                                    const std::string& namespace_) {
  const auto* mount = covering_mount(container);
  if (mount == nullptr) return {};
  ConfigFileSource source{.kind = ConfigFileSource::Kind::elsewhere, .where = "a volume"};
  const auto* volume = named(array_at(pod_spec, {"volumes"}), text_at(*mount, {"name"}));
  if (volume == nullptr) return source;
  source.where = describe(*volume);
  const auto* config_map = object_at(*volume, {"configMap"});
  if (config_map == nullptr || mount->contains("subPathExpr")) return source;
  auto path = std::string(without_final_slashes(text_at(*mount, {"subPath"})));
  if (const auto rest = below(text_at(*mount, {"mountPath"})); !rest->empty()) {
    path += (path.empty() ? "" : "/") + std::string(*rest);
  }
  const auto name = text_at(*config_map, {"name"});
  return {.kind = ConfigFileSource::Kind::config_map,
          .where = "ConfigMap " + namespace_ + "/" + name,
          .ref = {RefKind::config_map, namespace_, name},
          .key = key_of(*config_map, path)};
}

FelixConfigFile read_config_file(const ConfigFileSource& source, const References& references,
                                 std::optional<TimePoint> started) {
  using State = FelixConfigFile::State;
  if (source.kind == ConfigFileSource::Kind::image) return {};
  const auto unreadable = [&](std::string why) {
    return FelixConfigFile{.state = State::unreadable, .path = source.where, .why = std::move(why)};
  };
  if (source.kind == ConfigFileSource::Kind::elsewhere) {
    return unreadable("only the container itself can read it");
  }
  const auto lookup = references.lookup(source.ref, started);
  if (lookup.state == Lookup::State::unreadable) return unreadable(lookup.why);
  const auto text = lookup.data.find(source.key);
  // Without the key the mount holds no such file, or a folder of that name: the container knows.
  if (text == lookup.data.end()) return unreadable("the ConfigMap has no such key");
  return {.state = State::text, .text = text->second, .path = source.where};
}

}  // namespace catflap::look
