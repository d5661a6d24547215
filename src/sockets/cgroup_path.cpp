// Names as the runtimes and the kubelet make them: a pod's cgroup is "pod<UID>" (cgroupfs driver)
// or "kubepods-<QoS>-pod<UID, _ for ->.slice" (systemd driver); a container's is its id, or
// "<runtime>-<id>.scope"; containerd without the systemd driver of its own inside systemd writes
// "<slice>:cri-containerd:<id>".
#include "sockets/cgroup_path.hpp"

#include <algorithm>

namespace catflap::sockets {
namespace {

constexpr std::size_t kIdLength = 64;

std::string_view cut(std::string_view& rest, char separator) {
  const auto at = rest.find(separator);
  const auto head = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view() : rest.substr(at + 1);
  return head;
}

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"; a static pod's without dashes.
bool is_uid(std::string_view text) {
  if (text.size() == 32) return is_hex(text);
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !is_hex(text.substr(i, 1))) return false;
  }
  return true;
}

/// The id at the end of a container's name: "cri-containerd-<id>.scope", "<id>".
std::string_view container_of(std::string_view segment) {
  if (segment.ends_with(".scope")) segment.remove_suffix(6);
  if (segment.size() < kIdLength) return {};
  const auto id = segment.substr(segment.size() - kIdLength);
  const auto prefix = segment.substr(0, segment.size() - kIdLength);
  if (!is_hex(id)) return {};
  // CRI-O's monitor has a scope of its own beside the container's.
  if (prefix.ends_with("conmon-")) return {};
  return prefix.empty() || prefix.ends_with('-') || prefix.ends_with(':') ? id : std::string_view();
}

/// The UID in "pod<UID>" or "…-pod<UID>.slice", with dashes.
std::string pod_of(std::string_view segment) {
  segment = segment.substr(0, segment.find(':'));
  if (segment.ends_with(".slice")) segment.remove_suffix(6);
  const auto at = segment.rfind("pod");
  if (at == std::string_view::npos || (at > 0 && segment[at - 1] != '-')) return {};
  std::string uid(segment.substr(at + 3));
  std::ranges::replace(uid, '_', '-');
  return is_uid(uid) ? uid : std::string();
}

}  // namespace

Belonging read_cgroup(std::string_view proc_cgroup) {
  Belonging found;
  while (!proc_cgroup.empty()) {
    auto path = cut(proc_cgroup, '\n');
    cut(path, ':');  // hierarchy
    cut(path, ':');  // controllers
    Belonging here;
    while (!path.empty()) {
      const auto segment = cut(path, '/');
      if (auto uid = pod_of(segment); !uid.empty()) here = {.container = "", .pod_uid = uid};
      if (const auto id = container_of(segment); !id.empty()) here.container = id;
    }
    if (found.container.empty()) found.container = here.container;
    if (found.pod_uid.empty()) found.pod_uid = here.pod_uid;
  }
  return found;
}

}  // namespace catflap::sockets
