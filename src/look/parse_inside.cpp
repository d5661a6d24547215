// Reads what inside_script prints. Every doubt ends in complete = false with a code and a sentence.
#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <map>
#include <set>
#include <unordered_map>

#include "base/text.hpp"
#include "look/inside_script.hpp"
#include "sockets/felix_process.hpp"
#include "sockets/proc_net.hpp"

namespace catflap::look {
namespace {

constexpr std::size_t kMaxListeners = 4096;
constexpr std::size_t kMaxEnvironment = 64u << 10;
constexpr std::size_t kMaxConfigFile = 256u << 10;
constexpr std::size_t kMaxRaw = 4096;
constexpr std::size_t kMaxCommand = 256;
constexpr int kTicksPerSecond = 100;

struct Section {
  std::string_view text;
  int exit_code = -1;
};

struct Sections {
  std::map<std::string, Section, std::less<>> by_name;
  bool well_formed = true;  // no section twice, none without an end

  [[nodiscard]] const Section* find(std::string_view name) const {
    const auto it = by_name.find(name);
    return it != by_name.end() ? &it->second : nullptr;
  }
  /// The text of a section whose command ended well.
  [[nodiscard]] const std::string_view* good(std::string_view name) const {
    const auto* section = find(name);
    return section != nullptr && section->exit_code == 0 ? &section->text : nullptr;
  }
};

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// Cuts the text before the first `separator` off `rest`; at the end of `rest`, all of it.
std::string_view cut(std::string_view& rest, char separator) {
  const auto at = rest.find(separator);
  const auto head = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view() : rest.substr(at + 1);
  return head;
}

Sections split(std::string_view output, std::string_view nonce) {
  const auto begin_mark = fmt::format("\n#{} begin ", nonce);
  const auto end_mark = fmt::format("\n#{} end ", nonce);
  Sections sections;
  for (auto at = output.find(begin_mark); at != std::string_view::npos;) {
    auto rest = output.substr(at + begin_mark.size());
    const auto name = cut(rest, '\n');
    const auto end = rest.find(end_mark);
    const auto next = rest.find(begin_mark);
    if (end == std::string_view::npos || next < end) {
      sections.well_formed = false;
      break;
    }
    auto tail = rest.substr(end + end_mark.size());
    const auto code = parse_number<int>(cut(tail, '\n'));
    const Section section{rest.substr(0, end), code.value_or(-1)};
    if (!sections.by_name.emplace(name, section).second) sections.well_formed = false;
    at = next == std::string_view::npos ? next : output.size() - rest.size() + next;
  }
  return sections;
}

struct Process {
  int pid = 0;
  std::uint64_t start_ticks = 0;
  std::string command;
  friend auto operator<=>(const Process& a, const Process& b) {
    return std::pair(a.pid, a.start_ticks) <=> std::pair(b.pid, b.start_ticks);
  }
  friend bool operator==(const Process& a, const Process& b) {
    return a.pid == b.pid && a.start_ticks == b.start_ticks;
  }
};

/// Field 22 of /proc/PID/stat; the name in field 2 may hold blanks and parentheses.
std::optional<std::uint64_t> start_ticks(std::string_view stat) {
  const auto close = stat.rfind(") ");
  if (close == std::string_view::npos) return std::nullopt;
  auto rest = stat.substr(close + 2);
  for (int field = 3; field < 22; ++field) {
    if (rest.empty()) return std::nullopt;
    cut(rest, ' ');
  }
  return parse_number<std::uint64_t>(cut(rest, ' '));
}

/// Felix's processes as one of the two scans saw them; none if it cannot be told.
std::optional<std::set<Process>> felix_processes(const Sections& sections, char scan) {
  const auto* all = sections.find(fmt::format("scan{}", scan));
  // 2: some file had gone by the time it was opened, which happens to every short-lived process.
  if (all == nullptr || all->exit_code < 0 || all->exit_code > 2) return std::nullopt;
  const auto prefix = fmt::format("cmdline{} ", scan);
  std::set<Process> found;
  for (auto it = sections.by_name.lower_bound(prefix);
       it != sections.by_name.end() && it->first.starts_with(prefix); ++it) {
    const auto arguments = sockets::arguments_of(it->second.text);
    if (!sockets::is_felix(arguments)) continue;
    const auto pid = parse_number<int>(std::string_view(it->first).substr(prefix.size()));
    if (!pid) return std::nullopt;
    const auto* stat = sections.good(fmt::format("stat{} {}", scan, *pid));
    const auto ticks = stat != nullptr ? start_ticks(*stat) : std::nullopt;
    if (!ticks) return std::nullopt;  // it ended between two lines of the script
    std::string command;
    for (const auto& word : arguments) {
      command += (command.empty() ? "" : " ") + std::string(word.substr(0, kMaxCommand));
      if (command.size() > kMaxCommand) break;
    }
    found.insert({*pid, *ticks, printable(command, kMaxCommand)});
  }
  return found;
}

/// The pid in the header "/proc/123/fd:" of a listing of several folders, or in
/// "/proc/123/comm:name".
std::optional<int> pid_of_path(std::string_view line) {
  constexpr std::string_view kProc = "/proc/";
  if (!line.starts_with(kProc)) return std::nullopt;
  line.remove_prefix(kProc.size());
  return parse_number<int>(cut(line, '/'));
}

/// The inode at the end of a line of `ls -l`: "… 7 -> socket:[4711]".
std::optional<std::uint64_t> socket_inode(std::string_view line) {
  constexpr std::string_view kArrow = " -> socket:[";
  const auto at = line.rfind(kArrow);
  if (at == std::string_view::npos || !line.ends_with(']')) return std::nullopt;
  line.remove_prefix(at + kArrow.size());
  line.remove_suffix(1);
  return parse_number<std::uint64_t>(line);
}

class Reader {
 public:
  Reader(const Sections& sections, TimePoint received) : sections_(sections), received_(received) {}

