#include "app/targets.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace catflap::app {
namespace {

/// "name n1 9091", "address 10.0.0.1 -", "range 10.0.0.0/24 80 id 7", or why not.
std::string dump(std::string_view line) {
  const auto spec = parse_target(line);
  if (!spec) return spec.error().what;
  std::string host;
  if (const auto* name = std::get_if<std::string>(&spec->host)) host = "name " + *name;
  if (const auto* address = std::get_if<IpAddress>(&spec->host))
    host = "address " + address->to_string();
  if (const auto* range = std::get_if<Cidr>(&spec->host))
    host = fmt::format("range {}/{}", range->base.to_string(), range->prefix_length);
  return fmt::format("{} {}{}", host, spec->port ? fmt::to_string(*spec->port) : "-",
                     spec->id ? " id " + *spec->id : "");
}

TEST(Targets, AreReadAsTheyAreWritten) {
  const std::pair<const char*, const char*> rows[] = {
      {"n1", "name n1 -"},
      {"  n1.example.org:9092\r", "name n1.example.org 9092"},
      {"10.0.0.1", "address 10.0.0.1 -"},
      {"10.0.0.1:1", "address 10.0.0.1 1"},
      {"fd91::1", "address fd91::1 -"},
      {"[fd91::1]", "address fd91::1 -"},
      {"[fd91::1]:65535", "address fd91::1 65535"},
      {"::ffff:10.0.0.1", "address 10.0.0.1 -"},
      {"10.0.0.0/24", "range 10.0.0.0/24 -"},
      {"10.0.0.0/24:9093", "range 10.0.0.0/24 9093"},
      {"fd91::/120", "range fd91::/120 -"},
      {"[fd91::/120]:9091", "range fd91::/120 9091"},
      {R"({"target": "n1:9091", "id": [1, "x"]})", R"(name n1 9091 id [1, "x"])"},
      {R"({"id":1e400,"target":"n1"})", "name n1 - id 1e400"},
      {R"( { "id" : 123456789012345678901234567890 , "target" : "n1" } )",
       "name n1 - id 123456789012345678901234567890"},
      {R"({"target":"n1","id":1.0})", "name n1 - id 1.0"},
      {R"({"target":"n1","id":{"a}":["]\"",{}]}})", R"(name n1 - id {"a}":["]\"",{}]})"},
      {R"({"target":"n1","id":"\u0041\\"})", R"(name n1 - id "\u0041\\")"},
      {R"({"\u0069d":null,"t\u0061rget":"\u006e1"})", "name n1 - id null"},
      {"0x7f.example", "name 0x7f.example -"},
      {"1.node", "name 1.node -"},
      {R"({"target": "10.0.0.1"})", "address 10.0.0.1 -"},
  };
  for (const auto& [line, wanted] : rows) EXPECT_EQ(dump(line), wanted) << line;
}

TEST(Targets, SayWhatIsWrong) {
  const std::pair<const char*, const char*> rows[] = {
      {"", "is neither an address nor a name"},
      {"n1:", "has no port behind its colon"},
      {"n1:0", "has a port that is not between 1 and 65535"},
      {"n1:65536", "has a port that is not between 1 and 65535"},
      {"n1:+80", "has a port that is not between 1 and 65535"},
      {"n1:80x", "has a port that is not between 1 and 65535"},
      {"10.0.0.256", "is neither an address nor a name"},
      {"10.0.0", "is neither an address nor a name"},
      {"-n1", "is neither an address nor a name"},
      {"n1 n2", "is neither an address nor a name"},
      {"2130706433", "is neither an address nor a name"},
      {"0x7f000001", "is neither an address nor a name"},
      {"0X7f.1:9091", "is neither an address nor a name"},
      {"fe80::1%eth0", "has a zone: link-local addresses are not taken"},
      {"[fe80::1%eth0]:9091", "has a zone: link-local addresses are not taken"},
      {R"({"target": "127.0.0.1\u0000x"})", "is neither an address nor a name"},
      {R"({"target": "n1", "target": "n2"})", "has two members called target"},
      {R"({"target": "n1", "id": 1, "i\u0064": 1})", "has two members called id"},
      {R"({"target": "n1", "id": 1} x)", "is not a JSON object"},
      {R"({"target": "n1", "id": Infinity})", "is not a JSON object"},
      {R"({"target": "n1", "id": 01})", "is not a JSON object"},
      {R"([{"target": "n1"}])", "is neither an address nor a name"},
      {"{}", "has no text as its target"},
      {"[fd91::1", "has no closing bracket"},
      {"[fd91::1]9091", "has something else than :PORT behind its bracket"},
      {"[fd91::1]:", "has something else than :PORT behind its bracket"},
      {"10.0.0.0/33", "is neither a host nor a range of addresses"},
      {"n1/24", "is neither a host nor a range of addresses"},
      {"fd91::/64", "has too many addresses: IPv6 ranges are taken from /112 on"},
      {"https://n1:9091/metrics", "is a URL; the scheme is found out, the path is /metrics"},
      {"{", "is not a JSON object"},
      {R"({"id": 1})", "has no text as its target"},
      {R"({"target": 1})", "has no text as its target"},
      {R"({"target": "n1", "port": 1})", "has a member other than target and id"},
      {R"({"target": "{}"})", "is neither an address nor a name"},
  };
  for (const auto& [line, wanted] : rows) EXPECT_EQ(dump(line), wanted) << line;
}

std::vector<std::string> walk(const char* range, std::size_t most = 1000) {
  std::vector<std::string> all;
  for_each_address(*Cidr::parse(range), [&](const IpAddress& address) {
    all.push_back(address.to_string());
    return all.size() < most;
  });
  return all;
}

TEST(Targets, ARangeIsWalkedFromItsFirstAddressToItsLast) {
  EXPECT_THAT(walk("10.0.0.254/30"),
              testing::ElementsAre("10.0.0.252", "10.0.0.253", "10.0.0.254", "10.0.0.255"));
  EXPECT_THAT(walk("10.0.0.7/32"), testing::ElementsAre("10.0.0.7"));
  EXPECT_THAT(walk("fd91::fffe/127"), testing::ElementsAre("fd91::fffe", "fd91::ffff"));
  EXPECT_EQ(walk("10.0.254.0/23").back(), "10.0.255.255");
  EXPECT_EQ(walk("0.0.0.0/0", 3).back(), "0.0.0.2");
}

TEST(Targets, ARangeIsCounted) {
  EXPECT_EQ(address_count(*Cidr::parse("10.0.0.0/30")), 4U);
  EXPECT_EQ(address_count(*Cidr::parse("0.0.0.0/0")), std::uint64_t{1} << 32);
  EXPECT_EQ(address_count(*Cidr::parse("fd91::/112")), 65'536U);
}

}  // namespace
}  // namespace catflap::app
