// /proc/net/tcp and tcp6 as text, e.g. read through exec. Pure: bytes in, LISTEN sockets out.
#pragma once

#include <bit>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "core/model/observation.hpp"

namespace catflap::sockets {

enum class Table { tcp, tcp6 };

/// The LISTEN rows (state 0A). Addresses are printed by the kernel as 32-bit words in the node's
/// byte order: `node_order` is that order (amd64 and arm64 are little, s390x is big). v4-mapped
/// addresses come out as IPv4. A row that does not parse, or a table without its header line, is
/// malformed_input with the line's number: a cut table must not look like an empty one.
[[nodiscard]] Result<std::vector<Listener>> parse_proc_net(
    std::string_view text, Table table, std::endian node_order = std::endian::little);

}  // namespace catflap::sockets