  InsideLook read() &&;

 private:
  void doubt(const char* code, std::string what) {
    if (!look_.problem_code.empty()) return;  // the first one explains the others
    look_.problem_code = code;
    look_.problem = std::move(what);
  }
  void read_tables();
  void read_table(std::string_view name, sockets::Table table, std::endian order);
  void read_processes();
  std::optional<TimePoint> started(const Process& process) const;
  FelixProcess read_process(const Process& process);
  void read_environment(const Process& process, FelixProcess& into);
  void read_descriptors(const Process& process);
  void read_other_owners();
  void read_names();
  void read_config_file();

  const Sections& sections_;
  TimePoint received_;
  InsideLook look_;
  std::unordered_multimap<std::uint64_t, std::size_t> by_inode_;  // index into look_.listeners
};

void Reader::read_table(std::string_view name, sockets::Table table, std::endian order) {
  const auto* text = sections_.good(name);
  if (text == nullptr)
    return doubt("table-cut", fmt::format("/proc/net/{} could not be read", name));
  look_.raw += text->substr(0, kMaxRaw - look_.raw.size());
  auto listeners = sockets::parse_proc_net(*text, table, order);
  if (!listeners.has_value()) return doubt("table-cut", to_string(listeners.error()));
  for (auto& listener : *listeners) {
    if (look_.listeners.size() == kMaxListeners) {
      return doubt("table-cut", fmt::format("more than {} listening sockets", kMaxListeners));
    }
    by_inode_.emplace(listener.inode, look_.listeners.size());
    look_.listeners.push_back(std::move(listener));
  }
}

void Reader::read_tables() {
  const auto* order = sections_.good("order");
  const bool big = order != nullptr && *order == "big\n";
  if (!big && (order == nullptr || *order != "little\n")) {
    doubt("inside-incomplete", "the node's byte order could not be told");
  }
  const auto endian = big ? std::endian::big : std::endian::little;
  read_table("tcp", sockets::Table::tcp, endian);
  // No such file: a kernel without IPv6 has no IPv6 sockets.
  if (sections_.good("notcp6") == nullptr) read_table("tcp6", sockets::Table::tcp6, endian);
}

std::optional<TimePoint> Reader::started(const Process& process) const {
  const auto* uptime = sections_.good("uptime");
  if (uptime == nullptr) return std::nullopt;
  auto rest = *uptime;
  const auto seconds = parse_number<std::int64_t>(cut(rest, '.'));
  const auto hundredths = parse_number<std::int64_t>(rest.substr(0, 2));
  constexpr std::int64_t kMost = 1'000'000'000'000;  // what fits into the sums below
  if (!seconds || !hundredths || *seconds < 0 || *seconds > kMost) return std::nullopt;
  if (process.start_ticks > static_cast<std::uint64_t>(kMost)) return std::nullopt;
  const auto ticks = static_cast<std::int64_t>(process.start_ticks);
  const auto age = Duration{*seconds * 1000 + *hundredths * 10 - ticks * (1000 / kTicksPerSecond)};
  if (age < Duration{0}) return std::nullopt;
  return received_ - age;
}

void Reader::read_environment(const Process& process, FelixProcess& into) {
  const auto* section = sections_.find(fmt::format("environ {}", process.pid));
  // 1: no variable of ours; 2: not readable, or a grep without -z.
  if (section == nullptr || section->exit_code < 0 || section->exit_code > 1 ||
      section->text.size() > kMaxEnvironment) {
    return doubt("inside-incomplete", "the environment of Felix's process could not be read");
  }
  auto rest = section->text;
  while (!rest.empty()) {
    auto value = cut(rest, '\0');
    if (value.find('=') == std::string_view::npos) continue;
    const auto name = cut(value, '=');
    // A value of several lines can look like a name to grep.
    if (equal_ignoring_case(name.substr(0, 6), "felix_") || name == "CALICO_DISABLE_FELIX" ||
        name == "NODENAME") {
      into.environment.emplace_back(name, value);
    }
  }
}

void Reader::read_descriptors(const Process& process) {
  const auto* section = sections_.find(fmt::format("fd {}", process.pid));
  // 1: a descriptor was closed while ls looked, which Felix does all the time.
  bool any = section != nullptr && section->exit_code >= 0 && section->exit_code <= 1;
  if (any) {
    any = section->text.find(" -> ") != std::string_view::npos;
    for (auto rest = section->text; !rest.empty();) {
      const auto inode = socket_inode(cut(rest, '\n'));
      if (!inode) continue;
      const auto [from, to] = by_inode_.equal_range(*inode);
      for (auto it = from; it != to; ++it) {
        auto& listener = look_.listeners[it->second];
        listener.felix = true;
        listener.pid = process.pid;
        listener.command = process.command;
      }
    }
  }
  if (!any) doubt("inside-incomplete", "the sockets of Felix's process could not be read");
}

FelixProcess Reader::read_process(const Process& process) {
  FelixProcess felix{.pid = process.pid, .started = started(process)};
  if (!felix.started) doubt("inside-incomplete", "the start of Felix's process could not be told");
  read_environment(process, felix);
  read_descriptors(process);
  return felix;
}

void Reader::read_processes() {
  const auto first = felix_processes(sections_, '1');
  const auto second = felix_processes(sections_, '2');
  if (!first || !second) {
    doubt("felix-process-not-seen", "the processes of the container could not be read");
  } else if (*first != *second) {
    doubt("inside-incomplete", "Felix started or ended during the look");
  }
  if (!first) return;
  for (const auto& process : *first) look_.felix.push_back(read_process(process));
}

/// Best effort: a socket of another container's process has an owner that is not visible from here.
void Reader::read_other_owners() {
  const auto* section = sections_.find("fds");
  std::optional<int> pid;
  for (auto rest = section != nullptr ? section->text : std::string_view(); !rest.empty();) {
    const auto line = cut(rest, '\n');
    if (const auto header = pid_of_path(line)) pid = header;
    const auto inode = socket_inode(line);
    if (!inode || !pid) continue;
    const auto [from, to] = by_inode_.equal_range(*inode);
    const bool is_felix =
        std::ranges::find(look_.felix, *pid, &FelixProcess::pid) != look_.felix.end();
    for (auto it = from; it != to; ++it) {
      auto& listener = look_.listeners[it->second];
      if (!listener.pid || is_felix) listener.pid = pid;
      listener.felix = listener.felix || is_felix;
    }
  }
}

void Reader::read_names() {
  const auto* section = sections_.find("comms");
  std::unordered_map<int, std::string> names;
  for (auto rest = section != nullptr ? section->text : std::string_view(); !rest.empty();) {
    auto line = cut(rest, '\n');
    const auto pid = pid_of_path(line);
    if (!pid) continue;
    cut(line, ':');
    names.emplace(*pid, printable(line, 64));
  }
  // Not even the container's first process: then Felix may be hidden too (hidepid).
  if (!names.contains(1)) {
    doubt("felix-process-not-seen", "the processes of the container are hidden");
  }
  for (auto& listener : look_.listeners) {
    const auto name = listener.pid ? names.find(*listener.pid) : names.end();
    if (name != names.end()) listener.comm = name->second;
  }
}

void Reader::read_config_file() {
  const auto* text = sections_.good("cfg");
  if (text != nullptr && text->size() <= kMaxConfigFile) {
    look_.config_file = std::string(*text);
  } else if (sections_.good("nocfg") == nullptr) {
    look_.config_file_readable = false;
  }
}

InsideLook Reader::read() && {
  if (!sections_.well_formed || sections_.good("done") == nullptr) {
    doubt("table-cut", "the answer ended early");
  }
  read_tables();
  read_processes();
  read_other_owners();
  read_names();
  read_config_file();
  look_.complete = look_.problem_code.empty();
  return std::move(look_);
}

}  // namespace

InsideLook parse_inside(std::string_view output, std::string_view nonce, TimePoint received) {
  const auto sections = split(output, nonce);
  return Reader(sections, received).read();
}

std::optional<std::string> inside_section(std::string_view output, std::string_view nonce,
                                          std::string_view name) {
  const auto sections = split(output, nonce);
  const auto* text = sections.well_formed ? sections.good(name) : nullptr;
  return text == nullptr ? std::nullopt : std::optional<std::string>(*text);
}

}  // namespace catflap::look
