#include "sockets/cgroup_path.hpp"

#include <gtest/gtest.h>

namespace catflap::sockets {
namespace {

const std::string kId = "3f8b0d6c1a2e4f5061728394a5b6c7d8e9f00112233445566778899aabbccdde";
const std::string kUid = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9";
const std::string kUidBars = "0a1b2c3d_4e5f_6071_8293_a4b5c6d7e8f9";
const std::string kStatic = "8f4dbb6b5a4c3a6f3a1b2c3d4e5f6071";

TEST(CgroupPath, NamesContainerAndPod) {
  const struct {
    const char* what;
    std::string text;
    Belonging expected;
  } rows[] = {
      {"v2, containerd, systemd",
       "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + kUidBars +
           ".slice/cri-containerd-" + kId + ".scope\n",
       {kId, kUid}},
      {"v2, guaranteed QoS has no slice of its own",
       "0::/kubepods.slice/kubepods-pod" + kUidBars + ".slice/crio-" + kId + ".scope\n",
       {kId, kUid}},
      {"v2, CRI-O, and a cgroup below the container's",
       "0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" + kUidBars +
           ".slice/crio-" + kId + ".scope/container\n",
       {kId, kUid}},
      {"v2, cgroupfs driver", "0::/kubepods/besteffort/pod" + kUid + "/" + kId + "\n", {kId, kUid}},
      {"v1, cgroupfs driver",
       "12:pids:/kubepods/burstable/pod" + kUid + "/" + kId +
           "\n11:cpu,cpuacct:/kubepods/burstable/pod" + kUid + "/" + kId + "\n0::/\n",
       {kId, kUid}},
      {"v1, docker with systemd",
       "4:memory:/kubepods.slice/kubepods-pod" + kUidBars + ".slice/docker-" + kId + ".scope\n",
       {kId, kUid}},
      {"v1, containerd without the systemd driver of its own",
       "1:name=systemd:/system.slice/containerd.service/kubepods-burstable-pod" + kUidBars +
           ".slice:cri-containerd:" + kId + "\n",
       {kId, kUid}},
      {"a static pod: its UID is a hash",
       "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + kStatic +
           ".slice/cri-containerd-" + kId + ".scope\n",
       {kId, kStatic}},
      {"kind: a kubelet within a container, the innermost counts",
       "0::/docker/" + std::string(64, 'a') +
           "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/"
           "kubelet-kubepods-burstable-pod" +
           kUidBars + ".slice/cri-containerd-" + kId + ".scope\n",
       {kId, kUid}},
      {"docker without Kubernetes", "0::/system.slice/docker-" + kId + ".scope\n", {kId, ""}},
      {"podman", "0::/machine.slice/libpod-" + kId + ".scope/container\n", {kId, ""}},
      {"CRI-O's monitor is not in the container",
       "0::/kubepods.slice/kubepods-pod" + kUidBars + ".slice/crio-conmon-" + kId + ".scope\n",
       {"", kUid}},
      {"a UID with dashes where none are is none",
       "0::/kubepods/pod-" + kStatic + "/pod0-" + kStatic.substr(1) + "/" + kId + "\n",
       {kId, ""}},
      {"a service", "0::/system.slice/kubelet.service\n", {}},
      {"a user's session", "0::/user.slice/user-1000.slice/session-3.scope\n", {}},
      {"the root, or a cgroup namespace", "0::/\n", {}},
      {"outside of the cgroup namespace", "0::/../../..\n", {}},
      {"61 digits are no id", "0::/docker/" + kId.substr(3) + "\n", {}},
      {"more digits than an id", "0::/docker/0" + kId + "\n", {}},
      {"a name that ends in pod and digits", "0::/system.slice/tripod" + kUid + "\n", {}},
      {"cut", "0::/kubepods.slice/kubepods-pod0a1b2c3d_4e5f", {}},
      {"empty", "", {}},
  };
  for (const auto& row : rows) EXPECT_EQ(read_cgroup(row.text), row.expected) << row.what;
}

}  // namespace
}  // namespace catflap::sockets
