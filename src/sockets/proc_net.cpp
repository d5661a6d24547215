// The rows as net/ipv4/tcp_ipv4.c and net/ipv6/tcp_ipv6.c of Linux print them (get_tcp4_sock,
// get_tcp6_sock): an address is one to four %08X of words that lie in network order in memory, so
// the digits depend on the node's byte order; a port is a number.
#include "sockets/proc_net.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace catflap::sockets {
namespace {

constexpr std::string_view kListen = "0A";

// Established rows end in more figures than rows of TIME_WAIT; what stands after the inode differs
// between kernels.
constexpr std::size_t kFieldsAtLeast = 12;
constexpr std::size_t kFieldsAtMost = 17;

using Fields = std::vector<std::string_view>;

Fields split_blanks(std::string_view line) {
  Fields fields;
  while (true) {
    const auto start = line.find_first_not_of(' ');
    if (start == std::string_view::npos) return fields;
    const auto end = std::min(line.find(' ', start), line.size());
    fields.push_back(line.substr(start, end - start));
    line.remove_prefix(end);
  }
}

template <class Number>
std::optional<Number> parse_whole(std::string_view digits, int base) {
  Number value = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, problem] = std::from_chars(digits.data(), end, value, base);
  if (digits.empty() || problem != std::errc{} || stop != end) return std::nullopt;
  return value;
}

bool is_hex(std::string_view text, std::size_t digits) {
  return text.size() == digits &&
         text.find_first_not_of("0123456789ABCDEFabcdef") == std::string_view::npos;
}

/// "00000000:00000000", each half of its own number of digits.
bool is_hex_pair(std::string_view text, std::size_t left, std::size_t right) {
  return text.size() == left + 1 + right && text[left] == ':' &&
         is_hex(text.substr(0, left), left) && is_hex(text.substr(left + 1), right);
}

std::optional<HostPort> parse_endpoint(std::string_view text, Table table, std::endian node_order) {
  const std::size_t words = table == Table::tcp ? 1 : 4;
  if (!is_hex_pair(text, words * 8, 4)) return std::nullopt;
  std::array<std::uint8_t, 16> bytes{};
  for (std::size_t i = 0; i < words * 4; ++i) {
    const std::size_t in_word = node_order == std::endian::little ? 3 - i % 4 : i % 4;
    bytes[i] = *parse_whole<std::uint8_t>(text.substr((i / 4 * 4 + in_word) * 2, 2), 16);
  }
  const Port port = *parse_whole<Port>(text.substr(words * 8 + 1), 16);
  if (table == Table::tcp)
    return HostPort{IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]}), port};
  return HostPort{IpAddress::v6(bytes), port};
}

struct Row {
  bool listening = false;
  Listener listener;
};

std::optional<Row> parse_row(std::string_view line, Table table, std::endian node_order) {
  const Fields fields = split_blanks(line);
  if (fields.size() < kFieldsAtLeast || fields.size() > kFieldsAtMost) return std::nullopt;
  const std::string_view slot = fields[0];
  if (!slot.ends_with(':') || !parse_whole<std::uint64_t>(slot.substr(0, slot.size() - 1), 10))
    return std::nullopt;
  const auto local = parse_endpoint(fields[1], table, node_order);
  const auto remote = parse_endpoint(fields[2], table, node_order);
  const bool queues_and_timers = is_hex(fields[3], 2) && is_hex_pair(fields[4], 8, 8) &&
                                 is_hex(fields[5].substr(0, 2), 2) && fields[5].size() > 3 &&
                                 fields[5][2] == ':' && is_hex(fields[6], 8);
  const auto uid = parse_whole<std::uint32_t>(fields[7], 10);
  const auto timeout = parse_whole<std::int64_t>(fields[8], 10);
  const auto inode = parse_whole<std::uint64_t>(fields[9], 10);
  const auto references = parse_whole<std::int64_t>(fields[10], 10);
  if (!local || !remote || !queues_and_timers || !uid || !timeout || !inode || !references)
    return std::nullopt;
  return Row{fields[3] == kListen, {.endpoint = *local, .inode = *inode, .uid = *uid}};
}

bool is_header(std::string_view line, Table table) {
  const std::string_view remote = table == Table::tcp ? "rem_address" : "remote_address";
  const Fields expected{"sl", "local_address", remote,     "st",  "tx_queue", "rx_queue",
                        "tr", "tm->when",      "retrnsmt", "uid", "timeout",  "inode"};
  return split_blanks(line) == expected;
}

Error malformed(Table table, std::size_t line_number, std::string_view problem) {
  return {.kind = ErrorKind::malformed_input,
          .what = fmt::format("line {}: {}", line_number, problem),
          .subject = table == Table::tcp ? "/proc/net/tcp" : "/proc/net/tcp6"};
}

}  // namespace

Result<std::vector<Listener>> parse_proc_net(std::string_view text, Table table,
                                             std::endian node_order) {
  std::vector<Listener> listeners;
  std::size_t line_number = 0;
  while (!text.empty()) {
    ++line_number;
    const auto end = text.find('\n');
    if (end == std::string_view::npos)
      return malformed(table, line_number, "the table is cut here");
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line_number == 1) {
      if (!is_header(line, table)) return malformed(table, 1, "not the table's header");
      continue;
    }
    const auto row = parse_row(line, table, node_order);
    if (!row) return malformed(table, line_number, "not a socket's row");
    if (row->listening) listeners.push_back(row->listener);
  }
  if (line_number == 0) return malformed(table, 1, "empty, not even the header is there");
  return listeners;
}

}  // namespace catflap::sockets
