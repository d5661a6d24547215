// Which process is Felix.
#pragma once

#include <string_view>
#include <vector>

namespace catflap::sockets {

/// By its arguments: `calico-node -felix`, `calico component felix` (v3.33 on) or `calico-felix`,
/// each with any path before it.
[[nodiscard]] bool is_felix(const std::vector<std::string_view>& arguments);

/// The arguments in /proc/PID/cmdline.
[[nodiscard]] std::vector<std::string_view> arguments_of(std::string_view cmdline);

/// By its name alone, where nothing else is known: all of calico-node's processes are called the
/// same, so each of them may be Felix.
[[nodiscard]] bool may_be_felix(std::string_view comm);

}  // namespace catflap::sockets
