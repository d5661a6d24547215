#include "net/tcp_connect.hpp"

#include <fmt/format.h>
#include <linux/errqueue.h>
#include <linux/tcp.h>  // glibc's own tcp_info ends before tcpi_segs_in
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <span>
#include <system_error>

namespace catflap::net {
namespace {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

SocketAddress to_socket_address(const HostPort& endpoint) {
  SocketAddress address;
  const auto& bytes = endpoint.address.bytes();
  if (endpoint.address.is_v6()) {
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(endpoint.port);
    std::memcpy(&six.sin6_addr, bytes.data(), 16);
    std::memcpy(&address.storage, &six, sizeof six);
    address.size = sizeof six;
  } else {
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_port = htons(endpoint.port);
    std::memcpy(&four.sin_addr, bytes.data(), 4);
    std::memcpy(&address.storage, &four, sizeof four);
    address.size = sizeof four;
  }
  return address;
}

/// The address in a sockaddr of `bytes`; none for another family.
std::optional<IpAddress> to_ip(std::span<const std::byte> bytes) {
  sockaddr_in6 six{};
  sockaddr_in four{};
  std::array<std::uint8_t, 16> sixteen{};
  std::array<std::uint8_t, 4> quad{};
  sa_family_t family = AF_UNSPEC;
  if (bytes.size() < sizeof family) return std::nullopt;
  std::memcpy(&family, bytes.data(), sizeof family);
  if (family == AF_INET6 && bytes.size() >= sizeof six) {
    std::memcpy(&six, bytes.data(), sizeof six);
    std::memcpy(sixteen.data(), &six.sin6_addr, sixteen.size());
    return IpAddress::v6(sixteen);
  }
  if (family == AF_INET && bytes.size() >= sizeof four) {
    std::memcpy(&four, bytes.data(), sizeof four);
    std::memcpy(quad.data(), &four.sin_addr, quad.size());
    return IpAddress::v4(quad);
  }
  return std::nullopt;
}

std::optional<IpAddress> own_address(int socket) {
  SocketAddress address;
  address.size = sizeof address.storage;
  auto* raw = reinterpret_cast<sockaddr*>(&address.storage);
  if (::getsockname(socket, raw, &address.size) != 0) return std::nullopt;
  return to_ip(std::as_bytes(std::span(&address.storage, 1)));
}

/// The last ICMP error in the socket's error queue, which is emptied.
std::optional<IcmpError> drain_error_queue(int socket) {
  std::optional<IcmpError> icmp;
  for (;;) {
    alignas(cmsghdr) std::array<std::byte, 512> control{};
    std::array<char, 64> payload{};  // the head of our own packet; not needed
    iovec piece{payload.data(), payload.size()};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    if (::recvmsg(socket, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return icmp;
    for (cmsghdr* item = CMSG_FIRSTHDR(&message); item != nullptr;
         item = CMSG_NXTHDR(&message, item)) {
      const bool v4 = item->cmsg_level == IPPROTO_IP && item->cmsg_type == IP_RECVERR;
      const bool v6 = item->cmsg_level == IPPROTO_IPV6 && item->cmsg_type == IPV6_RECVERR;
      if ((!v4 && !v6) || item->cmsg_len < CMSG_LEN(sizeof(sock_extended_err))) continue;
      const std::span data(reinterpret_cast<const std::byte*>(CMSG_DATA(item)),
                           item->cmsg_len - CMSG_LEN(0));
      sock_extended_err error{};
      std::memcpy(&error, data.data(), sizeof error);
      if (error.ee_origin != SO_EE_ORIGIN_ICMP && error.ee_origin != SO_EE_ORIGIN_ICMP6) continue;
      icmp = IcmpError{.v6 = error.ee_origin == SO_EE_ORIGIN_ICMP6,
                       .type = error.ee_type,
                       .code = error.ee_code,
                       .from = to_ip(data.subspan(sizeof error)),
                       .error = static_cast<int>(error.ee_errno)};
    }
  }
}

int pending_error(int socket) {
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

struct TcpFacts {
  tcp_info info{};
  bool has_counts = false;
};

TcpFacts tcp_facts(int socket) {
  TcpFacts facts;
  socklen_t size = sizeof facts.info;
  if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &facts.info, &size) != 0) return facts;
  facts.has_counts = size >= offsetof(tcp_info, tcpi_segs_in) + sizeof facts.info.tcpi_segs_in;
  return facts;
}

ConnectSigns signs_of(int socket, const HostPort& endpoint, int error,
                      const std::optional<IcmpError>& icmp) {
  const TcpFacts facts = tcp_facts(socket);
  return {.error = error,
          .counts_known = facts.has_counts,
          .segment_sent = facts.info.tcpi_segs_out > 0,
          .segment_received = facts.info.tcpi_segs_in > 0,
          .icmp = icmp,
          .target = endpoint.address,
          .own = own_address(socket)};
}

std::string words_for(int error) {
  return std::system_category().message(error);
}

const char* name_of_v4(int type, int code) {
  if (type != 3) return nullptr;
  constexpr std::array kNames{"net-unreachable",
                              "host-unreachable",
                              "protocol-unreachable",
                              "port-unreachable",
                              "fragmentation-needed",
                              "source-route-failed",
                              "net-unknown",
                              "host-unknown",
                              "source-isolated",
                              "net-prohibited",
                              "host-prohibited",
                              "net-unreachable-for-tos",
                              "host-unreachable-for-tos",
                              "admin-prohibited"};
  return code >= 0 && static_cast<std::size_t>(code) < kNames.size()
             ? kNames[static_cast<std::size_t>(code)]
             : nullptr;
}

const char* name_of_v6(int type, int code) {
  if (type != 1) return nullptr;
  constexpr std::array kNames{
      "no-route",         "admin-prohibited", "beyond-scope",  "address-unreachable",
      "port-unreachable", "policy-failed",    "route-rejected"};
  return code >= 0 && static_cast<std::size_t>(code) < kNames.size()
             ? kNames[static_cast<std::size_t>(code)]
             : nullptr;
}

/// Without an ICMP error in the queue and without a believable refusal.
Outcome judge_error(int error) {
  switch (error) {
    case ETIMEDOUT:
      return Outcome::timeout;
    case ECONNRESET:
      return Outcome::reset;  // reset after the other end had already accepted
    // An old kernel does not tell a router's ICMP from a missing ARP answer here: the weaker word.
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENETDOWN:
    case EAFNOSUPPORT:
    case EADDRNOTAVAIL:  // no address of this machine's fits: its IPv6 is switched off
      return Outcome::unreachable;
    case EACCES:
    case EPERM:
    case EPROTO:
    case ENOPROTOOPT:
      return Outcome::rejected;
    default:
      return Outcome::error;
  }
}

// A kernel that refuses this option only explains less.
void set_receive_icmp(int socket, const HostPort& endpoint, int on) {
  if (endpoint.address.is_v6()) {
    (void)::setsockopt(socket, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
  } else {
    (void)::setsockopt(socket, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
  }
}

bool is_exhaustion(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

std::string to_string(const IcmpError& icmp) {
  const char* name = icmp.v6 ? name_of_v6(icmp.type, icmp.code) : name_of_v4(icmp.type, icmp.code);
  const std::string what =
      name != nullptr ? std::string(name) : fmt::format("type {} code {}", icmp.type, icmp.code);
  return icmp.from ? fmt::format("ICMP {} from {}", what, icmp.from->to_string()) : "ICMP " + what;
}

ConnectFailure judge_connect(const ConnectSigns& signs) {
  const std::string words =
      words_for(signs.error != 0 || !signs.icmp ? signs.error : signs.icmp->error);
  if (signs.icmp) {
    const bool own_voice =
        signs.icmp->from && signs.icmp->from == signs.own && signs.own != signs.target;
    return {own_voice ? Outcome::unreachable : Outcome::rejected,
            fmt::format("{} ({}{})", words, to_string(*signs.icmp),
                        own_voice ? ", which is this machine" : "")};
  }
  if (is_exhaustion(signs.error)) return {Outcome::error, words, true};
  if (signs.error == ECONNREFUSED) {
    if (signs.counts_known && signs.segment_received) return {Outcome::refused, words};
    return {Outcome::rejected, words + " (but no reset arrived, so a firewall said it)"};
  }
  if (signs.counts_known && !signs.segment_sent && judge_error(signs.error) != Outcome::timeout)
    return {Outcome::unreachable, words + " (nothing left this machine)"};
  return {judge_error(signs.error), words};
}

namespace {

/// Whose port the kernel picks when it connects, so that many connections can leave one address.
bool bind_to(int socket, const IpAddress& source) {
  const int on = 1;
  (void)::setsockopt(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  const SocketAddress address = to_socket_address({source, 0});
  return ::bind(socket, address.get(), address.size) == 0;
}

const char* family_of(const IpAddress& address) {
  return address.is_v6() ? "IPv6" : "IPv4";
}

}  // namespace

Result<void> can_connect_from(const IpAddress& source) {
  const int type = SOCK_STREAM | SOCK_CLOEXEC;
  const UniqueFd socket(::socket(source.is_v6() ? AF_INET6 : AF_INET, type, IPPROTO_TCP));
  if (socket && bind_to(socket.get(), source)) return {};
  return Error{
      .kind = ErrorKind::usage,
      .what = fmt::format("cannot connect from {}: {}", source.to_string(), words_for(errno)),
      .hint = "give one of this machine's IPv4 or IPv6 addresses"};
}

ConnectStart start_connect(const HostPort& endpoint, const std::optional<IpAddress>& source) {
  const bool v6 = endpoint.address.is_v6();
  if (source && source->is_v6() != v6) {
    const std::string words =
        fmt::format("cannot connect from {}, an {} address, to an {} address", source->to_string(),
                    family_of(*source), family_of(endpoint.address));
    return {UniqueFd{}, ConnectFailure{Outcome::error, words}};
  }
  const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  UniqueFd socket(::socket(v6 ? AF_INET6 : AF_INET, type, IPPROTO_TCP));
  if (!socket) {
    const int error = errno;
    return {UniqueFd{}, ConnectFailure{judge_error(error), words_for(error), is_exhaustion(error)}};
  }
  set_receive_icmp(socket.get(), endpoint, 1);
  if (source && !bind_to(socket.get(), *source)) {
    const std::string words =
        fmt::format("cannot connect from {}: {}", source->to_string(), words_for(errno));
    return {UniqueFd{}, ConnectFailure{Outcome::error, words}};
  }
  const SocketAddress address = to_socket_address(endpoint);
  if (::connect(socket.get(), address.get(), address.size) == 0 || errno == EINPROGRESS)
    return {std::move(socket), std::nullopt};
  const int error = errno;
  const auto icmp = drain_error_queue(socket.get());
  return {UniqueFd{}, judge_connect(signs_of(socket.get(), endpoint, error, icmp))};
}

void make_talkative(int socket, const HostPort& endpoint) {
  set_receive_icmp(socket, endpoint, 0);
  const int on = 1;
  (void)::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

bool has_news(int socket) {
  pollfd one{.fd = socket, .events = POLLIN | POLLOUT, .revents = 0};
  return ::poll(&one, 1, 0) != 0;
}

ConnectCheck check_connect(int socket, const HostPort& endpoint, std::optional<IcmpError>& icmp) {
  // In this order: reading the error queue clears SO_ERROR.
  const int error = pending_error(socket);
  if (const auto queued = drain_error_queue(socket)) icmp = queued;
  // Only an open connection breaks like this: opened and reset before we looked.
  if (error == ECONNRESET || error == EPIPE) return {ConnectState::open, {}};
  if (error == 0) {
    constexpr int kSynSent = 2;
    constexpr int kClosed = 7;
    const int state = tcp_facts(socket).info.tcpi_state;
    if (state == kSynSent) return {ConnectState::pending, {}};
    if (state != kClosed) return {ConnectState::open, {}};
  }
  return {ConnectState::failed, judge_connect(signs_of(socket, endpoint, error, icmp))};
}

ConnectFailure give_up_connect(int socket, const HostPort& endpoint,
                               const std::optional<IcmpError>& icmp, Duration after) {
  // Nothing but an ICMP error in all that time: a rejection that the kernel chose to outlast.
  if (icmp) return judge_connect(signs_of(socket, endpoint, icmp->error, icmp));
  return {Outcome::timeout, "no answer within " + catflap::to_string(after)};
}

}  // namespace catflap::net
