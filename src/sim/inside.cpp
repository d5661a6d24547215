#include "sim/inside.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "look/inside_script.hpp"

namespace catflap::sim {
namespace {

// Sources of the layouts: Linux net/ipv4/tcp_ipv4.c get_openreq4 and tcp6_ipv6.c (the rows),
// proc(5).
constexpr std::string_view kHeader4 =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode\n";
constexpr std::string_view kHeader6 =
    "  sl  local_address                         remote_address                        st tx_queue "
    "rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
constexpr const char* kImageFile = "[global]\nMetadataAddr = None\nLogFilePath = None\n";

/// 32-bit words, each printed as a little-endian machine sees it.
std::string hex_address(const IpAddress& address) {
  const std::size_t size = address.is_v6() ? 16 : 4;
  std::string text;
  for (std::size_t word = 0; word < size; word += 4)
    for (std::size_t i = 4; i-- > 0;) text += fmt::format("{:02X}", address.bytes()[word + i]);
  return text;
}

std::string row(const IpAddress& address, Port port, std::uint64_t inode) {
  const std::string zeros(address.is_v6() ? 32 : 8, '0');
  return fmt::format(
      "   0: {}:{:04X} {}:0000 0A 00000000:00000000 00:00000000 00000000     0        0 {} 1 "
      "0000000000000000 100 0 0 10 0\n",
      hex_address(address), port, zeros, inode);
}

bool is_felix(const Socket& socket) {
  return socket.owner == SocketOwner::felix || socket.owner == SocketOwner::felix_health;
}

/// The script's sections, one after another.
class Output {
 public:
  Output(std::string nonce, const InsideState& state)
      : nonce_(std::move(nonce)),
        state_(state),
        runs_(state.felix != nullptr && state.felix->runs()) {}

  std::string text() &&;

 private:
  void add(const std::string& name, const std::string& text, int exit_code = 0) {
    text_ += fmt::format("\n#{0} begin {1}\n{2}\n#{0} end {3}\n", nonce_, name, text, exit_code);
  }
  void add_processes(char scan);
  void add_tables();
  void add_felix();
  [[nodiscard]] std::string descriptors() const;
  /// A new process has a new number.
  [[nodiscard]] int pid() const { return state_.felix->pid(); }

  std::string nonce_;
  const InsideState& state_;
  bool runs_;
  std::string text_;
};

void Output::add_processes(char scan) {
  using namespace std::string_literals;
  add(fmt::format("scan{}", scan), "", runs_ ? 0 : 1);
  if (!runs_) return;
  const auto ticks = (state_.felix->started() - state_.booted).count() / 10;
  add(fmt::format("cmdline{} {}", scan, pid()), "calico-node\0-felix\0"s);
  add(fmt::format("stat{} {}", scan, pid()),
      fmt::format("{} (calico-node) S 1 1 1 0 -1 4194560 1 0 0 0 5 5 0 0 20 0 9 0 {} 1 1 1\n",
                  pid(), ticks));
}

void Output::add_tables() {
  std::string tcp{kHeader4};
  std::string tcp6{kHeader6};
  for (const auto& socket : state_.sockets) {
    // Go listens on every address with one IPv6 socket.
    const auto address = socket.address.value_or(IpAddress::v6({}));
    (address.is_v6() ? tcp6 : tcp) += row(address, socket.port, socket.id);
  }
  add("tcp", tcp);
  add("tcp6", tcp6);
}

std::string Output::descriptors() const {
  std::string text = "lrwx------ 1 0 0 64 Jan  1 00:00 3 -> anon_inode:[eventpoll]\n";
  int number = 6;
  for (const auto& socket : state_.sockets)
    if (is_felix(socket))
      text +=
          fmt::format("lrwx------ 1 0 0 64 Jan  1 00:00 {} -> socket:[{}]\n", ++number, socket.id);
  return text;
}

void Output::add_felix() {
  std::string environment;
  for (const auto& [name, value] : environment_of(state_.felix->container())) {
    const bool wanted = equal_ignoring_case(name.substr(0, 6), "felix_") ||
                        name == "CALICO_DISABLE_FELIX" || name == "NODENAME";
    if (wanted) environment += name + "=" + value + '\0';
  }
  add(fmt::format("fd {}", pid()), "total 0\n" + descriptors());
  add(fmt::format("environ {}", pid()), environment, environment.empty() ? 1 : 0);
}

std::string Output::text() && {
  add("order", "little\n");
  add_processes('1');
  const auto hundredths = state_.uptime.count() / 10;
  add("uptime", fmt::format("{}.{:02} 1.00\n", hundredths / 100, hundredths % 100));
  add_tables();
  if (runs_) add_felix();
  add("fds", "/proc/1/fd:\n" + (runs_ ? fmt::format("/proc/{}/fd:\n", pid()) + descriptors() : ""));
  add("comms",
      "/proc/1/comm:runsvdir\n" + (runs_ ? fmt::format("/proc/{}/comm:calico-node\n", pid()) : ""));
  add("cfg", state_.felix_cfg.value_or(kImageFile));
  add_processes('2');
  add("done", "");
  return std::move(text_);
}

}  // namespace

std::optional<std::string> inside_nonce(const std::vector<std::string>& command) {
  if (command.size() != 3 || command[0] != "sh" || command[1] != "-c") return std::nullopt;
  const auto& script = command[2];
  if (!script.starts_with("n=")) return std::nullopt;
  auto nonce = script.substr(2, script.find('\n') - 2);
  return script == look::inside_script(nonce) ? std::optional{nonce} : std::nullopt;
}

std::string inside_output(const std::string& nonce, const InsideState& state) {
  return Output(nonce, state).text();
}

}  // namespace catflap::sim
