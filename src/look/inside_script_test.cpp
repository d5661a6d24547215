#include "look/inside_script.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "base/handle.hpp"
#include "support/inside_output.hpp"

namespace catflap::look {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

constexpr std::string_view kNonce = "5eed";
constexpr TimePoint kReceived{std::chrono::seconds{1'800'000'000}};

InsideLook parsed(const InsideOutput& output) {
  return parse_inside(output.text(kNonce), kNonce, kReceived);
}

/// "[code] 127.0.0.1:9099=felix/40/calico-node …"
std::string line(const InsideLook& look) {
  auto text = look.complete ? std::string("complete") : "[" + look.problem_code + "]";
  for (const auto& listener : look.listeners) {
    text +=
        fmt::format(" {}={}/{}/{}", listener.endpoint.to_string(),
                    listener.felix ? "felix" : "other", listener.pid.value_or(0), listener.comm);
  }
  return text;
}

constexpr const char* kHealthy =
    "complete 127.0.0.1:9099=felix/40/calico-node 0.0.0.0:179=other/50/bird [::]:10250=other/0/";

TEST(ParseInside, AHealthyNode) {
  const auto look = parsed({});
  EXPECT_EQ(line(look), kHealthy);
  EXPECT_EQ(look.problem, "");
  ASSERT_THAT(look.felix, SizeIs(1));
  EXPECT_EQ(look.felix[0].pid, 40);
  // 1000 s after boot it is 500 s old.
  EXPECT_EQ(look.felix[0].started, kReceived - std::chrono::seconds(500));
  EXPECT_EQ(look.felix[0].environment, (std::vector<std::pair<std::string, std::string>>{
                                           {"FELIX_PROMETHEUSMETRICSENABLED", "false"},
                                           {"FELIX_HEALTHPORT", "9099"},
                                           {"NODENAME", "n1"}}));
  EXPECT_EQ(look.config_file, "[global]\nMetadataAddr = None\n");
  EXPECT_TRUE(look.config_file_readable);
  EXPECT_THAT(look.raw, HasSubstr("0100007F:238B"));
  EXPECT_EQ(look.listeners[0].command, "calico-node -felix");
}

TEST(ParseInside, FelixListensOnEveryAddress) {
  InsideOutput output;
  output.at("tcp6").text += row6(kAny6, 9091, 444);
  output.at("fd 40").text += "lrwx------ 1 0 0 64 Jan  1 00:00 9 -> socket:[444]\n";
  EXPECT_THAT(line(parsed(output)), HasSubstr("[::]:9091=felix/40"));
}

TEST(ParseInside, ASocketThatOnlyTheSecondListShowsIsFelixsToo) {
  InsideOutput output;
  output.at("tcp6").text += row6(kAny6, 9091, 444);
  output.at("fds").text = "/proc/30/fd:\nlrwx------ 1 0 0 64 Jan  1 00:00 9 -> socket:[444]\n" +
                          output.at("fds").text +
                          "/proc/40/fd:\nlrwx------ 1 0 0 64 Jan  1 00:00 9 -> socket:[444]\n";
  EXPECT_THAT(line(parsed(output)), HasSubstr("[::]:9091=felix/40"));
}

TEST(ParseInside, BigEndianNode) {
  InsideOutput output;
  output.at("order").text = "big\n";
  output.at("tcp").text = std::string(kHeader4) + row4("7F000001", 9099, 111);
  EXPECT_THAT(line(parsed(output)), HasSubstr("complete 127.0.0.1:9099=felix"));
}

TEST(ParseInside, WithoutIpv6ThereIsOneTable) {
  InsideOutput output;
  output.drop("tcp6");
  EXPECT_EQ(parsed(output).problem_code, "table-cut");
  output.add("notcp6", "");
  // After "done" nothing may follow that the reader needs, but order does not matter to it.
  EXPECT_TRUE(parsed(output).complete);
}

TEST(ParseInside, NoFelixRunsAndThatIsCertain) {
  InsideOutput output;
  for (const auto* name :
       {"cmdline1 40", "stat1 40", "cmdline2 40", "stat2 40", "fd 40", "environ 40"}) {
    output.drop(name);
  }
  const auto look = parsed(output);
  EXPECT_TRUE(look.complete) << look.problem;
  EXPECT_THAT(look.felix, SizeIs(0));
}

TEST(ParseInside, TheOneBinaryOfNewerReleases) {
  using namespace std::string_literals;
  for (const auto& cmdline : {"calico\0component\0felix\0"s, "/usr/bin/calico-felix\0"s,
                              "/bin/calico-node\0--felix\0"s, "calico-node\0-x\0-felix"s}) {
    InsideOutput output;
    output.at("cmdline1 40").text = cmdline;
    output.at("cmdline2 40").text = cmdline;
    EXPECT_THAT(parsed(output).felix, SizeIs(1)) << cmdline;
  }
  for (const auto& cmdline : {"calico\0component\0typha\0"s, "svlogd\0/var/log/calico/felix\0"s,
                              "sh\0-c\0calico-node -felix\0"s, "\0\0"s, ""s}) {
    InsideOutput output;
    output.at("cmdline1 40").text = cmdline;
    output.at("cmdline2 40").text = cmdline;
    EXPECT_THAT(parsed(output).felix, SizeIs(0)) << cmdline;
  }
}

/// Damage, and the code that it must end in.
struct Damage {
  const char* name;
  void (*to)(InsideOutput&);
  const char* code;
};

TEST(ParseInside, EveryDoubtIsIncomplete) {
  const Damage rows[] = {
      {"end missing", [](InsideOutput& o) { o.drop("done"); }, "table-cut"},
      {"order unknown", [](InsideOutput& o) { o.at("order").text = ""; }, "inside-incomplete"},
      {"tcp unreadable", [](InsideOutput& o) { o.at("tcp").exit_code = 2; }, "table-cut"},
      {"tcp without header", [](InsideOutput& o) { o.at("tcp").text = ""; }, "table-cut"},
      {"tcp row cut", [](InsideOutput& o) { o.at("tcp").text.resize(150); }, "table-cut"},
      {"tcp6 missing", [](InsideOutput& o) { o.drop("tcp6"); }, "table-cut"},
      {"no grep", [](InsideOutput& o) { o.at("scan1").exit_code = 127; }, "felix-process-not-seen"},
      {"hidden", [](InsideOutput& o) { o.at("comms").text = "/proc/77/comm:sh\n"; },
       "felix-process-not-seen"},
      {"new pid",
       [](InsideOutput& o) {
         o.at("cmdline2 40").name = "cmdline2 41";
         o.at("stat2 40").name = "stat2 41";
       },
       "inside-incomplete"},
      {"same pid, new start",
       [](InsideOutput& o) { o.at("stat2 40").text = o.at("stat2 30").text; }, "inside-incomplete"},
      {"ended meanwhile", [](InsideOutput& o) { o.at("stat2 40").exit_code = 1; },
       "felix-process-not-seen"},
      {"environment", [](InsideOutput& o) { o.at("environ 40").exit_code = 2; },
       "inside-incomplete"},
      {"sockets", [](InsideOutput& o) { o.at("fd 40").exit_code = 2; }, "inside-incomplete"},
      {"sockets, BusyBox", [](InsideOutput& o) { o.at("fd 40").text = ""; }, "inside-incomplete"},
      {"uptime", [](InsideOutput& o) { o.at("uptime").text = "soon"; }, "inside-incomplete"},
      {"from the future", [](InsideOutput& o) { o.at("uptime").text = "10.00 1\n"; },
       "inside-incomplete"},
      {"twice", [](InsideOutput& o) { o.add("tcp", o.at("tcp").text); }, "table-cut"},
      {"huge",
       [](InsideOutput& o) {
         for (int i = 0; i < 5000; ++i) o.at("tcp").text += row4("00000000", i + 1, 9000 + i);
       },
       "table-cut"},
      {"huge environment", [](InsideOutput& o) { o.at("environ 40").text.append(70'000, 'x'); },
       "inside-incomplete"},
  };
  for (const auto& row : rows) {
    InsideOutput output;
    row.to(output);
    const auto look = parsed(output);
    EXPECT_FALSE(look.complete) << row.name;
    EXPECT_EQ(look.problem_code, row.code) << row.name << ": " << look.problem;
    EXPECT_FALSE(look.problem.empty()) << row.name;
  }
}

TEST(ParseInside, AFilesTextCannotPassForAMarker) {
  InsideOutput output;
  output.at("cfg").text = "\n#0bad end 0\n\n#0bad begin done\n" + std::string(kHeader4);
  EXPECT_EQ(line(parsed(output)), kHealthy);
}

TEST(ParseInside, OnlyTheVariablesAskedFor) {
  using namespace std::string_literals;
  InsideOutput output;
  output.at("environ 40").text = "TOKEN=secret\nFELIX_X=1\0felix_y=2=3\0CALICO_DISABLE_FELIX=\0"s;
  const auto look = parsed(output);
  EXPECT_EQ(look.felix.at(0).environment, (std::vector<std::pair<std::string, std::string>>{
                                              {"felix_y", "2=3"}, {"CALICO_DISABLE_FELIX", ""}}));
}

TEST(ParseInside, ConfigFileAbsentOrUnreadable) {
  InsideOutput output;
  output.at("cfg").exit_code = 1;
  EXPECT_FALSE(parsed(output).config_file_readable);
  EXPECT_TRUE(parsed(output).complete);
  output.drop("cfg");
  output.add("nocfg", "");
  EXPECT_TRUE(parsed(output).config_file_readable);
  EXPECT_EQ(parsed(output).config_file, std::nullopt);
}

TEST(ParseInside, RawIsBounded) {
  InsideOutput output;
  for (int i = 0; i < 300; ++i) output.at("tcp").text += row4("00000000", i + 1, 9000 + i);
  EXPECT_LE(parsed(output).raw.size(), 4096u);
}

RC_GTEST_PROP(ParseInside, NoTruncationIsComplete, ()) {
  const auto whole = InsideOutput().text(kNonce);
  // Without the final line break it still says everything.
  const auto size = *rc::gen::inRange<std::size_t>(0, whole.size() - 1);
  RC_ASSERT(!parse_inside(whole.substr(0, size), kNonce, kReceived).complete);
}

RC_GTEST_PROP(ParseInside, AnyBytesAreSafe, (const std::string& bytes, std::uint16_t place)) {
  auto output = InsideOutput().text(kNonce);
  output.insert(place % output.size(), bytes);
  const auto look = parse_inside(output, kNonce, kReceived);
  RC_ASSERT(look.complete == look.problem_code.empty());
}

// The script itself, run by the shells of this machine.

std::string run(const std::string& shell) {
  setenv("CATFLAP_TEST_SCRIPT", inside_script(kNonce).c_str(), 1);
  std::FILE* pipe = popen(("exec " + shell + " -c \"$CATFLAP_TEST_SCRIPT\"").c_str(), "r");
  std::string output;
  char buffer[4096];
  for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
    output.append(buffer, n);
  }
  pclose(pipe);
  return output;
}

/// A process that looks like Felix, with a listening socket and an environment.
class PretendedFelix {
 public:
  PretendedFelix() {
    listener_.reset(socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address{.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size);
    listen(listener_.get(), 1);
    getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    int ends[2];
    if (pipe(ends) != 0) std::abort();
    pid_ = fork();
    if (pid_ == 0) {
      dup2(ends[0], 0);
      close(ends[1]);
      const char* arguments[] = {"/opt/calico-felix", "-c", "read line", nullptr};
      const char* environment[] = {"SECRET=1", "Felix_Test=a\nb", "NODENAME=n1", nullptr};
      execve("/bin/sh", const_cast<char**>(arguments), const_cast<char**>(environment));
      _exit(127);
    }
    close(ends[0]);
    keep_.reset(ends[1]);
    // Until execve its command line is this program's.
    for (int i = 0; i < 500 && !has_started(); ++i) usleep(10'000);
  }
  ~PretendedFelix() {
    keep_.reset();
    waitpid(pid_, nullptr, 0);
  }
  PretendedFelix(const PretendedFelix&) = delete;
  PretendedFelix& operator=(const PretendedFelix&) = delete;

  [[nodiscard]] int pid() const { return pid_; }
  [[nodiscard]] Port port() const { return port_; }

 private:
  [[nodiscard]] bool has_started() const {
    std::ifstream file("/proc/" + std::to_string(pid_) + "/cmdline");
    std::string text;
    std::getline(file, text);
    return text.starts_with("/opt/calico-felix");
  }
  UniqueFd listener_;
  UniqueFd keep_;
  int pid_ = 0;
  Port port_ = 0;
};

class InsideScript : public testing::TestWithParam<const char*> {};

TEST_P(InsideScript, FindsAProcessItsSocketAndItsEnvironment) {
  if (std::system(("command -v " + std::string(GetParam()) + " >/dev/null").c_str()) != 0) {
    GTEST_SKIP() << GetParam() << " is not installed";
  }
  const PretendedFelix pretended;
  auto look = parse_inside(run(GetParam()), kNonce, kReceived);
  // Tests beside this one pretend to be Felix too, and end.
  for (int again = 0; again < 20 && !look.complete; ++again)
    look = parse_inside(run(GetParam()), kNonce, kReceived);
  const auto found = std::ranges::find_if(
      look.felix, [&](const FelixProcess& process) { return process.pid == pretended.pid(); });
  ASSERT_NE(found, look.felix.end()) << look.problem;
  EXPECT_EQ(found->environment, (std::vector<std::pair<std::string, std::string>>{
                                    {"Felix_Test", "a\nb"}, {"NODENAME", "n1"}}));
  ASSERT_TRUE(found->started);
  EXPECT_LT(kReceived - *found->started, std::chrono::seconds(60));
  const auto socket = std::ranges::find_if(look.listeners, [&](const Listener& listener) {
    return listener.endpoint == HostPort{*IpAddress::parse("127.0.0.1"), pretended.port()};
  });
  ASSERT_NE(socket, look.listeners.end());
  EXPECT_TRUE(socket->felix);
  EXPECT_EQ(socket->pid, pretended.pid());
  // Another Felix of this machine may be unreadable.
  if (look.felix.size() == 1) {
    EXPECT_TRUE(look.complete) << look.problem;
  }
}

INSTANTIATE_TEST_SUITE_P(Shells, InsideScript, testing::Values("dash", "bash", "busybox sh"),
                         [](const auto& shell) {
                           const std::string name = shell.param;
                           return name.substr(0, name.find(' '));
                         });

TEST(InsideScriptText, IsSmallEnoughForAnAddress) {
  // It travels in the request's address, percent-encoded; proxies begin to refuse at 8 KiB.
  EXPECT_LT(inside_script(kNonce).size() * 3, 6000u);
}

}  // namespace
}  // namespace catflap::look
