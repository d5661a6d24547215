// What a Felix that starts now reads and decides. The decision itself is core/resolve's.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "core/resolve/resolve.hpp"
#include "sim/store.hpp"

namespace catflap::sim {

/// What a container has from its start on.
struct FelixContainer {
  json::object pod;  // with the addresses in its status
  std::string container;
  std::string node;
  Lookups config_maps;
  Lookups secrets;
};

/// ConfigMaps and Secrets are read now, and kept.
[[nodiscard]] FelixContainer felix_container_of(const Store& store, const json::object& pod,
                                                const std::string& container);

/// Its environment as the kubelet builds it, without what has no place in the embedded cluster
/// (variables of Services, resource limits).
[[nodiscard]] std::map<std::string, std::string> environment_of(const FelixContainer& container);

/// Why the container cannot start: a ConfigMap, Secret or key that it needs is missing.
[[nodiscard]] std::optional<std::string> missing_reference(const FelixContainer& container);

struct FelixSettings {
  bool runs = true;    // false: CALICO_DISABLE_FELIX, or a felix.cfg that Felix does not get past
  bool waits = false;  // the datastore is not ready: it has not read any of these, nor listens
  bool enabled = false;
  int port = kDefaultMetricsPort;
  std::string host;    // "": every address
  std::string serves;  // kind of server; "": enabled, and never listens (a TLS file is missing)
  int health_port = 9099;
  std::string other;  // the other fields of FelixConfigurations, as far as this Felix has them
  friend bool operator==(const FelixSettings&, const FelixSettings&) = default;
};

/// The text that a ConfigMap mounted over felix.cfg has; none: no such mount.
[[nodiscard]] std::optional<std::string> mounted_felix_cfg(const Store& store,
                                                           const FelixContainer& container);

/// What the sources of its settings say together. `file` as below.
[[nodiscard]] Declared felix_declared(const Store& store, const FelixContainer& container,
                                      const std::optional<std::string>& file);

/// `file`: the text of its felix.cfg, none: as mounted, or the image's own. `vendor_default`: this
/// build serves metrics when nothing is set. Where Felix itself would pick at random (names that
/// differ in case only), metrics are on.
[[nodiscard]] FelixSettings felix_settings(const Store& store, const FelixContainer& container,
                                           const std::optional<std::string>& file,
                                           bool vendor_default);

}  // namespace catflap::sim
