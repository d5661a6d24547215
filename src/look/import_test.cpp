// From files to verdicts: what a file from a node proves, and all that it must not.
#include "look/import.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/prove/prove.hpp"

namespace catflap::look {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

const TimePoint kNow{seconds{1'800'000'000}};

ClusterFacts facts_of() {
  ClusterFacts facts;
  for (const char* name : {"n1", "n2"}) {
    facts.nodes.push_back({.name = name,
                           .machine_id = std::string("machine-") + name,
                           .boot_id = std::string("boot-") + name,
                           .ready = true});
    PodFacts pod{.namespace_ = "kube-system",
                 .name = std::string("calico-node-") + name,
                 .uid = std::string("uid-") + name,
                 .node = name,
                 .phase = "Running",
                 .ready = true,
                 .felix_running = true,
                 .felix_started = kNow - minutes(10)};
    pod.declared.enabled = {.value = false, .raw = "false", .layer = Layer::env};
    pod.declared.port.value = 9091;
    pod.declared.host.value = "";
    facts.pods.push_back(std::move(pod));
  }
  return facts;
}

HostSocket socket_of(Port port, const std::string& comm, bool felix = false) {
  HostSocket socket{.endpoint = {*IpAddress::parse("::"), port}, .inode = port};
  socket.owner_state = OwnerState::not_found;
  if (comm.empty()) return socket;
  socket.owner_state = OwnerState::named;
  socket.owners = {{.pid = 12, .fd = 3, .comm = comm, .felix = felix}};
  return socket;
}

/// A good file of n1, made so long ago.
ImportedFile file_of(seconds ago) {
  HostListeners host{.machine_id = "machine-n1",
                     .boot_id = "boot-n1",
                     .at = kNow - ago,
                     .network = HostListeners::Network::node};
  host.sockets = {socket_of(22, "sshd"), socket_of(9099, "calico-node", true), socket_of(2049, "")};
  return {fmt::format("n1-{}.json", ago.count()), host};
}

struct Judged {
  std::string text;  // of n1: "closed inside inside-clean", "unknown - settle-too-short, …"
  std::string findings;
};

Judged judge(std::vector<ImportedFile> files, const ClusterFacts& facts = facts_of(),
             Purpose purpose = Purpose::verify, Policy policy = {}) {
  std::vector<Look> looks(purpose == Purpose::verify ? 2 : 1);
  looks.back().started = kNow;
  looks.front().started = kNow - (seconds(10) * static_cast<int>(looks.size() - 1));
  const auto findings = import_into(looks, {.files = files,
                                            .facts = facts,
                                            .now = kNow,
                                            .max_age = policy.max_age,
                                            .settle = seconds(10)});
  const auto verdict = prove({.facts = &facts,
                              .looks = looks,
                              .policy = policy,
                              .purpose = purpose,
                              .settle = seconds(10),
                              .now = kNow});
  Judged judged;
  const auto& node = verdict.nodes.front();
  judged.text = fmt::format("{} {}", to_string(node.verdict),
                            node.basis == Basis::none ? "-" : to_string(node.basis));
  for (const auto& reason : node.reasons) judged.text += " " + reason.code;
  for (const auto& finding : findings)
    judged.findings += (judged.findings.empty() ? "" : " ") + finding.code;
  EXPECT_EQ(verdict.nodes.back().verdict, Verdict::unknown) << "nothing is known of n2";
  return judged;
}

TEST(Import, TwoFilesFarEnoughApartAreTwoLooks) {
  EXPECT_EQ(judge({file_of(seconds(40)), file_of(seconds(20))}).text, "closed inside inside-clean");
  EXPECT_EQ(judge({file_of(seconds(20)), file_of(seconds(30)), file_of(seconds(40))}).text,
            "closed inside inside-clean");
}

TEST(Import, OneFileIsOneLook) {
  EXPECT_EQ(judge({file_of(seconds(20))}).text, "unknown - import-one-look");
  EXPECT_EQ(judge({file_of(seconds(20)), file_of(seconds(11))}).text, "unknown - import-one-look");
  EXPECT_EQ(judge({file_of(seconds(20)), file_of(seconds(20))}).text, "unknown - import-one-look");
  EXPECT_EQ(judge({file_of(seconds(20))}, facts_of(), Purpose::diagnose).text,
            "closed inside inside-clean");
}

std::string with(const std::function<void(HostListeners&)>& change) {
  auto later = file_of(seconds(20));
  change(later.host);
  return judge({file_of(seconds(40)), later}).text;
}

TEST(Import, WhatItShowsCountsAgainstClosed) {
  const auto add = [](HostSocket socket) {
    return with([&](HostListeners& host) { host.sockets.push_back(socket); });
  };
  EXPECT_EQ(add(socket_of(9091, "calico-node", true)), "unknown - felix-listens");
  EXPECT_EQ(add(socket_of(9999, "calico-node", true)), "unknown - felix-listens")
      << "another port of Felix's that nothing explains";
  EXPECT_EQ(add(socket_of(9091, "")), "unknown - unidentified-listener");
  EXPECT_EQ(add(socket_of(9091, "pushgateway")), "not-felix inside inside-clean foreign-listener");
  // A middle one is looked at, too.
  auto middle = file_of(seconds(30));
  middle.host.sockets.push_back(socket_of(9091, "calico-node", true));
  EXPECT_EQ(judge({file_of(seconds(40)), middle, file_of(seconds(20))}).text,
            "unknown - felix-listens");
}

TEST(Import, WhatItDoesNotShowProvesNothing) {
  const std::string incomplete = "unknown - import-incomplete";
  EXPECT_EQ(with([](HostListeners& host) { host.complete = false; }), incomplete);
  EXPECT_EQ(with([](HostListeners& host) { host.ports = {9091}; }), incomplete);
  EXPECT_EQ(with([](HostListeners& host) { host.sockets.clear(); }), incomplete);
  EXPECT_EQ(with([](HostListeners& host) { host.network = HostListeners::Network::other; }),
            incomplete);
  EXPECT_EQ(with([](HostListeners& host) { host.network = HostListeners::Network::not_known; }),
            incomplete);
  for (const auto state : {OwnerState::not_permitted, OwnerState::not_looked}) {
    EXPECT_EQ(with([&](HostListeners& host) {
                host.sockets[0].owners.clear();
                host.sockets[0].owner_state = state;
              }),
              incomplete);
  }
}

TEST(Import, AFileIsOfOneNodeAndOneBootOrOfNone) {
  const auto both = [](const std::function<void(HostListeners&)>& change) {
    auto one = file_of(seconds(40));
    auto two = file_of(seconds(20));
    change(one.host), change(two.host);
    return judge({one, two});
  };
  auto judged = both([](HostListeners& host) { host.machine_id = "machine-n9"; });
  EXPECT_EQ(judged.text, "unknown - no-vantage");
  EXPECT_EQ(judged.findings, "CF0090 CF0090");
  judged = both([](HostListeners& host) { host.machine_id = ""; });
  EXPECT_EQ(judged.findings, "CF0090 CF0090");
  judged = both([](HostListeners& host) { host.boot_id = "boot-n2"; });
  EXPECT_EQ(judged.text, "unknown - no-vantage");
  EXPECT_EQ(judged.findings, "CF0091 CF0091");
  // A node without ids must not fit a file without ids.
  auto facts = facts_of();
  facts.nodes[0].machine_id = facts.nodes[0].boot_id = "";
  auto nameless = file_of(seconds(20));
  nameless.host.machine_id = nameless.host.boot_id = "";
  EXPECT_EQ(judge({nameless, nameless}, facts).findings, "CF0090 CF0090");
  // Nodes that are containers of one machine.
  facts = facts_of();
  facts.nodes[1].machine_id = "machine-n1";
  facts.nodes[1].boot_id = "boot-n1";
  judged = judge({file_of(seconds(40)), file_of(seconds(20))}, facts);
  EXPECT_EQ(judged.text, "unknown - no-vantage");
  EXPECT_EQ(judged.findings, "CF0092 CF0092");
  // The same machine-id, as of machines made from one image, in another boot.
  facts.nodes[1].boot_id = "boot-n2";
  EXPECT_EQ(judge({file_of(seconds(40)), file_of(seconds(20))}, facts).text,
            "closed inside inside-clean");
}

TEST(Import, AFileIsOfNow) {
  EXPECT_EQ(judge({file_of(seconds(-70)), file_of(seconds(-90))}).findings, "CF0093 CF0093");
  auto facts = facts_of();
  facts.pods[0].felix_started = kNow - minutes(100);
  EXPECT_EQ(judge({file_of(minutes(15)), file_of(minutes(14))}, facts).text,
            "closed inside inside-clean");
  auto judged = judge({file_of(minutes(17)), file_of(minutes(16))}, facts);
  EXPECT_EQ(judged.text, "unknown - no-vantage");
  EXPECT_EQ(judged.findings, "CF0094 CF0094");
  EXPECT_EQ(judge({file_of(minutes(17)), file_of(minutes(16))}, facts, Purpose::verify,
                  {.max_age = minutes(20)})
                .text,
            "closed inside inside-clean");
  EXPECT_EQ(judge({file_of(seconds(40)), file_of(seconds(20))}, facts, Purpose::verify,
                  {.max_age = seconds(30)})
                .findings,
            "CF0094");
}

TEST(Import, AFileIsOfTheFelixThatRunsNow) {
  auto facts = facts_of();
  facts.pods[0].felix_started = kNow - seconds(30);
  auto judged = judge({file_of(seconds(40)), file_of(seconds(20))}, facts);
  EXPECT_EQ(judged.findings, "CF0095");
  EXPECT_EQ(judged.text, "unknown - import-one-look");
  facts = facts_of();
  facts.felix_configurations_changed = kNow - seconds(90);
  EXPECT_EQ(judge({file_of(seconds(40)), file_of(seconds(20))}, facts).findings, "CF0095");
  facts.felix_configurations_changed = kNow - seconds(110);
  EXPECT_EQ(judge({file_of(seconds(40)), file_of(seconds(20))}, facts).text,
            "closed inside inside-clean");
  facts = facts_of();
  facts.pods[0].ready = false;
  EXPECT_EQ(judge({file_of(seconds(40)), file_of(seconds(20))}, facts).text,
            "unknown - pod-not-ready")
      << "the file does not show that Felix runs";
}

TEST(Import, TimesOfTheNodeAndOfUsAreOfOneFrame) {
  auto facts = facts_of();
  facts.clock_skew = minutes(5);  // the cluster's clocks are ahead of ours
  facts.pods[0].felix_started = kNow + minutes(4);
  EXPECT_EQ(
      judge({file_of(-minutes(5) + seconds(40)), file_of(-minutes(5) + seconds(20))}, facts).text,
      "closed inside inside-clean");
}

TEST(Import, TwiceIsOnce) {
  std::vector<Look> looks(1);
  const std::vector<ImportedFile> files{file_of(seconds(20))};
  const auto facts = facts_of();
  for (int i = 0; i < 2; ++i)
    import_into(looks, {.files = files, .facts = facts, .now = kNow}).clear();
  EXPECT_EQ(looks[0].inside.size(), 1u);
}

TEST(Import, AFolderOfWhichAPartIsUnusableIsNotUsed) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::path(testing::TempDir()) / fmt::format("import-{}", ::getpid());
  fs::create_directories(folder);
  const auto problem = [&] {
    const auto files = read_observations(folder);
    return files ? fmt::format("{} files", files->size())
                 : std::string(to_string(files.error().kind)) + " " +
                       fs::path(files.error().subject).filename().string();
  };
  EXPECT_EQ(problem(), "usage " + folder.filename().string()) << "empty";
  const std::string good =
      "3d1219c7c4c5404aaa1f6d2a48adfda4\n400cf104-537c-4537-8762-36f1bbcae267\n2026-11-21T19:00:"
      "00Z\ncomplete\n";
  std::ofstream(folder / "b.ss") << good;
  std::ofstream(folder / ".hidden") << "not one of them";
  EXPECT_EQ(problem(), "1 files");
  std::ofstream(folder / "a.ss") << good.substr(0, 40);
  EXPECT_EQ(problem(), "usage a.ss");
  std::ofstream(folder / "a.ss") << std::string((8u << 20) + 1, '\n');
  EXPECT_EQ(problem(), "usage a.ss");
  fs::remove(folder / "a.ss");
  fs::create_directory(folder / "c");
  EXPECT_EQ(problem(), "usage c");
  fs::remove_all(folder);
  EXPECT_EQ(problem(), "usage " + folder.filename().string()) << "not there";
}

}  // namespace
}  // namespace catflap::look
