// Durations and instants as text. Hand-written because GCC 12 has neither std::chrono::parse nor
// std::format.
#include "base/clock.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>

namespace catflap {
namespace {

using std::chrono::system_clock;

struct Unit {
  std::string_view name;
  double milliseconds;
};

// Go's time.ParseDuration; both code points of micro are in it.
constexpr std::array kUnits{
    Unit{"ns", 1e-6}, Unit{"us", 1e-3}, Unit{"\u00b5s", 1e-3}, Unit{"\u03bcs", 1e-3},
    Unit{"ms", 1},    Unit{"s", 1e3},   Unit{"m", 6e4},        Unit{"h", 3.6e6},
};

// Go's int64 nanoseconds end here; also far below what a double counts exactly in milliseconds.
constexpr double kLongest = 292.0 * 365 * 24 * 3.6e6;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string_view take_while(std::string_view& text, bool (*wanted)(char)) {
  std::size_t n = 0;
  while (n < text.size() && wanted(text[n])) ++n;
  const std::string_view head = text.substr(0, n);
  text.remove_prefix(n);
  return head;
}

/// One "1.5h" off the front, in milliseconds.
std::optional<double> take_term(std::string_view& text) {
  const std::string_view whole = take_while(text, is_digit);
  std::string_view fraction;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    fraction = take_while(text, is_digit);
  }
  if (whole.empty() && fraction.empty()) return std::nullopt;

  double value = 0;
  for (const char c : whole) value = value * 10 + (c - '0');
  double scale = 1;
  for (const char c : fraction) value += (c - '0') * (scale /= 10);

  const std::string_view name = take_while(text, [](char c) { return !is_digit(c) && c != '.'; });
  for (const Unit& unit : kUnits)
    if (unit.name == name) return value * unit.milliseconds;
  return std::nullopt;
}

Error not_a_duration(std::string_view text) {
  return {.kind = ErrorKind::usage,
          .what = fmt::format("\"{}\" is not a duration", text.substr(0, 64)),
          .hint = "write it like 10s, 1m30s or 500ms"};
}

/// Exactly `digits` decimal digits off the front.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int value = 0;
  for (const char c : text.substr(0, digits)) {
    if (!is_digit(c)) return std::nullopt;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take_char(std::string_view& text, char wanted) {
  if (!text.starts_with(wanted)) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::chrono::sys_days> take_date(std::string_view& text) {
  const auto year = take_number(text, 4);
  if (!year || !take_char(text, '-')) return std::nullopt;
  const auto month = take_number(text, 2);
  if (!month || !take_char(text, '-')) return std::nullopt;
  const auto day = take_number(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days{date};
}

std::optional<Duration> take_time_of_day(std::string_view& text) {
  const auto hour = take_number(text, 2);
  if (!hour || !take_char(text, ':')) return std::nullopt;
  const auto minute = take_number(text, 2);
  if (!minute || !take_char(text, ':')) return std::nullopt;
  const auto second = take_number(text, 2);
  // No leap second: Go, which writes every time stamp that we read, has none either.
  if (!second || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  Duration time =
      std::chrono::hours{*hour} + std::chrono::minutes{*minute} + std::chrono::seconds{*second};
  if (take_char(text, '.')) {
    const std::string_view fraction = take_while(text, is_digit);
    if (fraction.empty()) return std::nullopt;
    int unit = 100;
    for (const char c : fraction.substr(0, 3)) {
      time += Duration{(c - '0') * unit};
      unit /= 10;
    }
  }
  return time;
}

/// "Z" or "+01:00", which must be all that is left.
std::optional<std::chrono::minutes> take_offset(std::string_view text) {
  if (text == "Z" || text == "z") return std::chrono::minutes{0};
  const bool east = text.starts_with('+');
  if (!east && !text.starts_with('-')) return std::nullopt;
  text.remove_prefix(1);
  const auto hours = take_number(text, 2);
  if (!hours || !take_char(text, ':')) return std::nullopt;
  const auto minutes = take_number(text, 2);
  if (!minutes || !text.empty() || *hours > 23 || *minutes > 59) return std::nullopt;
  const auto offset = std::chrono::hours{*hours} + std::chrono::minutes{*minutes};
  return east ? offset : -offset;
}

}  // namespace

TimePoint RealClock::now() const {
  return std::chrono::floor<Duration>(system_clock::now());
}

SteadyPoint RealClock::steady() const {
  return std::chrono::floor<Duration>(std::chrono::steady_clock::now());
}

Result<Duration> parse_duration(std::string_view text) {
  if (text == "0") return Duration{0};
  std::string_view rest = text;
  if (rest.empty()) return not_a_duration(text);
  double total = 0;
  while (!rest.empty()) {
    const auto term = take_term(rest);
    if (!term) return not_a_duration(text);
    total += *term;
  }
  if (!(total <= kLongest)) return not_a_duration(text);
  // Fractions of a millisecond count up: a bound that somebody set must not become 0, "no bound".
  // The thousandth of a nanosecond is what binary fractions may be off by.
  return Duration{static_cast<Duration::rep>(std::ceil(total - 1e-9))};
}

std::string to_string(Duration duration) {
  if (duration == Duration::zero()) return "0s";
  std::string text;
  if (duration < Duration::zero()) {
    text = "-";
    duration = -duration;
  }
  const auto total = duration.count();
  if (const auto hours = total / 3'600'000) text += fmt::format("{}h", hours);
  if (const auto minutes = total / 60'000 % 60) text += fmt::format("{}m", minutes);
  const auto milliseconds = total % 60'000;
  if (milliseconds == 0) return text;
  if (milliseconds < 1000) return text + fmt::format("{}ms", milliseconds);
  std::string seconds = fmt::format("{}.{:03}", milliseconds / 1000, milliseconds % 1000);
  seconds.erase(seconds.find_last_not_of('0') + 1);
  if (seconds.ends_with('.')) seconds.pop_back();
  return text + seconds + "s";
}

std::string to_rfc3339(TimePoint time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

std::optional<TimePoint> parse_rfc3339(std::string_view text) {
  const auto date = take_date(text);
  if (!date || !(take_char(text, 'T') || take_char(text, 't'))) return std::nullopt;
  const auto time = take_time_of_day(text);
  if (!time) return std::nullopt;
  const auto offset = take_offset(text);
  if (!offset) return std::nullopt;
  return TimePoint{*date} + *time - *offset;
}

}  // namespace catflap
