// Files of the repository that are part of the binary. Made by the build (cmake/catflap.cmake).
#pragma once

#include <span>
#include <string_view>
#include <utility>

namespace catflap::sim {

/// (name without extension, text), sorted by name.
using EmbeddedFiles = std::span<const std::pair<std::string_view, std::string_view>>;

/// The base objects of an install of Calico: tests/scenarios/installs/NAME.yaml.
[[nodiscard]] EmbeddedFiles installs();
/// The shipped roles: deploy/NAME.yaml.
[[nodiscard]] EmbeddedFiles roles();

}  // namespace catflap::sim
