#include "net/tcp_connect.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

namespace catflap::net {
namespace {

IpAddress ip(std::string_view text) {
  return *IpAddress::parse(text);
}

IcmpError icmp4(int code, std::string_view from) {
  return {.type = 3, .code = code, .from = ip(from)};
}
IcmpError icmp6(int code, std::string_view from) {
  return {.v6 = true, .type = 1, .code = code, .from = ip(from)};
}

// The rows were measured, see tcp_connect.hpp: asked from 10.77.0.1 to 10.77.0.2, from fd77::1 to
// fd77::2.
TEST(TcpConnect, OnlyAResetIsARefusal) {
  enum class Counts { unknown, nothing_sent, sent, received };
  const struct {
    const char* situation;
    int error;
    Counts counts;
    std::optional<IcmpError> icmp;
    Outcome expected;
  } rows[] = {
      {"closed port", ECONNREFUSED, Counts::received, {}, Outcome::refused},
      {"v4 port-unreachable", ECONNREFUSED, Counts::sent, icmp4(3, "10.77.0.2"), Outcome::rejected},
      {"v6 port-unreachable", ECONNREFUSED, Counts::sent, icmp6(4, "fd77::2"), Outcome::rejected},
      {"v4 admin-prohibited", EHOSTUNREACH, Counts::sent, icmp4(13, "10.77.0.2"),
       Outcome::rejected},
      {"v6 admin-prohibited", EACCES, Counts::sent, icmp6(1, "fd77::2"), Outcome::rejected},
      {"router: host unreachable", EHOSTUNREACH, Counts::sent, icmp4(1, "10.77.0.254"),
       Outcome::rejected},
      {"protocol unreachable", ENOPROTOOPT, Counts::sent, icmp4(2, "10.77.0.2"), Outcome::rejected},
      {"no ARP answer", EHOSTUNREACH, Counts::sent, icmp4(1, "10.77.0.1"), Outcome::unreachable},
      {"no ND answer", EHOSTUNREACH, Counts::sent, icmp6(3, "fd77::1"), Outcome::unreachable},
      {"v4 port-unreachable, error lost to the queue", 0, Counts::sent, icmp4(3, "10.77.0.2"),
       Outcome::rejected},
      {"ended for no known reason", 0, Counts::received, {}, Outcome::error},
      {"own output rule", ECONNREFUSED, Counts::sent, icmp4(3, "10.77.0.1"), Outcome::unreachable},
      {"kernel without queue, port-unreachable", ECONNREFUSED, Counts::sent, {}, Outcome::rejected},
      {"kernel without queue and counts", ECONNREFUSED, Counts::unknown, {}, Outcome::rejected},
      {"kernel without queue, v6 prohibited", EACCES, Counts::sent, {}, Outcome::rejected},
      {"kernel without queue, host unreachable",
       EHOSTUNREACH,
       Counts::sent,
       {},
       Outcome::unreachable},
      {"no route", ENETUNREACH, Counts::nothing_sent, {}, Outcome::unreachable},
      {"prohibit route", EACCES, Counts::nothing_sent, {}, Outcome::unreachable},
      {"blackhole route", EINVAL, Counts::nothing_sent, {}, Outcome::unreachable},
      {"no answer", ETIMEDOUT, Counts::sent, {}, Outcome::timeout},
      {"out of descriptors", EMFILE, Counts::unknown, {}, Outcome::error},
      {"IPv6 is off", EADDRNOTAVAIL, Counts::nothing_sent, {}, Outcome::unreachable},
      {"IPv6 is off, kernel without counts",
       EADDRNOTAVAIL,
       Counts::unknown,
       {},
       Outcome::unreachable},
      {"a word not known here", EDOM, Counts::sent, {}, Outcome::error},
  };
  for (const auto& row : rows) {
    const bool v6 = row.icmp && row.icmp->v6;
    const auto failure =
        judge_connect({.error = row.error,
                       .counts_known = row.counts != Counts::unknown,
                       .segment_sent = row.counts == Counts::sent || row.counts == Counts::received,
                       .segment_received = row.counts == Counts::received,
                       .icmp = row.icmp,
                       .target = ip(v6 ? "fd77::2" : "10.77.0.2"),
                       .own = ip(v6 ? "fd77::1" : "10.77.0.1")});
    EXPECT_EQ(failure.outcome, row.expected) << row.situation << ": " << failure.detail;
    EXPECT_FALSE(failure.detail.empty()) << row.situation;
  }
}

TEST(TcpConnect, ARejectionOfLoopbackIsNotThisMachinesRouting) {
  const auto failure = judge_connect({.error = ECONNREFUSED,
                                      .counts_known = true,
                                      .segment_sent = true,
                                      .icmp = icmp4(3, "127.0.0.1"),
                                      .target = ip("127.0.0.1"),
                                      .own = ip("127.0.0.1")});
  EXPECT_EQ(failure.outcome, Outcome::rejected);
}

TEST(TcpConnect, NamesTheIcmpError) {
  EXPECT_EQ(to_string(icmp4(13, "10.0.0.1")), "ICMP admin-prohibited from 10.0.0.1");
  EXPECT_EQ(to_string(icmp6(1, "fd77::2")), "ICMP admin-prohibited from fd77::2");
  EXPECT_EQ(to_string(IcmpError{.type = 3, .code = 99}), "ICMP type 3 code 99");
  EXPECT_EQ(to_string(IcmpError{.type = 11, .code = 0}), "ICMP type 11 code 0");
}

TEST(TcpConnect, OnlyExhaustionIsWorthAnotherTry) {
  EXPECT_TRUE(judge_connect({.error = EMFILE}).exhausted);
  EXPECT_FALSE(judge_connect({.error = ECONNREFUSED}).exhausted);
  EXPECT_FALSE(judge_connect({.error = EADDRNOTAVAIL}).exhausted);
}

TEST(CanConnectFrom, OnlyOnesOwnAddresses) {
  EXPECT_TRUE(can_connect_from(*IpAddress::parse("127.0.0.9")).has_value());
  for (const char* other : {"192.0.2.1", "2001:db8::1", "fe80::1"}) {
    const auto can = can_connect_from(*IpAddress::parse(other));
    ASSERT_FALSE(can.has_value()) << other;
    EXPECT_EQ(can.error().kind, ErrorKind::usage);
  }
}

}  // namespace
}  // namespace catflap::net
