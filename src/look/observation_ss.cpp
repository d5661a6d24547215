// `ss -lntpH` (iproute2) below the header of docs/listeners.md. Lines of the header are told apart
// by their form; each is there once, the network namespace twice: its own, then that of process 1,
// which only root may read. A last line "complete" says that ss ended well.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.hpp"
#include "look/observation_file.hpp"
#include "sockets/felix_process.hpp"

namespace catflap::look {
namespace {

constexpr std::size_t kMaxSockets = 65'536;
constexpr std::string_view kInitialPidNamespace = "pid:[4026531836]";  // PROC_PID_INIT_INO
constexpr std::string_view kEnd = "complete";

std::string_view cut(std::string_view& rest, char separator) {
  const auto at = rest.find(separator);
  const auto head = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view() : rest.substr(at + 1);
  return head;
}

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// 8-4-4-4-12 hexadecimal digits.
bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  std::string digits;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash != (text[i] == '-')) return false;
    if (!dash) digits += text[i];
  }
  return is_hex(digits);
}

/// "0.0.0.0:22", "*:9091", "[::1]:80", "127.0.0.53%lo:53", "[fe80::1]%eth0:80".
bool read_local(std::string_view text, HostSocket& into) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  const auto port = number_of<Port>(text.substr(colon + 1));
  auto address = text.substr(0, colon);
  const auto percent = address.find('%');
  if (percent != std::string_view::npos) {
    into.interface = printable(address.substr(percent + 1), 64);
    address = address.substr(0, percent);
  }
  const bool any = address == "*";
  const bool brackets = address.starts_with('[') && address.ends_with(']');
  if (brackets) address = address.substr(1, address.size() - 2);
  const auto parsed = IpAddress::parse(any ? "::" : address);
  if (!port || !parsed) return false;
  into.endpoint = {*parsed, *port};
  into.v6_socket = any || brackets;
  if (into.v6_socket && parsed->is_unspecified()) into.v6only = !any;
  return true;
}

/// `users:(("sshd",pid=12,fd=3),("sshd",pid=13,fd=3))`
bool read_users(std::string_view text, HostSocket& into) {
  constexpr std::string_view kStart = "users:(";
  if (!text.starts_with(kStart) || !text.ends_with("))")) return false;
  text.remove_prefix(kStart.size());
  text.remove_suffix(1);
  while (!text.empty()) {
    constexpr std::string_view kPid = "\",pid=";
    const auto name_end = text.find(kPid);
    const auto end = text.find(')', name_end == std::string_view::npos ? 0 : name_end);
    if (!text.starts_with("(\"") || name_end == std::string_view::npos || name_end < 2 ||
        end == std::string_view::npos)
      return false;
    auto numbers = text.substr(name_end + kPid.size(), end - name_end - kPid.size());
    const auto pid = number_of<int>(cut(numbers, ','));
    if (!pid || !numbers.starts_with("fd=")) return false;
    const auto fd = number_of<int>(numbers.substr(3));
    if (!fd) return false;
    const auto comm = printable(text.substr(2, name_end - 2), 64);
    into.owners.push_back(
        {.pid = *pid, .fd = *fd, .comm = comm, .felix = sockets::may_be_felix(comm)});
    text.remove_prefix(end + 1);
    if (!text.empty() && cut(text, ',') != "") return false;
  }
  into.owner_state = OwnerState::named;
  return true;
}

class Reader {
 public:
  Result<HostListeners> read(std::string_view text) &&;

 private:
  bool read_header(std::string_view line);
  bool read_row(std::string_view line);
  [[nodiscard]] Error wrong(std::string_view what, std::string_view line) const;
  void finish();

  HostListeners host_{.method = HostListeners::Method::ss};
  std::size_t line_number_ = 0;
  std::string pid_namespace_;
  std::vector<std::string> networks_;
  bool has_time_ = false;
  bool ended_ = false;
};

