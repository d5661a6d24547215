#include "app/holder.hpp"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>

namespace catflap::app {
namespace {

std::string first_line(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// Process ids mean something only within one boot of one kernel and one PID namespace.
std::string host_id() {
  std::array<char, 64> name{};
  const ssize_t length = ::readlink("/proc/self/ns/pid", name.data(), name.size());
  const std::string boot = first_line("/proc/sys/kernel/random/boot_id");
  if (length <= 0 || boot.empty()) return "";
  return boot + "/" + std::string(name.data(), static_cast<std::size_t>(length));
}

/// The start time tells a process from a later one with the same id (proc(5), field 22 of stat).
std::string start_time(int pid) {
  const std::string stat = first_line(fmt::format("/proc/{}/stat", pid).c_str());
  std::size_t at = stat.rfind(')');
  for (int field = 2; field < 22 && at != std::string::npos; ++field) at = stat.find(' ', at + 1);
  return at == std::string::npos ? "" : stat.substr(at + 1, stat.find(' ', at + 1) - at - 1);
}

std::string id_of(int pid, const std::string& host) {
  return fmt::format("{}/{}/{}", host, pid, start_time(pid));
}

}  // namespace

act::LockOptions lock_options(const Runtime& runtime) {
  std::array<char, 256> machine{};
  if (::gethostname(machine.data(), machine.size() - 1) != 0) machine[0] = '\0';
  const std::string user = runtime.variable("USER").empty() ? fmt::format("uid {}", ::getuid())
                                                            : runtime.variable("USER");
  const std::string host = host_id();
  const int pid = ::getpid();
  act::LockOptions options;
  options.holder = {.id = id_of(pid, host),
                    .who = fmt::format("{}@{}, process {}", user, machine.data(), pid),
                    .host_id = host,
                    .pid = pid};
  options.is_gone = [host](const act::Holder& other) {
    if (host.empty() || other.host_id != host || other.pid <= 0) return false;
    const bool exists = ::kill(other.pid, 0) == 0 || errno != ESRCH;
    return !exists || id_of(other.pid, host) != other.id;
  };
  return options;
}

}  // namespace catflap::app
