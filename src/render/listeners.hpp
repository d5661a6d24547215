// A host's listening sockets: a table that reads like that of `ss -lntp`, and the document that
// `verify --observations` takes.
#pragma once

#include <string>

#include "core/model/host_listeners.hpp"
#include "render/document.hpp"

namespace catflap::render {

[[nodiscard]] std::string listeners_text(const HostListeners& host);
/// The local address and port of each, a line each.
[[nodiscard]] std::string listener_names(const HostListeners& host);
/// kind Listeners: {host{machineId, bootId, hostname, network}, at, method, complete, problem,
/// ports[], listeners[]}
[[nodiscard]] json::object listeners_document(const HostListeners& host, const RunInfo& run);

}  // namespace catflap::render
