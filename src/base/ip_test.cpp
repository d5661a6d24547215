#include "base/ip.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace catflap {
namespace {

TEST(Ip, ReadsAndWritesOneCanonicalForm) {
  const struct {
    std::string_view text;
    std::string_view expected;
  } rows[] = {
      {"10.0.0.1", "10.0.0.1"},
      {"0.0.0.0", "0.0.0.0"},
      {"255.255.255.255", "255.255.255.255"},
      {"::", "::"},
      {"::1", "::1"},
      {"FD91::1", "fd91::1"},
      {"fd91:0:0:0:0:0:0:1", "fd91::1"},
      {"1::", "1::"},
      {"0:0:1:0:0:0:0:0", "0:0:1::"},
      {"1:0:0:2:0:0:0:3", "1:0:0:2::3"},
      {"1:0:0:2:3:0:0:4", "1::2:3:0:0:4"},
      {"1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"},
      {"::2:1", "::2:1"},
      {"::ffff:10.1.2.3", "10.1.2.3"},
      {"::ffff:a01:203", "10.1.2.3"},
      {"64:ff9b::10.1.2.3", "64:ff9b::a01:203"},
      {"1111:2222:3333:4444:5555:6666:7777:8888", "1111:2222:3333:4444:5555:6666:7777:8888"},
  };
  for (const auto& row : rows) {
    const auto address = IpAddress::parse(row.text);
    ASSERT_TRUE(address.has_value()) << row.text;
    EXPECT_EQ(address->to_string(), row.expected) << row.text;
  }
}

TEST(Ip, RefusesLooseText) {
  using std::string_view_literals::operator""sv;
  for (const std::string_view text :
       {""sv, "10.0.0"sv, "10.0.0.01"sv, "10.0.0.256"sv, "10.0.0.1 "sv, " 10.0.0.1"sv,
        "0x0a.0.0.1"sv, "10.0.0.1\0"sv, "10.0.0.1\0x"sv, "fe80::1%eth0"sv, "[::1]"sv, "1::2::3"sv,
        ":::"sv, "1:2:3"sv, "12345::"sv, "localhost"sv, "::ffff:10.0.0.256"sv,
        "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb"sv})
    EXPECT_FALSE(IpAddress::parse(text).has_value()) << text;
}

TEST(Ip, FoldsMappedSoThatEqualEndpointsAreEqual) {
  EXPECT_EQ(IpAddress::parse("::ffff:127.0.0.1"), IpAddress::parse("127.0.0.1"));
  EXPECT_NE(IpAddress::parse("::"), IpAddress::parse("0.0.0.0"));
  EXPECT_TRUE(IpAddress::parse("::ffff:127.9.9.9")->is_loopback());
}

TEST(Ip, KnowsLoopbackAndUnspecified) {
  const struct {
    std::string_view text;
    bool loopback;
    bool unspecified;
  } rows[] = {
      {"127.0.0.1", true, false},  {"127.255.0.9", true, false}, {"::1", true, false},
      {"128.0.0.1", false, false}, {"::2", false, false},        {"0.0.0.0", false, true},
      {"::", false, true},         {"1::", false, false},        {"0.0.0.1", false, false},
      {"7f00::", false, false},
  };
  for (const auto& row : rows) {
    const auto address = IpAddress::parse(row.text);
    ASSERT_TRUE(address.has_value()) << row.text;
    EXPECT_EQ(address->is_loopback(), row.loopback) << row.text;
    EXPECT_EQ(address->is_unspecified(), row.unspecified) << row.text;
  }
}

TEST(Ip, ReadsHostAndPort) {
  for (const std::string_view text :
       {"10.0.0.1:9091", "[fd91::1]:9091", "[::]:0", "0.0.0.0:65535"}) {
    const auto endpoint = HostPort::parse(text);
    ASSERT_TRUE(endpoint.has_value()) << text;
    EXPECT_EQ(endpoint->to_string(), text);
  }
  EXPECT_EQ(HostPort::parse("[::ffff:10.0.0.1]:9091")->to_string(), "10.0.0.1:9091");
  for (const std::string_view text :
       {"", ":9091", "10.0.0.1", "10.0.0.1:", "10.0.0.1:65536", "10.0.0.1:09", "10.0.0.1:+9",
        "10.0.0.1:9091x", "10.0.0.1:-1", "::1:9091", "[10.0.0.1]:9091", "[::1]", "[::1]9091",
        "[::1:9091", "::1]:9091", "[]:1", "localhost:9091", "10.0.0.1:99999999999999"})
    EXPECT_FALSE(HostPort::parse(text).has_value()) << text;
}

TEST(Ip, CidrContains) {
  const struct {
    std::string_view cidr;
    std::string_view address;
    bool inside;
  } rows[] = {
      {"10.0.0.0/8", "10.255.0.1", true},
      {"10.0.0.0/8", "11.0.0.0", false},
      {"10.0.0.0/0", "200.1.1.1", true},
      {"10.0.0.7/32", "10.0.0.7", true},
      {"10.0.0.7/32", "10.0.0.6", false},
      {"10.0.0.128/25", "10.0.0.127", false},
      {"10.0.0.128/25", "10.0.0.200", true},
      {"10.1.2.3/8", "10.9.9.9", true},
      {"fd91::/64", "fd91::ffff", true},
      {"fd91::/64", "fd91:0:0:1::", false},
      {"::/0", "10.0.0.1", false},
      {"::ffff:10.0.0.0/104", "10.3.0.0", true},
      {"::ffff:10.0.0.0/104", "11.0.0.0", false},
      {"0.0.0.0/0", "::1", false},
  };
  for (const auto& row : rows) {
    const auto cidr = Cidr::parse(row.cidr);
    ASSERT_TRUE(cidr.has_value()) << row.cidr;
    EXPECT_EQ(cidr->contains(*IpAddress::parse(row.address)), row.inside)
        << row.cidr << " " << row.address;
  }
  for (const std::string_view text :
       {"", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08", "::/129",
        "::ffff:10.0.0.0/8", "10.0.0.0/8/8", "/8"})
    EXPECT_FALSE(Cidr::parse(text).has_value()) << text;
}

RC_GTEST_PROP(Ip, TextReadsBackTheSame, (std::array<std::uint8_t, 16> bytes, bool sparse)) {
  if (sparse)  // runs of zeros are where "::" goes wrong
    for (std::size_t i = 0; i < bytes.size(); ++i)
      if (bytes[i] % 3 != 0) bytes[i / 2 * 2] = bytes[i / 2 * 2 + 1] = 0;
  const HostPort six{IpAddress::v6(bytes), 9091};
  RC_ASSERT(HostPort::parse(six.to_string()) == six);
  const HostPort four{IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]}), 1};
  RC_ASSERT(HostPort::parse(four.to_string()) == four);
}

}  // namespace
}  // namespace catflap
