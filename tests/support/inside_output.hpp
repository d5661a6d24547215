// What inside_script prints in a healthy calico-node, for tests to damage.
#pragma once

#include <fmt/core.h>

#include <string>
#include <utility>
#include <vector>

namespace catflap::look {

inline constexpr std::string_view kHeader4 =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode\n";
inline constexpr std::string_view kHeader6 =
    "  sl  local_address                         remote_address                        st tx_queue "
    "rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

inline std::string row4(std::string_view address, int port, int inode) {
  return fmt::format(
      "   0: {}:{:04X} 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 {} 1 "
      "0000000000000000 100 0 0 10 0\n",
      address, port, inode);
}

inline std::string row6(std::string_view address, int port, int inode) {
  return fmt::format(
      "   0: {}:{:04X} 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 "
      "00000000     0        0 {} 1 0000000000000000 100 0 0 10 0\n",
      address, port, inode);
}

inline constexpr std::string_view kAny6 = "00000000000000000000000000000000";

/// Felix is pid 40, up for 500 s; it holds inode 111 (health on 127.0.0.1:9099). bird, pid 50,
/// holds 179.
struct InsideOutput {
  struct Section {
    std::string name;
    std::string text;
    int exit_code = 0;
  };
  std::vector<Section> sections;

  InsideOutput() {
    using namespace std::string_literals;
    const auto stat = [](int pid, const char* name, int ticks) {
      return fmt::format("{} ({}) S 1 1 1 0 -1 4194560 1 0 0 0 5 5 0 0 20 0 9 0 {} 1 1 1\n", pid,
                         name, ticks);
    };
    const auto scan = [&](char which) {
      add(fmt::format("scan{}", which), "", 2);
      add(fmt::format("cmdline{} 30", which), "runsv\0felix\0"s);
      add(fmt::format("stat{} 30", which), stat(30, "runsv", 49000));
      add(fmt::format("cmdline{} 40", which), "calico-node\0-felix\0"s);
      add(fmt::format("stat{} 40", which), stat(40, "calico-node", 50000));
    };
    add("order", "little\n");
    scan('1');
    add("uptime", "1000.00 3999.12\n");
    add("tcp", std::string(kHeader4) + row4("0100007F", 9099, 111) + row4("00000000", 179, 222));
    add("tcp6", std::string(kHeader6) + row6(kAny6, 10250, 333));
    add("fd 40",
        "total 0\nlrwx------ 1 0 0 64 Jan  1 00:00 3 -> anon_inode:[eventpoll]\n"
        "lrwx------ 1 0 0 64 Jan  1 00:00 7 -> socket:[111]\n",
        1);
    add("environ 40",
        "FELIX_PROMETHEUSMETRICSENABLED=false\0FELIX_HEALTHPORT=9099\0NODENAME=n1\0"s);
    add("fds",
        "/proc/1/fd:\n/proc/40/fd:\nlrwx------ 1 0 0 64 Jan  1 00:00 7 -> socket:[111]\n"
        "/proc/50/fd:\nlrwx------ 1 0 0 64 Jan  1 00:00 8 -> socket:[222]\n");
    add("comms",
        "/proc/1/comm:runsvdir\n/proc/30/comm:runsv\n/proc/40/comm:calico-node\n/proc/50/"
        "comm:bird\n");
    add("cfg", "[global]\nMetadataAddr = None\n");
    scan('2');
    add("done", "");
  }

  void add(std::string name, std::string text, int exit_code = 0) {
    sections.push_back({std::move(name), std::move(text), exit_code});
  }
  Section& at(std::string_view name) {
    for (auto& section : sections) {
      if (section.name == name) return section;
    }
    std::abort();
  }
  void drop(std::string_view name) {
    std::erase_if(sections, [&](const Section& section) { return section.name == name; });
  }
  [[nodiscard]] std::string text(std::string_view nonce) const {
    std::string out;
    for (const auto& section : sections) {
      out += fmt::format("\n#{0} begin {1}\n{2}\n#{0} end {3}\n", nonce, section.name, section.text,
                         section.exit_code);
    }
    return out;
  }
};

}  // namespace catflap::look
