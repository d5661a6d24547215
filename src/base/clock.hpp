// Time: the clock is passed in; only main makes the real one, tests wind theirs by hand.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace catflap {

using Duration = std::chrono::milliseconds;
using TimePoint = std::chrono::time_point<std::chrono::system_clock, Duration>;  // wall time, UTC
using SteadyPoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual TimePoint now() const = 0;       // for records
  [[nodiscard]] virtual SteadyPoint steady() const = 0;  // for deadlines
};

class RealClock final : public Clock {
 public:
  [[nodiscard]] TimePoint now() const override;
  [[nodiscard]] SteadyPoint steady() const override;
};

/// A clock that stands still until advanced.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(TimePoint start = TimePoint{std::chrono::seconds{1'700'000'000}})
      : now_(start) {}
  [[nodiscard]] TimePoint now() const override { return now_; }
  [[nodiscard]] SteadyPoint steady() const override { return SteadyPoint{now_.time_since_epoch()}; }
  void advance(Duration by) { now_ += by; }

 private:
  TimePoint now_;
};

/// A duration in Go's syntax ("10s", "1m30s", "500ms", "1.5h"), as kubectl takes it. A bare "0" is
/// allowed. Never negative.
[[nodiscard]] Result<Duration> parse_duration(std::string_view text);

/// The shortest text of that syntax: "1m30s", "10s", "1.5s", "250ms", "0s".
[[nodiscard]] std::string to_string(Duration duration);

/// RFC 3339 in UTC with milliseconds: "2026-11-21T07:30:00.000Z".
[[nodiscard]] std::string to_rfc3339(TimePoint time);

/// Reads RFC 3339 (fraction optional, any offset; more than milliseconds are cut).
[[nodiscard]] std::optional<TimePoint> parse_rfc3339(std::string_view text);

}  // namespace catflap
