#include "sockets/diag_message.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "sockets/fake_netlink_test.hpp"

namespace catflap::sockets {
namespace {

using namespace test;

/// The filter's language as the kernel runs it, for port comparisons and jumps: does it accept?
bool accepts(std::string_view code, Port port) {
  auto left = static_cast<std::ptrdiff_t>(code.size());
  const char* at = code.data();
  while (left > 0) {
    std::array<inet_diag_bc_op, 2> op{};
    std::memcpy(op.data(), at, std::min<std::size_t>(sizeof op, static_cast<std::size_t>(left)));
    bool yes = true;
    if (op[0].code == INET_DIAG_BC_JMP) yes = false;
    if (op[0].code == INET_DIAG_BC_S_GE) yes = port >= op[1].no;
    if (op[0].code == INET_DIAG_BC_S_LE) yes = port <= op[1].no;
    const int step = yes ? op[0].yes : op[0].no;
    EXPECT_TRUE(step >= 4 && step % 4 == 0 && step <= left + 4) << "the kernel refuses such a jump";
    at += step;
    left -= step;
  }
  return left == 0;
}

std::string_view filter_of(const std::string& request) {
  return std::string_view(request).substr(NLMSG_HDRLEN + sizeof(inet_diag_req_v2) + NLA_HDRLEN);
}

TEST(DiagRequest, FiltersExactlyThePortsAskedFor) {
  const std::vector<std::vector<Port>> lists{
      {9091}, {9091, 9099}, {1, 65535, 9091}, std::vector<Port>(kMaxAskedPorts, 9091)};
  for (const auto& ports : lists) {
    const std::string request = diag_request(Family::v4, ports, 1);
    nlmsghdr head;
    std::memcpy(&head, request.data(), sizeof head);
    EXPECT_EQ(head.nlmsg_len, request.size());
    for (const int port : {0, 1, 2, 9090, 9091, 9092, 9098, 9099, 9100, 65534, 65535}) {
      const bool asked = std::ranges::find(ports, port) != ports.end();
      EXPECT_EQ(accepts(filter_of(request), static_cast<Port>(port)), asked)
          << port << " of " << fmt::format("{}", fmt::join(ports, ","));
    }
  }
  EXPECT_EQ(diag_request(Family::v6, {}, 1).size(), NLMSG_HDRLEN + sizeof(inet_diag_req_v2))
      << "no ports: no filter";
}

/// "0.0.0.0:9091 inode 7 v6only -", or the error.
std::string read(std::string_view datagram, Family family = Family::v4) {
  DiagDump dump;
  const auto result = read_diag_datagram(datagram, family, 1, dump);
  if (!result) return std::string(to_string(result.error().kind)) + ": " + result.error().what;
  std::string text;
  for (const auto& socket : dump.sockets) {
    text += fmt::format("{} inode {} v6only {}{}; ", socket.endpoint.to_string(), socket.inode,
                        socket.v6only ? fmt::format("{}", *socket.v6only) : "-",
                        socket.cgroup_id ? fmt::format(" cgroup {}", *socket.cgroup_id) : "");
  }
  return text + (dump.done ? "done" : "more") + (dump.interrupted ? ", interrupted" : "");
}

TEST(DiagReply, ReadsSockets) {
  const Told six{.family = AF_INET6,
                 .attributes = attribute(INET_DIAG_SKV6ONLY, std::string(1, '\1')) +
                               attribute(INET_DIAG_CGROUP_ID, bytes_of(std::uint64_t{4711}))};
  EXPECT_EQ(read(socket_message({}) + socket_message({.port = 80, .inode = 8})),
            "0.0.0.0:9091 inode 7 v6only -; 0.0.0.0:80 inode 8 v6only -; more");
  EXPECT_EQ(read(socket_message(six), Family::v6),
            "[::]:9091 inode 7 v6only true cgroup 4711; more");
  EXPECT_EQ(read(done_message()), "done");
  EXPECT_EQ(read(socket_message({.flags = NLM_F_DUMP_INTR}) + done_message()),
            "0.0.0.0:9091 inode 7 v6only -; done, interrupted");
  EXPECT_EQ(read(done_message(0, NLM_F_DUMP_INTR)), "done, interrupted");
  EXPECT_EQ(read(message(SOCK_DIAG_BY_FAMILY, std::string(sizeof(inet_diag_msg), '\0'), 0, 2)),
            "more")
      << "of another sequence";
  EXPECT_EQ(read(socket_message({.state = 7})), "more") << "closed while it was told";
}

TEST(DiagReply, TellsTheKernelsRefusalByItsKind) {
  EXPECT_EQ(read(error_message(ENOENT)), "unsupported: the kernel answered with error 2");
  EXPECT_EQ(read(error_message(EPERM)), "not_permitted: the kernel answered with error 1");
  EXPECT_EQ(read(done_message(-EINVAL)), "unsupported: the kernel answered with error 22");
  EXPECT_EQ(read(error_message(0)), "malformed_input: an acknowledgement that nobody asked for");
}

TEST(DiagReply, RefusesWhatIsNotOneOfItsSockets) {
  const std::string malformed = "malformed_input: ";
  EXPECT_EQ(read(socket_message({.family = AF_INET6})),
            malformed + "a socket of another address family than asked for");
  EXPECT_EQ(read(message(99, "")), malformed + "a message of type 99");
  EXPECT_EQ(read(message(NLMSG_OVERRUN, "")), malformed + "data was lost");
  EXPECT_EQ(read(message(SOCK_DIAG_BY_FAMILY, "short")), malformed + "a socket that is cut");
  // A length that a 32-bit field can hold and no datagram has.
  for (const std::uint32_t length : {0u, 15u, 0x7fffffffu, 0xffffffffu}) {
    std::string bad = socket_message({});
    std::memcpy(bad.data(), &length, sizeof length);
    EXPECT_EQ(read(bad), malformed + "a message that is larger than its datagram") << length;
  }
  std::string attribute_too_long = socket_message({.attributes = attribute(1, "abcd")});
  attribute_too_long[NLMSG_HDRLEN + sizeof(inet_diag_msg)] = 100;
  EXPECT_EQ(read(attribute_too_long), malformed + "an attribute that is larger than its message");
  EXPECT_EQ(read(socket_message({.attributes = attribute(INET_DIAG_CGROUP_ID, "abcd")})),
            malformed + "an attribute without its value");
}

TEST(DiagReply, IsNeverWholeWhenCut) {
  const std::string whole = socket_message({}) + socket_message({.port = 80}) + done_message();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::string told = read(whole.substr(0, size));
    EXPECT_EQ(told.find("done"), std::string::npos) << size << ": " << told;
  }
}

}  // namespace
}  // namespace catflap::sockets
