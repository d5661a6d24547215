// What the kernel, or whoever stands in its place, sends over netlink; the first byte picks the
// address family.
#include "planted.hpp"
#include "sockets/diag_message.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  using catflap::sockets::Family;
  const Family family = (data[0] & 1) != 0 ? Family::v6 : Family::v4;
  catflap::sockets::DiagDump dump;
  const auto read =
      catflap::sockets::read_diag_datagram(text_of(data + 1, size - 1), family, 1, dump);
  // A socket takes its header and itself at least.
  require(dump.sockets.size() <= size / 88);
  if (!read) return 0;
  for (const auto& socket : dump.sockets) {
    require(catflap::HostPort::parse(socket.endpoint.to_string()) == socket.endpoint);
    require(socket.v6_socket == (family == Family::v6));
    planted(dump.done && socket.v6only == true && socket.cgroup_id && socket.endpoint.port != 8080);
  }
  return 0;
}
