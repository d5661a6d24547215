#include "sockets/owners.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>

#include "base/handle.hpp"
#include "base/text.hpp"
#include "sockets/cgroup_path.hpp"
#include "sockets/felix_process.hpp"

namespace catflap::sockets {
namespace {

// To order the processes costs a few system calls for each; not worth it when nearly all of them
// have to be looked into anyway.
constexpr std::size_t kFewSockets = 16;

struct DirectoryCloser {
  void operator()(DIR* directory) const { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, DirectoryCloser>;

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// The first 4 KiB of a file below `folder`; "" if it cannot be read.
std::string read_small(int folder, const std::string& path) {
  const UniqueFd fd(::openat(folder, path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text(4096, '\0');
  const ssize_t got = fd ? ::read(fd.get(), text.data(), text.size()) : 0;
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return text;
}

/// The processes in the cgroup v2 with this id. Its directory is found by the id itself, which
/// needs CAP_DAC_READ_SEARCH; none without it.
std::vector<int> processes_of_cgroup(std::uint64_t id, const std::string& mount) {
  constexpr int kKernfsHandle = 0xfe;  // FILEID_KERNFS, linux/exportfs.h
  alignas(file_handle) std::array<char, sizeof(file_handle) + sizeof id> bytes{};
  auto* handle = reinterpret_cast<file_handle*>(bytes.data());
  handle->handle_bytes = sizeof id;
  handle->handle_type = kKernfsHandle;
  std::memcpy(bytes.data() + sizeof(file_handle), &id, sizeof id);
  std::vector<int> pids;
  for (const char* below : {"/unified", ""}) {
    const UniqueFd root(::open((mount + below).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!root) continue;
    const UniqueFd cgroup(::open_by_handle_at(root.get(), handle, O_RDONLY | O_CLOEXEC));
    if (!cgroup) continue;
    const std::string list = read_small(cgroup.get(), "cgroup.procs");
    for (std::string_view rest = list; !rest.empty();) {
      const auto end = std::min(rest.find('\n'), rest.size());
      if (const auto pid = number_of<int>(rest.substr(0, end))) pids.push_back(*pid);
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    break;
  }
  return pids;
}

class Search {
 public:
  Search(std::vector<HostSocket>& sockets, const OwnerOptions& options, const Clock& clock)
      : sockets_(sockets),
        options_(options),
        clock_(clock),
        deadline_(clock.steady() + options.time) {
    for (std::size_t i = 0; i < sockets.size(); ++i) {
      if (sockets[i].inode != 0) by_inode_.emplace(sockets[i].inode, i);
    }
    unnamed_ = by_inode_.size();
  }

  void run();

 private:
  [[nodiscard]] bool enough() {
    late_ = late_ || clock_.steady() >= deadline_;
    return late_ || (!options_.all && unnamed_ == 0);
  }
  std::vector<int> list_processes();
  void likeliest_first(std::vector<int>& pids);
  void look_into(int pid);
  void found(std::size_t socket, int pid, int fd);
  const SocketOwner& describe(int pid);

  std::vector<HostSocket>& sockets_;
  const OwnerOptions& options_;
  const Clock& clock_;
  SteadyPoint deadline_;
  UniqueFd proc_;
  std::unordered_map<std::uint64_t, std::size_t> by_inode_;  // index into sockets_
  std::map<int, SocketOwner> described_;
  std::set<int> looked_into_;
  std::size_t unnamed_ = 0;  // sockets without an owner yet
  bool forbidden_ = false;   // some process may not be looked into
  bool late_ = false;
};

std::vector<int> Search::list_processes() {
  std::vector<int> pids;
  const Directory directory(::opendir(options_.proc.c_str()));
  if (!directory) {
    forbidden_ = true;
    return pids;
  }
  while (const dirent* entry = ::readdir(directory.get())) {
    if (const auto pid = number_of<int>(entry->d_name)) pids.push_back(*pid);
  }
  return pids;
}

void Search::likeliest_first(std::vector<int>& pids) {
  std::set<std::uint32_t> users;
  for (const auto& socket : sockets_) users.insert(socket.uid);
  std::map<int, int> rank;
  for (const int pid : pids) {
    const std::string folder = std::to_string(pid);
    struct stat status{};
    const bool same_user =
        ::fstatat(proc_.get(), folder.c_str(), &status, 0) == 0 && users.contains(status.st_uid);
    const std::string comm = read_small(proc_.get(), folder + "/comm");
    rank[pid] = may_be_felix(comm) ? 0 : (same_user ? 1 : 2);
  }
  std::ranges::stable_sort(pids, {}, [&](int pid) { return rank[pid]; });
}

const SocketOwner& Search::describe(int pid) {
  const auto [entry, is_new] = described_.try_emplace(pid);
  if (!is_new) return entry->second;
  const std::string folder = std::to_string(pid);
  std::string comm = read_small(proc_.get(), folder + "/comm");
  if (comm.ends_with('\n')) comm.pop_back();
  auto belonging = read_cgroup(read_small(proc_.get(), folder + "/cgroup"));
  const std::string arguments = read_small(proc_.get(), folder + "/cmdline");
  entry->second = {.pid = pid,
                   .comm = printable(comm, 64),
                   .felix = is_felix(arguments_of(arguments)),
                   .container = std::move(belonging.container),
                   .pod_uid = std::move(belonging.pod_uid)};
  return entry->second;
}

void Search::found(std::size_t socket, int pid, int fd) {
  auto& owners = sockets_[socket].owners;
  if (owners.empty()) --unnamed_;
  if (!owners.empty() && !options_.all) return;
  SocketOwner owner = describe(pid);
  owner.fd = fd;
  owners.push_back(std::move(owner));
}

void Search::look_into(int pid) {
  if (!looked_into_.insert(pid).second) return;
  const std::string path = std::to_string(pid) + "/fd";
  UniqueFd fd(::openat(proc_.get(), path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) {
    forbidden_ = forbidden_ || errno == EACCES || errno == EPERM;  // else it has ended
    return;
  }
  const Directory directory(::fdopendir(fd.get()));
  if (!directory) return;
  static_cast<void>(fd.release());  // closedir closes it
  constexpr std::string_view kSocket = "socket:[";
  std::array<char, 64> target{};
  while (const dirent* entry = ::readdir(directory.get())) {
    const auto number = number_of<int>(entry->d_name);
    if (!number) continue;
    const ssize_t size =
        ::readlinkat(::dirfd(directory.get()), entry->d_name, target.data(), target.size());
    if (size < 0) {
      forbidden_ = forbidden_ || errno == EACCES || errno == EPERM;
      continue;
    }
    std::string_view text(target.data(), static_cast<std::size_t>(size));
    if (!text.starts_with(kSocket) || !text.ends_with(']')) continue;
    text.remove_prefix(kSocket.size());
    text.remove_suffix(1);
    const auto inode = number_of<std::uint64_t>(text);
    const auto socket = inode ? by_inode_.find(*inode) : by_inode_.end();
    if (socket != by_inode_.end()) found(socket->second, pid, *number);
    if (enough()) return;
  }
}

void Search::run() {
  proc_.reset(::open(options_.proc.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const auto through = [&](const std::vector<int>& pids) {
    for (const int pid : pids) {
      if (enough()) return;
      look_into(pid);
    }
  };
  const bool few = sockets_.size() <= kFewSockets;
  if (few) {
    std::set<std::uint64_t> cgroups;  // 1 is the root, where everything may be
    for (const auto& socket : sockets_) {
      if (socket.cgroup_id.value_or(1) != 1) cgroups.insert(*socket.cgroup_id);
    }
    for (const auto id : cgroups) through(processes_of_cgroup(id, options_.cgroups));
  }
  if (!enough()) {
    auto pids = list_processes();
    if (few) likeliest_first(pids);
    through(pids);
  }
  // Whoever is not root may be shown less than there is without being told (hidepid).
  forbidden_ = forbidden_ || ::geteuid() != 0;
  for (auto& socket : sockets_) {
    socket.owner_state = OwnerState::named;
    if (!socket.owners.empty()) continue;
    socket.owner_state = OwnerState::not_found;
    if (forbidden_) socket.owner_state = OwnerState::not_permitted;
    if (late_) socket.owner_state = OwnerState::not_looked;
  }
}

}  // namespace

void find_owners(std::vector<HostSocket>& sockets, const OwnerOptions& options,
                 const Clock& clock) {
  if (!sockets.empty()) Search(sockets, options, clock).run();
}

}  // namespace catflap::sockets
