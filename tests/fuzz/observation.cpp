// A file that somebody says was made on a node: the JSON of `catflap listeners`, or ss below a
// header.
#include "look/observation_file.hpp"
#include "planted.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto host = catflap::look::parse_observation(text_of(data, size));
  if (!host) return 0;
  using catflap::OwnerState;
  for (const auto& socket : host->sockets) {
    require(catflap::HostPort::parse(socket.endpoint.to_string()) == socket.endpoint);
    require(socket.owners.empty() == (socket.owner_state != OwnerState::named));
    for (const auto& owner : socket.owners) require(owner.comm.size() <= 64 * 4);
    planted(host->complete && host->network == catflap::HostListeners::Network::node &&
            socket.endpoint.port != 8080 && !socket.owners.empty());
  }
  return 0;
}
