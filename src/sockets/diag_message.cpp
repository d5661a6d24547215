// Layouts: linux/netlink.h, linux/sock_diag.h, linux/inet_diag.h. The filter is a list of
// comparisons with forward jumps (inet_diag_bc_run and inet_diag_bc_audit in the kernel's
// net/ipv4/inet_diag.c): the end of the list accepts, a jump 4 bytes beyond it rejects, and every
// jump must land on a step of the list.
#include "sockets/diag_message.hpp"

#include <fmt/format.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <optional>

namespace catflap::sockets {
namespace {

template <class T>
void append(std::string& bytes, const T& value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <class T>
std::optional<T> read_at(std::string_view bytes, std::size_t at = 0) {
  if (at > bytes.size() || bytes.size() - at < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

constexpr std::size_t kOp = sizeof(inet_diag_bc_op);
constexpr std::size_t kComparison =
    2 * kOp;  // the operand of a port comparison is an op of its own

void append_comparison(std::string& code, unsigned char what, Port port, std::size_t if_not) {
  append(code, inet_diag_bc_op{
                   .code = what, .yes = kComparison, .no = static_cast<unsigned short>(if_not)});
  append(code, inet_diag_bc_op{.code = 0, .yes = 0, .no = port});
}

/// "one of these ports": per port, at least and at most it, then a jump to the end.
std::string port_filter(std::span<const Port> ports) {
  constexpr std::size_t kBlock = 2 * kComparison + kOp;
  std::string code;
  const std::size_t whole = ports.size() * kBlock - kOp;  // the last one needs no jump
  for (std::size_t i = 0; i < ports.size(); ++i) {
    const bool last = i + 1 == ports.size();
    // To the next port's block; after the last, beyond the end.
    const std::size_t miss = last ? 2 * kComparison + kOp : kBlock;
    append_comparison(code, INET_DIAG_BC_S_GE, ports[i], miss);
    append_comparison(code, INET_DIAG_BC_S_LE, ports[i], miss - kComparison);
    if (last) break;
    append(code, inet_diag_bc_op{.code = INET_DIAG_BC_JMP,
                                 .yes = kOp,
                                 .no = static_cast<unsigned short>(whole - code.size())});
  }
  return code;
}

int number_of(Family family) {
  return family == Family::v4 ? AF_INET : AF_INET6;
}

Error malformed(std::string_view what) {
  return {.kind = ErrorKind::malformed_input, .what = std::string(what), .subject = "netlink"};
}

/// The kernel's refusal. Without inet_diag it answers ENOENT or EINVAL; a filter may answer EPERM.
Error refusal(int code) {
  ErrorKind kind = ErrorKind::internal;
  if (code == EPERM || code == EACCES) kind = ErrorKind::not_permitted;
  if (code == ENOENT || code == EOPNOTSUPP || code == EINVAL || code == EPROTONOSUPPORT)
    kind = ErrorKind::unsupported;
  return {.kind = kind,
          .what = fmt::format("the kernel answered with error {}", code),
          .subject = "netlink",
          .system_code = code};
}

/// Host byte order from the two bytes on the wire.
Port port_of(std::uint16_t wire) {
  return ntohs(wire);
}

IpAddress address_of(const inet_diag_sockid& id, Family family) {
  std::array<std::uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), id.idiag_src, bytes.size());
  if (family == Family::v6) return IpAddress::v6(bytes);
  return IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]});
}

Result<void> read_attributes(std::string_view bytes, HostSocket& into) {
  while (!bytes.empty()) {
    const auto head = read_at<nlattr>(bytes);
    if (!head || head->nla_len < NLA_HDRLEN || head->nla_len > bytes.size())
      return malformed("an attribute that is larger than its message");
    const auto value = bytes.substr(NLA_HDRLEN, head->nla_len - NLA_HDRLEN);
    const int type = head->nla_type & NLA_TYPE_MASK;
    if (type == INET_DIAG_SKV6ONLY && into.v6_socket) {
      const auto flag = read_at<std::uint8_t>(value);
      if (!flag) return malformed("an attribute without its value");
      into.v6only = *flag != 0;
    } else if (type == INET_DIAG_CGROUP_ID) {
      const auto id = read_at<std::uint64_t>(value);
      if (!id) return malformed("an attribute without its value");
      into.cgroup_id = *id;
    }
    bytes.remove_prefix(std::min<std::size_t>(NLA_ALIGN(head->nla_len), bytes.size()));
  }
  return {};
}

