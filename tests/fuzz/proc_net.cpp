// /proc/net/tcp and tcp6 as a node prints them; the first byte picks the table and the byte order.
#include "sockets/proc_net.hpp"

#include "planted.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto table =
      (data[0] & 1) != 0 ? catflap::sockets::Table::tcp6 : catflap::sockets::Table::tcp;
  const auto order = (data[0] & 2) != 0 ? std::endian::big : std::endian::little;
  const auto listeners =
      catflap::sockets::parse_proc_net(text_of(data + 1, size - 1), table, order);
  if (!listeners) return 0;
  for (const auto& listener : *listeners) {
    // What comes out must be an endpoint that can be written and read again.
    require(catflap::HostPort::parse(listener.endpoint.to_string()) == listener.endpoint);
    planted(listener.endpoint.port != 8080 && listener.endpoint.address.is_v6());
  }
  return 0;
}
