#include "render/listeners.hpp"

#include <fmt/format.h>

#include "render/model_json.hpp"
#include "render/style.hpp"

namespace catflap::render {
namespace {

/// As ss writes it: "*" takes both families, "[::]" IPv6 only or not told.
std::string local_address(const HostSocket& socket) {
  const auto& address = socket.endpoint.address;
  std::string text = address.to_string();
  if (socket.v6_socket && address.is_unspecified() && socket.v6only == false) {
    text = "*";
  } else if (address.is_v6()) {
    text = "[" + text + "]";
  }
  if (!socket.interface.empty()) text += "%" + socket.interface;
  return fmt::format("{}:{}", text, socket.endpoint.port);
}

const char* peer_address(const HostSocket& socket) {
  if (!socket.v6_socket) return "0.0.0.0:*";
  return socket.v6only == false ? "*:*" : "[::]:*";
}

std::string owners_text(const HostSocket& socket) {
  switch (socket.owner_state) {
    case OwnerState::named:
      break;
    case OwnerState::not_permitted:
      return "owner not permitted";
    case OwnerState::not_found:
      return "owner not seen: no process here holds it";
    case OwnerState::not_looked:
      return "owner not looked for: out of time";
  }
  std::string text;
  for (const auto& owner : socket.owners) {
    text += fmt::format("{}(\"{}\",pid={},fd={})", text.empty() ? "" : ",", owner.comm, owner.pid,
                        owner.fd);
  }
  text = "users:(" + text + ")";
  const auto& first = socket.owners.front();
  if (!first.pod_uid.empty()) text += " pod=" + first.pod_uid;
  if (!first.container.empty()) text += " container=" + first.container.substr(0, 12);
  return text;
}

json::value owner_json(const SocketOwner& owner) {
  return {{"pid", owner.pid},
          {"fd", owner.fd},
          {"comm", safe_text(owner.comm)},
          {"felix", owner.felix},
          {"container", text_or_null(owner.container)},
          {"podUid", text_or_null(owner.pod_uid)}};
}

json::value socket_json(const HostSocket& socket, bool queues) {
  json::array owners;
  for (const auto& owner : socket.owners) owners.push_back(owner_json(owner));
  return {{"address", socket.endpoint.address.to_string()},
          {"port", socket.endpoint.port},
          {"family", socket.v6_socket ? "ipv6" : "ipv4"},
          {"v6only", socket.v6only ? json::value(*socket.v6only) : json::value(nullptr)},
          {"interface", text_or_null(socket.interface)},
          {"inode", socket.inode},
          {"uid", socket.uid},
          {"cgroupId", socket.cgroup_id ? json::value(*socket.cgroup_id) : json::value(nullptr)},
          {"queued", queues ? json::value(socket.queued) : json::value(nullptr)},
          {"backlog", queues ? json::value(socket.backlog) : json::value(nullptr)},
          {"ownerState", to_string(socket.owner_state)},
          {"owners", std::move(owners)}};
}

}  // namespace

std::string listeners_text(const HostListeners& host) {
  // Not render::table: nothing is cut here, and there may be tens of thousands of lines.
  const bool queues = host.method == HostListeners::Method::sock_diag;
  std::string text = fmt::format("{:<8}{:<8}{:<8}{:>30} {:>17} {}\n", "State", "Recv-Q", "Send-Q",
                                 "Local Address:Port", "Peer Address:Port", "Process");
  for (const auto& socket : host.sockets) {
    text += fmt::format("{:<8}{:<8}{:<8}{:>30} {:>17} {}\n", "LISTEN",
                        queues ? std::to_string(socket.queued) : "-",
                        queues ? std::to_string(socket.backlog) : "-", local_address(socket),
                        peer_address(socket), owners_text(socket));
  }
  return text;
}

std::string listener_names(const HostListeners& host) {
  std::string text;
  for (const auto& socket : host.sockets) text += local_address(socket) + "\n";
  return text;
}

json::object listeners_document(const HostListeners& host, const RunInfo& run) {
  json::object document = envelope("Listeners", run);
  document["host"] = {{"machineId", text_or_null(host.machine_id)},
                      {"bootId", text_or_null(host.boot_id)},
                      {"hostname", text_or_null(host.hostname)},
                      {"network", to_string(host.network)}};
  document["at"] = to_rfc3339(host.at);
  document["method"] = to_string(host.method);
  document["complete"] = host.complete;
  document["problem"] = text_or_null(host.problem);
  json::array ports;
  for (const Port port : host.ports) ports.push_back(port);
  document["ports"] = std::move(ports);
  json::array sockets;
  const bool queues = host.method == HostListeners::Method::sock_diag;
  for (const auto& socket : host.sockets) sockets.push_back(socket_json(socket, queues));
  document["listeners"] = std::move(sockets);
  return document;
}

}  // namespace catflap::render
