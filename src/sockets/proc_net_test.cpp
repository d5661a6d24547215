#include "sockets/proc_net.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <rapidcheck/gtest.h>
#include <sys/socket.h>

#include <fstream>
#include <sstream>

#include "base/handle.hpp"

namespace catflap::sockets {
namespace {

constexpr std::string_view kHeader4 =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode   "
    "                                                  \n";
constexpr std::string_view kHeader6 =
    "  sl  local_address                         remote_address                        st tx_queue "
    "rx_queue"
    " tr tm->when retrnsmt   uid  timeout inode\n";
constexpr std::string_view kAny6 = "00000000000000000000000000000000";

std::string padded4(std::string row) {
  row.resize(149, ' ');  // TMPSZ - 1 in tcp_ipv4.c
  return row + "\n";
}

/// A LISTEN row of /proc/net/tcp, as the kernel pads it.
std::string row4(std::string_view address_and_port, std::string_view state = "0A") {
  return padded4(fmt::format(
      "   0: {} 00000000:0000 {} 00000000:00000000 00:00000000 00000000     0        0 546 1 "
      "000000009306910a 100 0 0 10 0",
      address_and_port, state));
}

std::string row6(std::string_view address_and_port, std::string_view state = "0A") {
  return fmt::format(
      "   0: {} {}:0000 {} 00000000:00000000 00:00000000 00000000   999        0 4242 1 "
      "000000009306910a 100 0 0 10 0\n",
      address_and_port, kAny6, state);
}

/// "10.0.0.1:9091 [::]:80", or the error.
std::string dump(const Result<std::vector<Listener>>& listeners) {
  if (!listeners)
    return std::string(to_string(listeners.error().kind)) + " " + listeners.error().what;
  std::string line;
  for (const Listener& listener : *listeners)
    line += (line.empty() ? "" : " ") + listener.endpoint.to_string();
  return line;
}

TEST(ProcNet, ReadsAddressesInBothByteOrders) {
  const struct {
    Table table;
    std::endian order;
    std::string_view printed;
    std::string_view expected;
  } rows[] = {
      {Table::tcp, std::endian::little, "00000000:2383", "0.0.0.0:9091"},
      {Table::tcp, std::endian::little, "0100007F:2383", "127.0.0.1:9091"},
      {Table::tcp, std::endian::big, "7F000001:2383", "127.0.0.1:9091"},
      {Table::tcp, std::endian::little, "0A01A8C0:FFFF", "192.168.1.10:65535"},
      {Table::tcp, std::endian::big, "C0A8010A:0001", "192.168.1.10:1"},
      {Table::tcp6, std::endian::little, "00000000000000000000000000000000:2383", "[::]:9091"},
      {Table::tcp6, std::endian::little, "00000000000000000000000001000000:2383", "[::1]:9091"},
      {Table::tcp6, std::endian::big, "00000000000000000000000000000001:2383", "[::1]:9091"},
      {Table::tcp6, std::endian::little, "000091FD000000000000000001000000:2383", "[fd91::1]:9091"},
      {Table::tcp6, std::endian::big, "FD910000000000000000000000000001:2383", "[fd91::1]:9091"},
      {Table::tcp6, std::endian::little, "0000000000000000FFFF00000100007F:2383", "127.0.0.1:9091"},
      {Table::tcp6, std::endian::big, "00000000000000000000FFFF7F000001:2383", "127.0.0.1:9091"},
      {Table::tcp6, std::endian::little, "B80D01200000000067452301EFCDAB89:0050",
       "[2001:db8::123:4567:89ab:cdef]:80"},
  };
  for (const auto& row : rows) {
    const bool four = row.table == Table::tcp;
    const std::string text = four ? std::string(kHeader4) + row4(row.printed)
                                  : std::string(kHeader6) + row6(row.printed);
    EXPECT_EQ(dump(parse_proc_net(text, row.table, row.order)), row.expected) << row.printed;
  }
}

TEST(ProcNet, KeepsListenersOnly) {
  std::string text(kHeader4);
  for (const std::string_view state :
       {"01", "02", "03", "04", "05", "06", "07", "08", "09", "0B", "0C", "0D"})
    text += row4("0100007F:2383", state);
  EXPECT_EQ(dump(parse_proc_net(text, Table::tcp)), "");
  text += row4("0100007F:2384");
  EXPECT_EQ(dump(parse_proc_net(text, Table::tcp)), "127.0.0.1:9092");
}

TEST(ProcNet, ReadsInodeAndUid) {
  const auto listeners = parse_proc_net(
      std::string(kHeader6) + row6("00000000000000000000000000000000:2383"), Table::tcp6);
  ASSERT_TRUE(listeners.has_value());
  ASSERT_EQ(listeners->size(), 1u);
  EXPECT_EQ(listeners->front().inode, 4242u);
  EXPECT_EQ(listeners->front().uid, 999u);
  EXPECT_FALSE(listeners->front().pid.has_value());
}

TEST(ProcNet, ReadsTheShorterRowsOfTimeWaitAndSynReceived) {
  const std::string text = std::string(kHeader4) +
                           padded4(
                               "   1: 0100007F:2383 0100007F:D431 06 00000000:00000000 03:00001780 "
                               "00000000     0        0 0 3 00000000b1a2c3d4") +
                           padded4(
                               "   2: 0100007F:2383 0100007F:D432 03 00000000:00000000 01:0000003B "
                               "00000000     0        0 0 1 00000000b1a2c3d4") +
                           row4("00000000:2383");
  EXPECT_EQ(dump(parse_proc_net(text, Table::tcp)), "0.0.0.0:9091");
}

TEST(ProcNet, EmptyTableIsEmptyOnlyWithItsHeader) {
  EXPECT_EQ(dump(parse_proc_net(kHeader4, Table::tcp)), "");
  EXPECT_EQ(dump(parse_proc_net(kHeader6, Table::tcp6)), "");
  EXPECT_EQ(dump(parse_proc_net("", Table::tcp)),
            "malformed_input line 1: empty, not even the header is there");
  EXPECT_EQ(dump(parse_proc_net("\n", Table::tcp)),
            "malformed_input line 1: not the table's header");
  EXPECT_EQ(dump(parse_proc_net(kHeader6, Table::tcp)),
            "malformed_input line 1: not the table's header");
  EXPECT_EQ(dump(parse_proc_net(kHeader4, Table::tcp6)),
            "malformed_input line 1: not the table's header");
  EXPECT_EQ(dump(parse_proc_net(row4("00000000:2383"), Table::tcp)),
            "malformed_input line 1: not the table's header");
  EXPECT_EQ(dump(parse_proc_net("cat: /proc/net/tcp: Permission denied\n", Table::tcp)),
            "malformed_input line 1: not the table's header");
}

TEST(ProcNet, RefusesRowsThatAreNotRows) {
  const std::string good =
      "   0: 00000000:2383 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 "
      "546 1 "
      "000000009306910a 100 0 0 10 0";
  ASSERT_EQ(dump(parse_proc_net(std::string(kHeader4) + good + "\n", Table::tcp)), "0.0.0.0:9091");
  const struct {
    std::string_view from;
    std::string_view to;
  } edits[] = {
      {"   0:", "   0"},
      {"   0:", "   x:"},
      {"00000000:2383", "0000000:2383"},
      {"00000000:2383", "00000000:238"},
      {":2383", ":23G3"},
      {":2383", "2383"},
      {" 0A ", " A "},
      {" 0A ", " 0Z "},
      {" 0A ", " "},
      {"     0        0", " -1 0"},
      {" 546 ", " 54x "},
      {" 546 ", " "},
      {"00:00000000 ", "00 "},
      {" 1 0000", " one 0000"},
      {" 10 0", " 10 0 extra"},
      {" 00000000     0", " 0000000     0"},
      {"   0: ", "junk\n"},
      {"   0: ", "\n   0: "},
      {" 10 0", " 10 0\r\n"},
      {"00000000:2383", "00000000000000000000000000000000:2383"},
  };
  for (const auto& edit : edits) {
    std::string row = good;
    row.replace(row.find(edit.from), edit.from.size(), edit.to);
    EXPECT_THAT(dump(parse_proc_net(std::string(kHeader4) + row + "\n", Table::tcp)),
                testing::StartsWith("malformed_input line "))
        << edit.from << " -> " << edit.to;
  }
}

TEST(ProcNet, NamesTheLineAndTheTable) {
  const auto cut =
      parse_proc_net(std::string(kHeader4) + row4("00000000:2383") + "   1: 0000", Table::tcp);
  ASSERT_FALSE(cut.has_value());
  EXPECT_EQ(to_string(cut.error()), "/proc/net/tcp: line 3: the table is cut here");
}

std::string read_whole(const char* path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Against this machine's kernel: our own listener must come out of its table.
TEST(ProcNet, FindsAListenerOfThisMachine) {
  for (const int family : {AF_INET, AF_INET6}) {
    const UniqueFd socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket && family == AF_INET6) continue;
    ASSERT_TRUE(socket);
    sockaddr_storage address{};
    address.ss_family = static_cast<sa_family_t>(family);
    auto& four = reinterpret_cast<sockaddr_in&>(address);
    auto& six = reinterpret_cast<sockaddr_in6&>(address);
    if (family == AF_INET) four.sin_addr.s_addr = htonl(0x7f112233);  // 127.17.34.51
    if (family == AF_INET6) six.sin6_addr = in6addr_loopback;
    const int bound = ::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
    if (bound != 0 && family == AF_INET6) continue;  // many containers have no ::1
    ASSERT_EQ(bound, 0);
    ASSERT_EQ(::listen(socket.get(), 1), 0);
    socklen_t size = sizeof address;
    ASSERT_EQ(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);

    const bool v4 = family == AF_INET;
    const auto listeners = parse_proc_net(read_whole(v4 ? "/proc/net/tcp" : "/proc/net/tcp6"),
                                          v4 ? Table::tcp : Table::tcp6, std::endian::native);
    ASSERT_TRUE(listeners.has_value()) << to_string(listeners.error());
    const HostPort expected{*IpAddress::parse(v4 ? "127.17.34.51" : "::1"),
                            ntohs(v4 ? four.sin_port : six.sin6_port)};
    EXPECT_THAT(*listeners, testing::Contains(testing::Field(&Listener::endpoint, expected)));
  }
}

struct KernelRow {
  std::array<std::uint8_t, 16> address;
  Port port;
  bool listening;
  std::uint32_t uid;
  std::uint64_t inode;
};

/// Prints as the kernel of a machine of that byte order would: words from memory, through %08X.
std::string print_table(const std::vector<KernelRow>& rows, Table table, std::endian order) {
  std::string text(table == Table::tcp ? kHeader4 : kHeader6);
  std::size_t slot = 0;
  for (const KernelRow& row : rows) {
    std::string address;
    for (std::size_t word = 0; word < (table == Table::tcp ? 1u : 4u); ++word) {
      std::uint32_t value = 0;
      for (std::size_t i = 0; i < 4; ++i) {
        const std::size_t significance = order == std::endian::little ? i : 3 - i;
        value |= static_cast<std::uint32_t>(row.address[word * 4 + i]) << (8 * significance);
      }
      address += fmt::format("{:08X}", value);
    }
    const std::string line = fmt::format(
        "{:4}: {}:{:04X} {}:0000 {} 00000000:00000000 00:00000000 00000000 {:5} {:8} {} 1 {:016x} "
        "100 0 0 10 0",
        slot++, address, row.port, std::string(address.size(), '0'), row.listening ? "0A" : "01",
        row.uid, 0, row.inode, row.inode * 7);
    text += table == Table::tcp ? padded4(line) : line + "\n";
  }
  return text;
}

std::vector<KernelRow> arbitrary_rows() {
  return *rc::gen::container<std::vector<KernelRow>>(rc::gen::apply(
      [](std::array<std::uint8_t, 16> address, bool mapped, Port port, bool listening,
         std::uint32_t uid, std::uint32_t inode) {
        if (mapped) {
          std::fill(address.begin(), address.begin() + 10, std::uint8_t{0});
          address[10] = address[11] = 0xff;
        }
        return KernelRow{address, port, listening, uid, inode};
      },
      rc::gen::arbitrary<std::array<std::uint8_t, 16>>(), rc::gen::arbitrary<bool>(),
      rc::gen::arbitrary<Port>(), rc::gen::arbitrary<bool>(), rc::gen::arbitrary<std::uint32_t>(),
      rc::gen::arbitrary<std::uint32_t>()));
}

RC_GTEST_PROP(ProcNet, ReadsBackWhatTheKernelWouldPrint, (bool four, bool little)) {
  const Table table = four ? Table::tcp : Table::tcp6;
  const std::endian order = little ? std::endian::little : std::endian::big;
  const auto rows = arbitrary_rows();
  std::vector<Listener> expected;
  for (const KernelRow& row : rows) {
    if (!row.listening) continue;
    const auto& a = row.address;
    const IpAddress address = four ? IpAddress::v4({a[0], a[1], a[2], a[3]}) : IpAddress::v6(a);
    expected.push_back({.endpoint = {address, row.port}, .inode = row.inode, .uid = row.uid});
  }
  const auto listeners = parse_proc_net(print_table(rows, table, order), table, order);
  RC_ASSERT(listeners.has_value());
  RC_ASSERT(*listeners == expected);
}

RC_GTEST_PROP(ProcNet, ACutInsideALineIsNeverATable, (bool four)) {
  const Table table = four ? Table::tcp : Table::tcp6;
  const std::string text = print_table(arbitrary_rows(), table, std::endian::little);
  const auto length = *rc::gen::inRange<std::size_t>(0, text.size());
  const bool at_line_end = length > 0 && text[length - 1] == '\n';
  RC_PRE(!at_line_end);
  RC_ASSERT(!parse_proc_net(std::string_view(text).substr(0, length), table).has_value());
}

}  // namespace
}  // namespace catflap::sockets
