// The `cluster:` part of a scenario file (tests/scenarios/README.md), as objects in a store and
// settings of the world.
#pragma once

#include <functional>
#include <string>

#include "sim/settings.hpp"
#include "sim/store.hpp"

namespace catflap::sim {

/// An address that a scenario gives to a node, as it can be used on this machine; none: not at all.
using AddressMap = std::function<std::optional<IpAddress>(const IpAddress& address)>;

/// Fills the store and returns the rest. `text`: the whole scenario file; `file`: its name, for
/// errors. usage: not YAML, an unknown key, a value of the wrong type, or something that is named
/// and does not exist.
[[nodiscard]] Result<Settings> load_scenario(const std::string& text, const std::string& file,
                                             Store& store, const AddressMap& addresses);

}  // namespace catflap::sim
