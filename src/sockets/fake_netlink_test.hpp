// Datagrams as the kernel would send them, and a netlink socket whose other end is the test's.
#pragma once

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/handle.hpp"
#include "sockets/sock_diag.hpp"

namespace catflap::sockets::test {

template <class T>
std::string bytes_of(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

inline std::string message(std::uint16_t type, std::string payload, std::uint16_t flags = 0,
                           std::uint32_t sequence = 1) {
  const nlmsghdr head{.nlmsg_len = static_cast<std::uint32_t>(NLMSG_HDRLEN + payload.size()),
                      .nlmsg_type = type,
                      .nlmsg_flags = flags,
                      .nlmsg_seq = sequence};
  payload.resize(NLMSG_ALIGN(payload.size()));
  return bytes_of(head) + payload;
}

inline std::string attribute(std::uint16_t type, std::string value) {
  const nlattr head{.nla_len = static_cast<std::uint16_t>(NLA_HDRLEN + value.size()),
                    .nla_type = type};
  value.resize(NLA_ALIGN(value.size()));
  return bytes_of(head) + value;
}

struct Told {
  Port port = 9091;
  std::uint32_t inode = 7;
  std::uint8_t family = AF_INET;
  std::uint8_t state = TCP_LISTEN;
  std::string attributes;
  std::uint16_t flags = 0;
};

inline std::string socket_message(const Told& told) {
  inet_diag_msg payload{};
  payload.idiag_family = told.family;
  payload.idiag_state = told.state;
  payload.id.idiag_sport = htons(told.port);
  payload.idiag_inode = told.inode;
  payload.idiag_wqueue = 128;
  return message(SOCK_DIAG_BY_FAMILY, bytes_of(payload) + told.attributes,
                 static_cast<std::uint16_t>(told.flags | NLM_F_MULTI));
}

inline std::string done_message(std::int32_t code = 0, std::uint16_t flags = 0) {
  return message(NLMSG_DONE, bytes_of(code), flags);
}

inline std::string error_message(int code) {
  return message(NLMSG_ERROR, bytes_of(nlmsgerr{.error = -code}));
}

/// Answers each request on a thread of its own: `script(n, request)` is what the n-th socket sends.
class FakeKernel {
 public:
  using Script = std::function<void(int number, int fd, const std::string& request)>;
  explicit FakeKernel(Script script) : script_(std::move(script)) {}
  ~FakeKernel() {
    for (auto& thread : threads_) thread.join();
  }
  FakeKernel(const FakeKernel&) = delete;
  FakeKernel& operator=(const FakeKernel&) = delete;

  [[nodiscard]] OpenNetlink opener() {
    return [this]() -> Result<UniqueFd> {
      std::array<int, 2> ends{};
      if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
        return Error{.what = "socketpair"};
      threads_.emplace_back([this, number = opened_++, fd = ends[1]] {
        const UniqueFd own(fd);
        std::string request(4096, '\0');
        const auto got = ::recv(fd, request.data(), request.size(), 0);
        if (got > 0) script_(number, fd, request.substr(0, static_cast<std::size_t>(got)));
      });
      return UniqueFd(ends[0]);
    };
  }
  [[nodiscard]] int opened() const { return opened_; }

 private:
  Script script_;
  std::vector<std::thread> threads_;
  int opened_ = 0;
};

/// False once the other end is gone.
inline bool send_datagram(int fd, std::string_view bytes) {
  return ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) >= 0;
}

}  // namespace catflap::sockets::test
