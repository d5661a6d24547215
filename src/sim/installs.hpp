// The base objects of an install of Calico: tests/scenarios/installs/NAME.yaml, in the binary.
#pragma once

#include <span>
#include <string_view>
#include <utility>

namespace catflap::sim {

/// (name, YAML text), sorted by name. Made by the build (cmake/catflap.cmake).
[[nodiscard]] std::span<const std::pair<std::string_view, std::string_view>> installs();

}  // namespace catflap::sim
