// The clock of an embedded cluster that people use: the real time, some hours ago until the cluster
// has settled. It never jumps: the machine's wall clock may be set while it runs, and what is due
// in the cluster must neither wait for the lost time nor all happen at once.
#pragma once

#include <algorithm>

#include "base/clock.hpp"

namespace catflap::sim {

class Rewound final : public Clock {
 public:
  /// `real` is borrowed. Begins `behind` before its time.
  Rewound(const Clock& real, Duration behind)
      : real_(real), began_(real.now()), began_steady_(real.steady()), behind_(behind) {}

  [[nodiscard]] TimePoint now() const override {
    return began_ + (real_.steady() - began_steady_) - behind_;
  }
  [[nodiscard]] SteadyPoint steady() const override { return real_.steady(); }
  void advance(Duration by) { behind_ -= std::min(behind_, by); }
  void catch_up() { behind_ = {}; }

 private:
  const Clock& real_;
  TimePoint began_;
  SteadyPoint began_steady_;
  Duration behind_;
};

}  // namespace catflap::sim
