// Where a pod's /etc/calico/felix.cfg comes from. The path is fixed in calico/node
// (node/pkg/node/command.go), and the image's own copy sets no metrics parameter, so only a volume
// mounted over it matters.
#pragma once

#include <optional>
#include <string>

#include "look/references.hpp"

namespace catflap::look {

inline constexpr std::string_view kFelixConfigPath = "/etc/calico/felix.cfg";

struct ConfigFileSource {
  enum class Kind {
    image,       // no volume covers it
    config_map,  // the API server has the text
    elsewhere,   // hostPath and the like: only the container itself can read it
  } kind = Kind::image;
  std::string where;  // "hostPath /etc/calico", for people
  Ref ref;            // of config_map
  std::string key;    // of config_map; empty: the volume has no such file
  friend bool operator==(const ConfigFileSource&, const ConfigFileSource&) = default;
};

/// The deepest mount of the container that covers the file decides.
[[nodiscard]] ConfigFileSource config_file_source(const json::object& pod_spec,
                                                  const json::object& container,
                                                  const std::string& namespace_);

/// The file as the container that started then has it. Felix reads it when it starts; a ConfigMap
/// that changed since is unreadable.
[[nodiscard]] FelixConfigFile read_config_file(const ConfigFileSource& source,
                                               const References& references,
                                               std::optional<TimePoint> started);

}  // namespace catflap::look
