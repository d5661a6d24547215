// How fast visits may begin, for a user who gave a rate.
#pragma once

#include <algorithm>

#include "base/clock.hpp"

namespace catflap::net {

/// Lets `rate` visits a second begin, evenly: after a pause none are made up for.
class Pace {
 public:
  Pace(double rate, SteadyPoint now) : rate_(rate), next_(now) {}

  [[nodiscard]] bool allows(SteadyPoint now) const { return rate_ <= 0 || now >= next_; }
  /// The soonest time for another; only if not allowed now.
  [[nodiscard]] SteadyPoint next() const { return next_; }
  void began(SteadyPoint now) {
    if (rate_ <= 0) return;
    // The clock's tick is a millisecond; what is due in the same one begins together.
    owed_ms_ += 1000.0 / rate_;
    const auto whole = static_cast<Duration::rep>(owed_ms_);
    owed_ms_ -= static_cast<double>(whole);
    next_ = std::max(next_, now) + Duration(whole);
  }

 private:
  double rate_;
  double owed_ms_ = 0;
  SteadyPoint next_;
};

}  // namespace catflap::net