Result<void> read_socket(std::string_view payload, Family family, DiagDump& into) {
  const auto message = read_at<inet_diag_msg>(payload);
  if (!message) return malformed("a socket that is cut");
  if (message->idiag_family != number_of(family))
    return malformed("a socket of another address family than asked for");
  if (message->idiag_state != TCP_LISTEN) return {};  // it was closed while it was being told
  HostSocket socket{.endpoint = {address_of(message->id, family), port_of(message->id.idiag_sport)},
                    .v6_socket = family == Family::v6,
                    .interface_index = message->id.idiag_if,
                    .inode = message->idiag_inode,
                    .uid = message->idiag_uid,
                    .queued = message->idiag_rqueue,
                    .backlog = message->idiag_wqueue};
  TRY(read_attributes(payload.substr(std::min(payload.size(), NLMSG_ALIGN(sizeof *message))),
                      socket));
  into.sockets.push_back(std::move(socket));
  return {};
}

Result<void> read_message(const nlmsghdr& head, std::string_view payload, Family family,
                          DiagDump& into) {
  into.interrupted = into.interrupted || (head.nlmsg_flags & NLM_F_DUMP_INTR) != 0;
  switch (head.nlmsg_type) {
    case NLMSG_NOOP:
      return {};
    case NLMSG_ERROR: {
      const auto code = read_at<std::int32_t>(payload);
      if (!code) return malformed("an error that is cut");
      if (*code >= 0) return malformed("an acknowledgement that nobody asked for");
      return refusal(static_cast<int>(-std::int64_t{*code}));
    }
    case NLMSG_DONE: {
      const auto code = read_at<std::int32_t>(payload).value_or(0);
      if (code < 0) return refusal(static_cast<int>(-std::int64_t{code}));
      into.done = true;
      return {};
    }
    case NLMSG_OVERRUN:
      return malformed("data was lost");
    case SOCK_DIAG_BY_FAMILY:
      return read_socket(payload, family, into);
    default:
      return malformed(fmt::format("a message of type {}", head.nlmsg_type));
  }
}

}  // namespace

std::string diag_request(Family family, std::span<const Port> ports, std::uint32_t sequence) {
  inet_diag_req_v2 request{};
  request.sdiag_family = static_cast<std::uint8_t>(number_of(family));
  request.sdiag_protocol = IPPROTO_TCP;
  request.idiag_states = 1u << TCP_LISTEN;
  const std::string filter = port_filter(ports.subspan(0, std::min(ports.size(), kMaxAskedPorts)));
  const std::size_t attribute = ports.empty() ? 0 : NLA_HDRLEN + filter.size();
  std::string bytes;
  append(bytes, nlmsghdr{.nlmsg_len =
                             static_cast<std::uint32_t>(NLMSG_HDRLEN + sizeof request + attribute),
                         .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                         .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
                         .nlmsg_seq = sequence,
                         .nlmsg_pid = 0});
  append(bytes, request);
  if (ports.empty()) return bytes;
  append(bytes, nlattr{.nla_len = static_cast<std::uint16_t>(attribute),
                       .nla_type = INET_DIAG_REQ_BYTECODE});
  return bytes + filter;
}

Result<void> read_diag_datagram(std::string_view datagram, Family family, std::uint32_t sequence,
                                DiagDump& into) {
  while (!datagram.empty() && !into.done) {
    const auto head = read_at<nlmsghdr>(datagram);
    if (!head || head->nlmsg_len < NLMSG_HDRLEN || head->nlmsg_len > datagram.size())
      return malformed("a message that is larger than its datagram");
    const auto payload = datagram.substr(NLMSG_HDRLEN, head->nlmsg_len - NLMSG_HDRLEN);
    if (head->nlmsg_seq == sequence) TRY(read_message(*head, payload, family, into));
    datagram.remove_prefix(std::min<std::size_t>(NLMSG_ALIGN(head->nlmsg_len), datagram.size()));
  }
  return {};
}

}  // namespace catflap::sockets
