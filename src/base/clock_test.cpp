#include "base/clock.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace catflap {
namespace {

using namespace std::chrono_literals;

TEST(Clock, ReadsDurationsAsGoWritesThem) {
  const struct {
    std::string_view text;
    Duration expected;
  } rows[] = {
      {"10s", 10s},
      {"1m30s", 90s},
      {"500ms", 500ms},
      {"1.5h", 90min},
      {"0", 0s},
      {"0s", 0s},
      {"1h1m1s1ms", 3661001ms},
      {".5s", 500ms},
      {"5.s", 5s},
      {"1.0015s", 1002ms},
      {"1us", 1ms},
      {"1000us", 1ms},
      {"3000\u00b5s", 3ms},
      {"1ns", 1ms},
      {"0.1s", 100ms},
      {"0.3s", 300ms},
      {"1s1s", 2s},
      {"2000000h", 2000000h},
  };
  for (const auto& row : rows) {
    const auto parsed = parse_duration(row.text);
    ASSERT_TRUE(parsed.has_value()) << row.text;
    EXPECT_EQ(*parsed, row.expected) << row.text;
  }
}

TEST(Clock, RefusesWhatIsNoDuration) {
  for (const std::string_view text :
       {"", " ", "10", "-1s", "+1s", "s", "10 s", "1s ", "1d", "1S", ".s", "1..5s", "0x1s", "1e3s",
        "00", "3000000h", "99999999999999999999999999h", "inf", "nan"}) {
    const auto parsed = parse_duration(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error().kind, ErrorKind::usage);
    EXPECT_FALSE(parsed.error().hint.empty());
  }
}

TEST(Clock, WritesDurationsShort) {
  const struct {
    Duration duration;
    std::string_view expected;
  } rows[] = {
      {0ms, "0s"},       {250ms, "250ms"},     {10s, "10s"},       {1500ms, "1.5s"},
      {90s, "1m30s"},    {60s, "1m"},          {3600s, "1h"},      {3601s, "1h1s"},
      {1050ms, "1.05s"}, {60250ms, "1m250ms"}, {-1500ms, "-1.5s"}, {1001ms, "1.001s"},
  };
  for (const auto& row : rows) EXPECT_EQ(to_string(row.duration), row.expected);
}

RC_GTEST_PROP(Clock, DurationTextReadsBackTheSame, ()) {
  const Duration duration{*rc::gen::inRange<std::int64_t>(0, 10'000'000'000)};
  const auto parsed = parse_duration(to_string(duration));
  RC_ASSERT(parsed.has_value());
  RC_ASSERT(*parsed == duration);
}

TEST(Clock, WritesAndReadsRfc3339) {
  EXPECT_EQ(to_rfc3339(TimePoint{1'700'000'000'123ms}), "2023-11-14T22:13:20.123Z");
  EXPECT_EQ(to_rfc3339(TimePoint{-1ms}), "1969-12-31T23:59:59.999Z");
  const struct {
    std::string_view text;
    Duration since_epoch;
  } rows[] = {
      {"2023-11-14T22:13:20Z", 1'700'000'000s},
      {"2023-11-14T22:13:20.5Z", 1'700'000'000'500ms},
      {"2023-11-14T22:13:20.1239999Z", 1'700'000'000'123ms},
      {"2023-11-15T03:43:20+05:30", 1'700'000'000s},
      {"2023-11-14T20:13:20.000-02:00", 1'700'000'000s},
      {"2024-02-29T00:00:00Z", 1'709'164'800s},
      {"1970-01-01t00:00:00z", 0s},
  };
  for (const auto& row : rows) {
    const auto parsed = parse_rfc3339(row.text);
    ASSERT_TRUE(parsed.has_value()) << row.text;
    EXPECT_EQ(parsed->time_since_epoch(), row.since_epoch) << row.text;
  }
}

TEST(Clock, RefusesWhatIsNotRfc3339) {
  for (const std::string_view text :
       {"", "2023-11-14", "2023-11-14 22:13:20Z", "2023-11-14T22:13:20", "2023-13-14T22:13:20Z",
        "2023-02-29T00:00:00Z", "2023-11-14T24:00:00Z", "2023-11-14T22:60:20Z",
        "2023-11-14T22:13:60Z", "2023-11-14T22:13:20.Z", "2023-11-14T22:13:20+0530",
        "2023-11-14T22:13:20Zx", "23-11-14T22:13:20Z", "2023-11-14T22:13:20+05:30x",
        "2023-11-00T22:13:20Z", "+023-11-14T22:13:20Z"})
    EXPECT_FALSE(parse_rfc3339(text).has_value()) << text;
}

RC_GTEST_PROP(Clock, InstantsReadBackTheSame, ()) {
  const TimePoint time{
      Duration{*rc::gen::inRange<std::int64_t>(-62'167'219'200'000, 253'402'300'799'999)}};
  RC_ASSERT(parse_rfc3339(to_rfc3339(time)) == time);
}

TEST(Clock, ManualClockStandsStillUntilAdvanced) {
  ManualClock clock;
  const auto before = clock.steady();
  EXPECT_EQ(clock.steady(), before);
  clock.advance(5s);
  EXPECT_EQ(clock.steady() - before, 5s);
}

TEST(Clock, RealClockIsNearTheSystems) {
  const RealClock clock;
  EXPECT_LT(std::chrono::system_clock::now() - clock.now(), 5s);
  EXPECT_LE(clock.steady(), clock.steady());
}

}  // namespace
}  // namespace catflap
