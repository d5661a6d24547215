// /proc/PID/cgroup as text: which container and which pod a process belongs to. Pure.
#pragma once

#include <string>
#include <string_view>

namespace catflap::sockets {

struct Belonging {
  std::string container;  // id, 64 hexadecimal digits; "": in no container
  std::string pod_uid;    // with dashes; a static pod's is 32 hexadecimal digits; "": in no pod
  friend bool operator==(const Belonging&, const Belonging&) = default;
};

/// cgroup v1 and v2; containerd, CRI-O, Docker and Podman; with the systemd and the cgroupfs
/// driver. The innermost counts. Whatever else the text is, the answer is empty.
[[nodiscard]] Belonging read_cgroup(std::string_view proc_cgroup);

}  // namespace catflap::sockets
