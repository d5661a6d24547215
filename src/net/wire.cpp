#include "net/wire.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace catflap::net {

namespace {
constexpr std::size_t kHead = 512;
}

Wire::Count Wire::read(std::span<char> into) {
  if (left_ == 0) return {last_ = Io::cut, 0};
  const ssize_t got = ::recv(socket_, into.data(), std::min(into.size(), left_), 0);
  if (got > 0) {
    const auto bytes = static_cast<std::size_t>(got);
    received_ += bytes;
    left_ -= bytes;
    head_.append(into.data(), std::min(bytes, kHead - head_.size()));
    return {Io::done, bytes};
  }
  if (got == 0) return {last_ = Io::closed, 0};
  if (errno == EAGAIN || errno == EINTR) return {last_ = Io::wait, 0};
  error_ = errno;
  return {last_ = Io::reset, 0};
}

Wire::Count Wire::write(std::string_view bytes) {
  const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent >= 0) return {Io::done, static_cast<std::size_t>(sent)};
  if (errno == EAGAIN || errno == EINTR) return {Io::wait, 0};
  return {Io::done, bytes.size()};
}

}  // namespace catflap::net
