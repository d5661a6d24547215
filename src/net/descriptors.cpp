#include "net/descriptors.hpp"

#include <dirent.h>
#include <sys/resource.h>

#include <algorithm>

namespace catflap::net {
namespace {

constexpr std::size_t kForOthers = 16;  // what the rest of the program may open meanwhile

std::size_t count_open_descriptors() {
  constexpr std::size_t kGuess = 64;
  DIR* folder = ::opendir("/proc/self/fd");
  if (folder == nullptr) return kGuess;
  std::size_t count = 0;
  while (::readdir(folder) != nullptr) ++count;
  ::closedir(folder);
  return count;
}

}  // namespace

std::size_t affordable_visits(std::size_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return std::max<std::size_t>(1, wanted);
  const std::size_t taken = count_open_descriptors() + kForOthers;
  const std::size_t room = limit.rlim_cur > taken ? limit.rlim_cur - taken : 1;
  return std::clamp<std::size_t>(wanted, 1, room);
}

}  // namespace catflap::net
