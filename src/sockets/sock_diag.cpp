#include "sockets/sock_diag.hpp"

#include <fmt/format.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>

#include "sockets/diag_message.hpp"

namespace catflap::sockets {
namespace {

// The kernel fills at most 32 KiB of a dump at a time.
constexpr std::size_t kDatagram = 64u << 10;

Error system_error(std::string what, int code) {
  ErrorKind kind = ErrorKind::internal;
  if (code == EPERM || code == EACCES) kind = ErrorKind::not_permitted;
  if (code == ENOSYS || code == EAFNOSUPPORT || code == EPROTONOSUPPORT)
    kind = ErrorKind::unsupported;
  return {.kind = kind,
          .what = fmt::format("{}: error {}", what, code),
          .subject = "netlink",
          .system_code = code};
}

/// One dump of one family on a socket of its own, so that nothing of an earlier one can be in it.
class Dump {
 public:
  Dump(Family family, std::span<const Port> ports, const Clock& clock, SteadyPoint deadline,
       const DumpLimits& limits)
      : family_(family), ports_(ports), clock_(clock), deadline_(deadline), limits_(limits) {}

  Result<void> run(const OpenNetlink& open) {
    TRY_ASSIGN(fd_, open());
    const std::string request = diag_request(family_, ports_, kSequence);
    if (::send(fd_.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0)
      return system_error("the request could not be sent", errno);
    while (!dump_.done) TRY(receive());
    return {};
  }
  [[nodiscard]] DiagDump& result() { return dump_; }
  [[nodiscard]] int datagrams() const { return datagrams_; }

 private:
  static constexpr std::uint32_t kSequence = 1;

  Result<void> wait() {
    const auto left = deadline_ - clock_.steady();
    pollfd readable{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    const auto bound = std::clamp<Duration::rep>(left.count(), 0, 60'000);
    const int ready = ::poll(&readable, 1, static_cast<int>(bound));
    if (ready < 0 && errno != EINTR) return system_error("waiting failed", errno);
    if (clock_.steady() < deadline_) return {};
    return Error{.kind = ErrorKind::timed_out,
                 .what = "the kernel did not list its sockets in time",
                 .subject = "netlink"};
  }

  Result<void> receive() {
    TRY(wait());
    sockaddr_nl from{};
    socklen_t size = sizeof from;
    const ssize_t got =
        ::recvfrom(fd_.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT | MSG_TRUNC,
                   reinterpret_cast<sockaddr*>(&from), &size);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return {};
    if (got < 0) return system_error("receiving failed", errno);
    if (got == 0 || static_cast<std::size_t>(got) > buffer_.size()) return cut();
    // Only the kernel, which is port 0, is listened to.
    if (from.nl_family == AF_NETLINK && from.nl_pid != 0) return {};
    const auto before = dump_.sockets.size();
    TRY(read_diag_datagram({buffer_.data(), static_cast<std::size_t>(got)}, family_, kSequence,
                           dump_));
    if (dump_.sockets.size() > before) ++datagrams_;
    if (dump_.sockets.size() <= limits_.sockets) return {};
    return Error{.kind = ErrorKind::malformed_input,
                 .what = fmt::format("more than {} listening sockets", limits_.sockets),
                 .subject = "netlink"};
  }

  static Error cut() {
    return {.kind = ErrorKind::malformed_input, .what = "the answer is cut", .subject = "netlink"};
  }

  Family family_;
  std::span<const Port> ports_;
  const Clock& clock_;
  SteadyPoint deadline_;
  const DumpLimits& limits_;
  UniqueFd fd_;
  std::vector<char> buffer_ = std::vector<char>(kDatagram);
  DiagDump dump_;
  int datagrams_ = 0;
};

/// The same sockets, whatever their queues hold.
bool same_sockets(const std::vector<HostSocket>& a, const std::vector<HostSocket>& b) {
  return std::ranges::equal(a, b, [](const HostSocket& one, const HostSocket& other) {
    return one.inode == other.inode && one.endpoint == other.endpoint;
  });
}

Result<void> dump_family(Family family, std::span<const Port> ports, const Clock& clock,
                         SteadyPoint deadline, const DumpLimits& limits, const OpenNetlink& open,
                         SocketTable& table) {
  std::optional<std::vector<HostSocket>> earlier;
  for (int attempt = 1;; ++attempt) {
    Dump dump(family, ports, clock, deadline, limits);
    TRY(dump.run(open));
    auto sockets = std::move(dump.result().sockets);
    const bool whole = !dump.result().interrupted && dump.datagrams() <= 1;
    // What the kernel was asked to leave out.
    std::erase_if(sockets, [&](const HostSocket& socket) {
      return !ports.empty() && std::ranges::find(ports, socket.endpoint.port) == ports.end();
    });
    put_in_order(sockets);
    const bool agrees = !dump.result().interrupted && earlier && same_sockets(*earlier, sockets);
    const bool last = attempt >= limits.attempts;
    if (whole || agrees || last) {
      if (!whole && !agrees) {
        table.complete = false;
        table.problem = fmt::format(
            "sockets were opened and closed while they were listed, {} times in a row", attempt);
      }
      std::ranges::move(sockets, std::back_inserter(table.sockets));
      return {};
    }
    earlier = dump.result().interrupted ? std::nullopt : std::optional(std::move(sockets));
  }
}

void name_interfaces(std::vector<HostSocket>& sockets) {
  std::map<std::uint32_t, std::string> names;
  for (auto& socket : sockets) {
    if (socket.interface_index == 0) continue;
    auto& name = names[socket.interface_index];
    std::array<char, IF_NAMESIZE> buffer{};
    if (name.empty()) {
      const char* known = ::if_indextoname(socket.interface_index, buffer.data());
      name = known != nullptr ? known : fmt::format("if{}", socket.interface_index);
    }
    socket.interface = name;
  }
}

}  // namespace

void put_in_order(std::vector<HostSocket>& sockets) {
  const auto key = [](const HostSocket& socket) {
    return std::tuple(socket.endpoint.port, socket.endpoint.address, socket.v6_socket,
                      socket.inode);
  };
  std::ranges::sort(sockets, {}, key);
  const auto rest =
      std::ranges::unique(sockets, [&](const HostSocket& one, const HostSocket& other) {
        return one.inode != 0 && key(one) == key(other);
      });
  sockets.erase(rest.begin(), rest.end());
}

Result<UniqueFd> open_sock_diag() {
  UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG));
  if (!fd) return system_error("no netlink socket", errno);
  return fd;
}

Result<SocketTable> dump_listeners(std::span<const Port> ports, const Clock& clock,
                                   const DumpLimits& limits, const OpenNetlink& open) {
  SocketTable table;
  const auto deadline = clock.steady() + limits.time;
  for (const Family family : {Family::v4, Family::v6})
    TRY(dump_family(family, ports, clock, deadline, limits, open, table));
  name_interfaces(table.sockets);
  return table;
}

}  // namespace catflap::sockets
