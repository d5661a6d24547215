// The real Environment: getenv, bounded file reads, isatty.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/handle.hpp"
#include "kube/client_config.hpp"

extern char** environ;

namespace catflap::kube {

namespace {

constexpr std::size_t kMaxFileBytes = 4u << 20;

Error file_error(const std::string& path, int code) {
  ErrorKind kind = code == ENOENT   ? ErrorKind::not_found
                   : code == EACCES ? ErrorKind::not_permitted
                                    : ErrorKind::internal;
  return Error{.kind = kind,
               .what = fmt::format("cannot be read: {}", std::strerror(code)),
               .subject = path,
               .system_code = code};
}

Result<std::string> read_whole_file(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return file_error(path, errno);
  std::string out;
  char buffer[16384];
  for (;;) {
    ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return file_error(path, errno);
    if (n == 0) return out;
    out.append(buffer, static_cast<std::size_t>(n));
    if (out.size() > kMaxFileBytes) return file_error(path, EFBIG);
  }
}

}  // namespace

Environment process_environment() {
  Environment out;
  out.variable = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
  };
  out.read_file = read_whole_file;
  for (char** entry = environ; *entry != nullptr; ++entry) out.variables.emplace_back(*entry);
  out.standard_input =
      ::isatty(STDIN_FILENO) == 1 ? Environment::Stdin::terminal : Environment::Stdin::other;
  return out;
}

}  // namespace catflap::kube