/// False if the line is none of the header, or one that was there already.
bool Reader::read_header(std::string_view line) {
  const auto set = [](std::string& into, std::string_view value) {
    if (!into.empty()) return false;
    into = value;
    return true;
  };
  if (line.size() == 32 && is_hex(line)) return set(host_.machine_id, line);
  if (is_uuid(line)) return set(host_.boot_id, line);
  if (line.starts_with("pid:[") && line.ends_with(']')) return set(pid_namespace_, line);
  if (line.starts_with("net:[") && line.ends_with(']')) {
    networks_.emplace_back(line);
    return networks_.size() <= 2;
  }
  const auto time = parse_rfc3339(line);
  if (!time || has_time_) return false;
  host_.at = *time;
  has_time_ = true;
  return true;
}

bool Reader::read_row(std::string_view line) {
  std::vector<std::string_view> cells;
  while (cells.size() < 5) {
    const auto start = line.find_first_not_of(' ');
    if (start == std::string_view::npos) break;
    line.remove_prefix(start);
    cells.push_back(cut(line, ' '));
  }
  if (cells.size() < 5 || cells[0] != "LISTEN") return false;
  const auto queued = number_of<std::uint32_t>(cells[1]);
  const auto backlog = number_of<std::uint32_t>(cells[2]);
  HostSocket socket;
  if (!queued || !backlog || !read_local(cells[3], socket)) return false;
  socket.queued = *queued;
  socket.backlog = *backlog;
  const auto start = line.find_first_not_of(' ');
  if (start != std::string_view::npos) {
    line = line.substr(start, line.find_last_not_of(' ') - start + 1);
    if (!read_users(line, socket)) return false;
  }
  host_.sockets.push_back(std::move(socket));
  return true;
}

Error Reader::wrong(std::string_view what, std::string_view line) const {
  return {.kind = ErrorKind::usage,
          .what = fmt::format("line {}: {}: {}", line_number_, what, printable(line, 80)),
          .hint = "docs/listeners.md has the command that makes such a file"};
}

void Reader::finish() {
  // Two networks were told, so it was root who looked, and saw all processes there are.
  const bool all_seen = pid_namespace_ == kInitialPidNamespace && networks_.size() == 2;
  if (all_seen) {
    host_.network =
        networks_[0] == networks_[1] ? HostListeners::Network::node : HostListeners::Network::other;
  }
  for (auto& socket : host_.sockets) {
    if (socket.owners.empty())
      socket.owner_state = all_seen ? OwnerState::not_found : OwnerState::not_permitted;
  }
  if (ended_) return;
  host_.complete = false;
  host_.problem = "the last line does not say that ss ended well";
}

Result<HostListeners> Reader::read(std::string_view text) && {
  while (!text.empty()) {
    ++line_number_;
    const bool whole = text.find('\n') != std::string_view::npos;
    auto line = cut(text, '\n');
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!whole) return wrong("the file is cut here", line);
    if (ended_) return wrong("something stands after the end", line);
    if (line.empty()) continue;
    if (line == kEnd) {
      ended_ = true;
    } else if (line.starts_with("State ") && host_.sockets.empty()) {
      continue;  // ss without -H
    } else if (line.starts_with("LISTEN")) {
      if (!read_row(line)) return wrong("not a row of ss -lntp", line);
      if (host_.sockets.size() > kMaxSockets) return wrong("too many sockets", line);
    } else if (!host_.sockets.empty() || !read_header(line)) {
      return wrong("neither of the header nor a row of ss -lntp", line);
    }
  }
  if (host_.machine_id.empty() || host_.boot_id.empty() || !has_time_) {
    return Error{.kind = ErrorKind::usage,
                 .what = "does not say of which machine and boot it is, and when it was made",
                 .hint = "docs/listeners.md has the command that makes such a file"};
  }
  finish();
  return std::move(host_);
}

}  // namespace

Result<HostListeners> parse_ss(std::string_view text) {
  return Reader().read(text);
}

}  // namespace catflap::look
