// What every action gets: the API server, the clock, and the wish to stop.
#pragma once

#include <stop_token>

#include "base/clock.hpp"
#include "kube/api.hpp"

namespace catflap::act {

namespace json = boost::json;

struct Context {
  /// Not bound to `stop`: after it the teardown still has to give the lock back. Bound to a later
  /// wish (a second signal).
  kube::Api& api;
  const Clock& clock;
  std::stop_token stop;

  /// Our clock, corrected by what the server's Date header said: times that other machines read.
  [[nodiscard]] TimePoint server_now() const { return clock.now() + api.clock_skew(); }
};

/// interrupted, worded for the place that noticed.
[[nodiscard]] Error interrupted_error();

}  // namespace catflap::act
