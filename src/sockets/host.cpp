#include "sockets/host.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string_view>
#include <thread>

#include "base/text.hpp"
#include "sockets/proc_net.hpp"

namespace catflap::sockets {
namespace {

constexpr std::size_t kMaxTable = 256u << 20;

Result<std::string> read_file(const char* path, std::size_t most) {
  const UniqueFd fd(::open(path, O_RDONLY | O_CLOEXEC));
  std::string text;
  std::array<char, 65536> chunk;
  ssize_t got = fd ? 0 : -1;
  while (fd && (got = ::read(fd.get(), chunk.data(), chunk.size())) > 0) {
    text.append(chunk.data(), static_cast<std::size_t>(got));
    if (text.size() > most)
      return Error{.kind = ErrorKind::malformed_input, .what = "is too large", .subject = path};
  }
  if (got < 0) {
    const ErrorKind kind = errno == ENOENT ? ErrorKind::not_found : ErrorKind::internal;
    return Error{.kind = kind,
                 .what = fmt::format("cannot be read: error {}", errno),
                 .subject = path,
                 .system_code = errno};
  }
  return text;
}

/// The first line of the first of these files that can be read; "" if none can.
std::string first_line(std::initializer_list<std::string> paths) {
  for (const std::string& path : paths) {
    auto text = read_file(path.c_str(), 4096);
    if (!text) continue;
    const auto line = text->substr(0, text->find('\n'));
    if (!line.empty()) return printable(line, 128);
  }
  return "";
}

std::optional<ino_t> inode_of(const char* path) {
  struct stat status{};
  if (::stat(path, &status) != 0) return std::nullopt;
  return status.st_ino;
}

/// Is this thread in the node's own network? Process 1 is the node's only in the initial PID
/// namespace, whose number is fixed (PROC_PID_INIT_INO in the kernel), or where somebody compares
/// the machine-id that is its.
HostListeners::Network network_here(const HostOptions& options) {
  constexpr ino_t kInitialPidNamespace = 0xEFFFFFFC;
  const auto pids = inode_of("/proc/self/ns/pid");
  const auto own = inode_of("/proc/thread-self/ns/net");
  const auto first = inode_of("/proc/1/ns/net");
  const bool is_node = !options.root.empty() || (pids && *pids == kInitialPidNamespace);
  if (!own || !is_node || !first) return HostListeners::Network::not_known;
  return *own == *first ? HostListeners::Network::node : HostListeners::Network::other;
}

Result<void> add_proc_table(const char* path, Table table, std::span<const Port> ports,
                            SocketTable& into) {
  TRY_ASSIGN(const std::string text, read_file(path, kMaxTable));
  TRY_ASSIGN(auto rows, parse_proc_net(text, table, std::endian::native));
  for (const auto& row : rows) {
    if (!ports.empty() && std::ranges::find(ports, row.endpoint.port) == ports.end()) continue;
    into.sockets.push_back({.endpoint = row.endpoint,
                            .v6_socket = table == Table::tcp6,
                            .inode = row.inode,
                            .uid = row.uid});
  }
  return {};
}

/// The text tables of this thread's namespace. They are read in pieces, between which rows move:
/// two readings in a row have to agree.
Result<SocketTable> read_proc_tables(std::span<const Port> ports) {
  constexpr int kReadings = 5;
  std::optional<SocketTable> earlier;
  for (int reading = 1;; ++reading) {
    SocketTable now;
    TRY(add_proc_table("/proc/thread-self/net/tcp", Table::tcp, ports, now));
    auto six = add_proc_table("/proc/thread-self/net/tcp6", Table::tcp6, ports, now);
    // A kernel without IPv6 has no such file, and no such sockets.
    if (!six && six.error().kind != ErrorKind::not_found) return std::move(six).error();
    put_in_order(now.sockets);
    if (earlier && earlier->sockets == now.sockets) return now;
    if (reading == kReadings) {
      now.complete = false;
      now.problem = fmt::format(
          "sockets were opened and closed while they were listed, {} times in a row", reading);
      return now;
    }
    earlier = std::move(now);
  }
}

Result<void> read_table(const HostOptions& options, const Clock& clock, HostListeners& into) {
  auto table = dump_listeners(options.ports, clock, options.limits, options.open);
  if (!table && (table.error().kind == ErrorKind::unsupported ||
                 table.error().kind == ErrorKind::not_permitted)) {
    into.method = HostListeners::Method::proc_net;
    table = read_proc_tables(options.ports);
  }
  if (!table) return std::move(table).error().with_context("listing the listening sockets");
  into.sockets = std::move(table->sockets);
  into.complete = table->complete;
  into.problem = std::move(table->problem);
  return {};
}

Result<std::string> namespace_path(const std::string& netns) {
  const bool digits = netns.find_first_not_of("0123456789") == std::string::npos;
  const bool name = netns != "." && netns != ".." && netns.find('/') == std::string::npos;
  if (digits && !netns.empty()) return "/proc/" + netns + "/ns/net";
  if (name && !netns.empty()) return "/run/netns/" + netns;
  return Error{.kind = ErrorKind::usage,
               .what = fmt::format("--netns {}: neither a process's number nor a name",
                                   printable(netns, 60)),
               .hint = "ip netns list shows the names"};
}

Error no_entry(const std::string& path, int code) {
  if (code == ENOENT || code == ESRCH || code == EINVAL) {
    return {.kind = ErrorKind::usage,
            .what = "is no network namespace",
            .subject = path,
            .hint = "--netns takes a process's number, or a name that ip netns list shows"};
  }
  return {.kind = ErrorKind::not_permitted,
          .what = fmt::format("cannot be entered: error {}", code),
          .subject = path,
          .hint = "run it as root",
          .system_code = code};
}

/// Table and network as a thread in that namespace sees them; this thread stays where it is.
Result<void> read_in(const std::string& netns, const HostOptions& options, const Clock& clock,
                     HostListeners& into) {
  TRY_ASSIGN(const std::string path, namespace_path(netns));
  Result<void> done;
  std::thread([&] {
    const UniqueFd there(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!there || ::setns(there.get(), CLONE_NEWNET) != 0) {
      done = no_entry(path, errno);
      return;
    }
    into.network = network_here(options);
    done = read_table(options, clock, into);
  }).join();
  return done;
}

}  // namespace

Result<HostListeners> read_host_listeners(const HostOptions& options, const Clock& clock) {
  HostListeners host{// In the order in which the kubelet looks for it.
                     .machine_id = first_line({options.root + "/etc/machine-id",
                                               options.root + "/var/lib/dbus/machine-id"}),
                     .boot_id = first_line({"/proc/sys/kernel/random/boot_id"}),
                     .hostname = first_line({"/proc/sys/kernel/hostname"}),
                     .at = clock.now(),
                     .ports = options.ports};
  if (options.netns.empty()) {
    host.network = network_here(options);
    TRY(read_table(options, clock, host));
  } else {
    TRY(read_in(options.netns, options, clock, host));
  }
  find_owners(host.sockets, options.owners, clock);
  return host;
}

}  // namespace catflap::sockets
