// Over a /proc made of files: who is named, who is looked into, and who is never passed over.
#include "sockets/owners.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/handle.hpp"

namespace catflap::sockets {
namespace {

namespace fs = std::filesystem;

class FakeProc : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(root_); }
  void TearDown() override { fs::remove_all(root_); }

  void add(int pid, const std::string& comm, const std::vector<std::string>& descriptors,
           const std::string& arguments = "", const std::string& cgroup = "0::/\n") {
    const fs::path folder = root_ / std::to_string(pid);
    fs::create_directories(folder / "fd");
    std::ofstream(folder / "comm") << comm << "\n";
    std::ofstream(folder / "cmdline") << arguments;
    std::ofstream(folder / "cgroup") << cgroup;
    int number = 3;
    for (const auto& target : descriptors)
      fs::create_symlink(target, folder / "fd" / std::to_string(number++));
  }

  /// "9091: calico-node(12,fd 3); ", or the state.
  std::string owners(OwnerOptions options = {}, std::uint64_t inode = 700) {
    std::vector<HostSocket> sockets{{.endpoint = {{}, 9091}, .inode = inode}};
    options.proc = root_;
    options.cgroups = root_ / "none";
    find_owners(sockets, options, clock_);
    sockets_ = sockets;
    std::string text = to_string(sockets[0].owner_state);
    for (const auto& owner : sockets[0].owners)
      text += fmt::format(" {}({},fd {}{})", owner.comm, owner.pid, owner.fd,
                          owner.felix ? ",felix" : "");
    return text;
  }

  fs::path root_ = fs::path(testing::TempDir()) / fmt::format("proc-{}", ::getpid());
  RealClock clock_;
  std::vector<HostSocket> sockets_;
};

TEST_F(FakeProc, NamesTheHolderItsContainerAndItsPod) {
  const std::string id(64, 'b');
  add(10, "sh", {"/dev/null", "pipe:[700]", "socket:[701]"});
  add(12, "calico-node", {"socket:[699]", "socket:[700]"}, std::string("calico-node\0-felix\0", 19),
      "0::/kubepods/pod0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9/" + id + "\n");
  EXPECT_EQ(owners(), "named calico-node(12,fd 4,felix)");
  EXPECT_EQ(sockets_[0].owners[0].container, id);
  EXPECT_EQ(sockets_[0].owners[0].pod_uid, "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9");
}

TEST_F(FakeProc, AnotherProcessOfCalicoNodeIsNotFelix) {
  add(12, "calico-node", {"socket:[700]"}, std::string("calico-node\0-confd\0", 19));
  EXPECT_EQ(owners(), "named calico-node(12,fd 3)");
}

TEST_F(FakeProc, LooksIntoTheLikeliestFirstAndNoFurtherThanNeeded) {
  add(10, "holder", {"socket:[700]"});
  add(99, "calico-node", {"socket:[700]"});
  EXPECT_EQ(owners(), "named calico-node(99,fd 3)");
  EXPECT_EQ(owners({.all = true}), "named calico-node(99,fd 3) holder(10,fd 3)");
}

TEST_F(FakeProc, WhoMayNotBeLookedIntoIsNeverPassedOver) {
  add(10, "sh", {"socket:[701]"});
  const std::string without = owners();
  EXPECT_EQ(without, ::geteuid() == 0 ? "not-found" : "not-permitted");
  // As another user, who may not read a stranger's descriptors.
  add(11, "other", {"socket:[700]"});
  ASSERT_EQ(::chmod((root_ / "11/fd").c_str(), 0), 0);
  if (::geteuid() == 0) {
    ASSERT_EQ(::seteuid(65534), 0);
  }
  EXPECT_EQ(owners(), "not-permitted");
  if (::getuid() == 0) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  ASSERT_EQ(::chmod((root_ / "11/fd").c_str(), 0700), 0);
}

TEST_F(FakeProc, OutOfTimeIsNotNobody) {
  add(10, "sh", {"socket:[700]"});
  EXPECT_EQ(owners({.time = Duration{0}}), "not-looked");
}

TEST_F(FakeProc, ASocketWithoutAnInodeHasNoOwner) {
  add(10, "sh", {"socket:[0]"});
  EXPECT_EQ(owners({}, 0), ::geteuid() == 0 ? "not-found" : "not-permitted");
}

}  // namespace
}  // namespace catflap::sockets
