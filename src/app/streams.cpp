#include "app/streams.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <system_error>
#include <utility>

namespace catflap::app {
namespace {

constexpr std::size_t kLongestLine = 1u << 20;
constexpr std::size_t kWrittenAtOnce = 64 * 1024;
constexpr int kLookMs = 100;         // for a stop request
constexpr int kLooksAfterStop = 10;  // while nobody reads

}  // namespace

void hold_standard_descriptors() {
  for (const int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(number, F_GETFD) != -1 || errno != EBADF) continue;
    // The lowest number that is free: this one. The wrong way round, or a closed stdin would be an
    // empty one, and what is written to a closed stdout would seem to have arrived.
    (void)::open("/dev/null", number == STDOUT_FILENO ? O_RDONLY : O_WRONLY);
  }
}

Result<std::optional<std::string>> LineReader::next(const std::stop_token& stop) {
  using Line = std::optional<std::string>;
  for (;;) {
    const std::size_t end = ahead_.find('\n', at_);
    if (end != std::string::npos || ahead_.size() - at_ >= kLongestLine) return Line(cut(end));
    ahead_.erase(0, std::exchange(at_, 0));
    // Of a FIFO that nobody has opened yet for writing, poll says nothing; read would say that it
    // is over.
    pollfd input{.fd = descriptor_, .events = POLLIN, .revents = 0};
    const int ready = ::poll(&input, 1, kLookMs);
    if (stop.stop_requested()) return Line();
    if (ready <= 0) continue;
    std::array<char, 65'536> chunk{};
    const ssize_t count = ::read(descriptor_, chunk.data(), chunk.size());
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (count < 0) {
      const int error = errno;
      return Error{.what = "cannot be read: " + std::system_category().message(error),
                   .system_code = error};
    }
    if (count == 0) return ahead_.empty() ? Line() : Line(cut(ahead_.size()));
    ahead_.append(chunk.data(), static_cast<std::size_t>(count));
  }
}

std::string LineReader::cut(std::size_t end) {
  const std::size_t stop = std::min(end, ahead_.size());
  std::string line = ahead_.substr(at_, stop - at_);
  at_ = std::min(stop + 1, ahead_.size());
  return line;
}

OutputBuffer::OutputBuffer(int descriptor, std::stop_token stop)
    : descriptor_(descriptor), stop_(std::move(stop)), pending_(kWrittenAtOnce) {
  setp(pending_.data(), pending_.data() + pending_.size());
}

OutputBuffer::int_type OutputBuffer::overflow(int_type c) {
  if (!send()) return traits_type::eof();
  if (traits_type::eq_int_type(c, traits_type::eof())) return traits_type::not_eof(c);
  return sputc(traits_type::to_char_type(c));
}

int OutputBuffer::sync() {
  return send() ? 0 : -1;
}

bool OutputBuffer::send() {
  const char* at = pbase();
  while (!broken_ && at < pptr()) {
    // A pipe that has room at all has room for this much: write does not wait.
    const auto most = std::min(static_cast<std::size_t>(pptr() - at), std::size_t{PIPE_BUF});
    const ssize_t count = wait_for_room() ? ::write(descriptor_, at, most) : -1;
    if (count >= 0) {
      at += count;
    } else {
      broken_ = errno != EINTR && errno != EAGAIN;
    }
  }
  setp(pending_.data(), pending_.data() + pending_.size());
  return !broken_;
}

bool OutputBuffer::wait_for_room() const {
  for (int looks = 0; looks < kLooksAfterStop;) {
    pollfd output{.fd = descriptor_, .events = POLLOUT, .revents = 0};
    if (::poll(&output, 1, kLookMs) > 0) return true;  // an error of it is write's to tell
    if (stop_.stop_requested()) ++looks;
  }
  errno = EPIPE;
  return false;
}

}  // namespace catflap::app
