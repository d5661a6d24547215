// A Node object reduced to NodeFacts, at once: a real one has 4 KB, and a cluster has thousands.
#pragma once

#include "core/model/cluster.hpp"

namespace catflap::look {

/// Addresses: status.addresses that are IPs, then those that Calico notes in annotations (its own
/// interface and tunnels may be reachable where the InternalIP is not). InternalIPs come first, no
/// address twice.
[[nodiscard]] NodeFacts read_node(const json::object& node);

/// Adds an address unless the node has it under another type.
void add_address(NodeFacts& node, const IpAddress& address, const std::string& type);

}  // namespace catflap::look
