// A file that was made on a node: `catflap listeners -o json`, or `ss -lntp` below a header that
// binds it to the node (docs/listeners.md). Pure: text in, listeners out.
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "core/model/host_listeners.hpp"

namespace catflap::look {

/// Fails with usage for everything that is not exactly such a file; the error has no subject. What
/// the file does not show to be whole (no end mark, only some ports) is not complete.
[[nodiscard]] Result<HostListeners> parse_observation(std::string_view text);

/// The two forms, which parse_observation tells apart by their first character.
[[nodiscard]] Result<HostListeners> parse_listeners_json(std::string_view text);
[[nodiscard]] Result<HostListeners> parse_ss(std::string_view text);

}  // namespace catflap::look
