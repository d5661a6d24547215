// How many sockets this process may have at once.
#pragma once

#include <cstddef>

namespace catflap::net {

/// How many visits the descriptor limit leaves room for: one descriptor each. The limit itself is
/// the user's, not ours to raise.
[[nodiscard]] std::size_t affordable_visits(std::size_t wanted);

}  // namespace catflap::net
