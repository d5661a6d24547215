// Against this machine's kernel, and against one that lies.
#include "sockets/sock_diag.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>

#include "sockets/fake_netlink_test.hpp"
#include "sockets/host.hpp"

namespace catflap::sockets {
namespace {

using namespace test;
using namespace std::chrono_literals;

struct Listening {
  UniqueFd fd;
  Port port = 0;
};

Listening listen_v6(int v6only) {
  Listening here{.fd = UniqueFd(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0))};
  ::setsockopt(here.fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof v6only);
  sockaddr_in6 address{.sin6_family = AF_INET6};
  if (v6only != 0) address.sin6_addr = in6addr_loopback;
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(here.fd.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(::listen(here.fd.get(), 77), 0);
  ::getsockname(here.fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
  here.port = ntohs(address.sin6_port);
  return here;
}

const HostSocket* find(const std::vector<HostSocket>& sockets, Port port) {
  const auto found = std::ranges::find_if(
      sockets, [&](const HostSocket& socket) { return socket.endpoint.port == port; });
  return found == sockets.end() ? nullptr : &*found;
}

TEST(SockDiag, FindsOwnListenersAndOnlyThePortsAskedFor) {
  const RealClock clock;
  const Listening both = listen_v6(0);
  const Listening six = listen_v6(1);
  const auto all = dump_listeners({}, clock);
  ASSERT_TRUE(all) << to_string(all.error());
  EXPECT_TRUE(all->complete);
  ASSERT_NE(find(all->sockets, both.port), nullptr);
  EXPECT_EQ(find(all->sockets, both.port)->v6only, false);
  EXPECT_EQ(find(all->sockets, both.port)->backlog, 77u);
  ASSERT_NE(find(all->sockets, six.port), nullptr);
  EXPECT_EQ(find(all->sockets, six.port)->v6only, true);
  EXPECT_EQ(find(all->sockets, six.port)->endpoint.to_string(), fmt::format("[::1]:{}", six.port));

  const std::vector<Port> asked{both.port};
  const auto one = dump_listeners(asked, clock);
  ASSERT_TRUE(one);
  ASSERT_EQ(one->sockets.size(), 1u);
  EXPECT_EQ(one->sockets[0].endpoint.port, both.port);
}

TEST(SockDiag, TextTablesSayTheSameWhereNetlinkMayNotBeUsed) {
  const RealClock clock;
  const Listening both = listen_v6(0);
  HostOptions options{.ports = {both.port}};
  const auto netlink = read_host_listeners(options, clock);
  for (const int code : {EPERM, EACCES, ENOSYS, EAFNOSUPPORT}) {
    options.open = [code]() -> Result<UniqueFd> {
      const bool denied = code == EPERM || code == EACCES;
      return Error{.kind = denied ? ErrorKind::not_permitted : ErrorKind::unsupported,
                   .system_code = code};
    };
    const auto text = read_host_listeners(options, clock);
    ASSERT_TRUE(netlink && text);
    EXPECT_EQ(text->method, HostListeners::Method::proc_net);
    ASSERT_EQ(text->sockets.size(), 1u);
    EXPECT_EQ(text->sockets[0].inode, netlink->sockets.at(0).inode);
    EXPECT_EQ(text->sockets[0].owners, netlink->sockets[0].owners);
    EXPECT_EQ(text->sockets[0].v6only, std::nullopt);
    ASSERT_FALSE(text->sockets[0].owners.empty());
    EXPECT_EQ(text->sockets[0].owners[0].pid, ::getpid());
  }
}

TEST(SockDiag, AKernelWithoutTheModuleIsNoReasonToFail) {
  const RealClock clock;
  FakeKernel kernel(
      [](int, int fd, const std::string&) { send_datagram(fd, error_message(ENOENT)); });
  const auto host = read_host_listeners({.open = kernel.opener()}, clock);
  ASSERT_TRUE(host);
  EXPECT_EQ(host->method, HostListeners::Method::proc_net);
}

/// The table, or the error.
std::string dump(FakeKernel& kernel, const DumpLimits& limits = {}) {
  const RealClock clock;
  const auto table = dump_listeners({}, clock, limits, kernel.opener());
  if (!table) return std::string(to_string(table.error().kind)) + ": " + table.error().what;
  std::string text;
  for (const auto& socket : table->sockets) text += socket.endpoint.to_string() + " ";
  return text + (table->complete ? "complete" : "not complete: " + table->problem);
}

std::uint8_t family_of(const std::string& request) {
  return static_cast<std::uint8_t>(request.at(NLMSG_HDRLEN));
}

TEST(SockDiag, EndlessDumpEnds) {
  FakeKernel many([](int, int fd, const std::string&) {
    std::uint32_t inode = 1;
    while (send_datagram(fd, socket_message({.inode = ++inode}))) {
    }
  });
  EXPECT_EQ(dump(many, {.time = 20s, .sockets = 1000}),
            "malformed_input: more than 1000 listening sockets");
  FakeKernel idle([](int, int fd, const std::string&) {
    while (send_datagram(fd, message(NLMSG_NOOP, ""))) {
    }
  });
  EXPECT_EQ(dump(idle, {.time = 200ms}), "timed_out: the kernel did not list its sockets in time");
  std::atomic<bool> over = false;
  FakeKernel silent([&](int, int, const std::string&) { over.wait(false); });
  EXPECT_EQ(dump(silent, {.time = 200ms}),
            "timed_out: the kernel did not list its sockets in time");
  over = true;
  over.notify_all();
}

TEST(SockDiag, ADumpThatEndsEarlyIsNotATable) {
  FakeKernel kernel([](int, int fd, const std::string&) { send_datagram(fd, socket_message({})); });
  EXPECT_EQ(dump(kernel), "malformed_input: the answer is cut");
  FakeKernel large(
      [](int, int fd, const std::string&) { send_datagram(fd, std::string(100'000, 'x')); });
  EXPECT_EQ(dump(large), "malformed_input: the answer is cut");
}

TEST(SockDiag, InterruptedDumpsAreRepeatedAndThenSaidToBeIncomplete) {
  // The first two of IPv4 are interrupted.
  FakeKernel calms_down([](int number, int fd, const std::string& request) {
    const auto flags = static_cast<std::uint16_t>(number < 2 ? NLM_F_DUMP_INTR : 0);
    const Told told{.family = family_of(request), .flags = flags};
    send_datagram(fd, socket_message(told) + done_message());
  });
  EXPECT_EQ(dump(calms_down), "0.0.0.0:9091 [::]:9091 complete");
  EXPECT_EQ(calms_down.opened(), 4);
  FakeKernel never(
      [](int, int fd, const std::string&) { send_datagram(fd, done_message(0, NLM_F_DUMP_INTR)); });
  EXPECT_EQ(dump(never, {.attempts = 3}),
            "not complete: sockets were opened and closed while they were listed, 3 times in a "
            "row");
  EXPECT_EQ(never.opened(), 6);
}

TEST(SockDiag, AnAnswerInPiecesMustComeTwiceTheSame) {
  const auto pieces = [](std::uint32_t other) {
    return [other](int number, int fd, const std::string& request) {
      const auto family = family_of(request);
      if (family == AF_INET6) {
        send_datagram(fd, done_message());
        return;
      }
      send_datagram(fd, socket_message({.port = 80, .inode = 1}));
      const std::uint32_t inode = 2 + other * static_cast<std::uint32_t>(number);
      send_datagram(fd, socket_message({.port = 9091, .inode = inode}) + done_message());
    };
  };
  FakeKernel still(pieces(0));
  EXPECT_EQ(dump(still), "0.0.0.0:80 0.0.0.0:9091 complete");
  EXPECT_EQ(still.opened(), 3) << "IPv4 twice, IPv6 once";
  FakeKernel moving(pieces(1));
  EXPECT_EQ(dump(moving, {.attempts = 4}),
            "0.0.0.0:80 0.0.0.0:9091 not complete: sockets were opened and closed while they were "
            "listed, 4 times in a row");
}

}  // namespace
}  // namespace catflap::sockets
