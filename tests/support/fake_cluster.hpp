// The store of the embedded cluster (sim/store.hpp) with a clock that tests wind by hand, and the
// errors of the real client.
#pragma once

#include "sim/store.hpp"

namespace catflap::kube {

class FakeCluster final : public sim::Store {
 public:
  explicit FakeCluster(ManualClock& clock) : Store(clock), clock_(clock) {}
  [[nodiscard]] ManualClock& clock() { return clock_; }

 private:
  ManualClock& clock_;
};

/// Errors with the kinds and status codes of the real client.
[[nodiscard]] Error fake_forbidden(const std::string& verb, const Resource& resource);
[[nodiscard]] Error fake_unreachable();
[[nodiscard]] Error fake_timed_out();
[[nodiscard]] Error fake_too_many_requests();

}  // namespace catflap::kube
