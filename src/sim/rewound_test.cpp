#include "sim/rewound.hpp"

#include <gtest/gtest.h>

namespace catflap::sim {
namespace {

using namespace std::chrono_literals;

/// A machine whose wall clock somebody sets.
struct Machine final : Clock {
  TimePoint wall{1h};
  SteadyPoint uptime{5min};
  [[nodiscard]] TimePoint now() const override { return wall; }
  [[nodiscard]] SteadyPoint steady() const override { return uptime; }
  void pass(Duration time) {
    wall += time;
    uptime += time;
  }
};

TEST(Rewound, WallClockThatIsSetMovesNothing) {
  Machine machine;
  Rewound clock(machine, 0ms);
  for (const auto set : {Duration{-40min}, Duration{24h}}) {
    const auto before = clock.now();
    machine.wall += set;
    EXPECT_EQ(clock.now(), before);
    machine.pass(3s);
    EXPECT_EQ(clock.now(), before + 3s);
  }
}

TEST(Rewound, CatchesUp) {
  Machine machine;
  Rewound clock(machine, 10min);
  EXPECT_EQ(clock.now(), TimePoint{50min});
  clock.advance(4min);
  EXPECT_EQ(clock.now(), TimePoint{54min});
  clock.advance(1h);
  EXPECT_EQ(clock.now(), TimePoint{1h}) << "not beyond the real time";
  Rewound another(machine, 10min);
  another.catch_up();
  EXPECT_EQ(another.now(), TimePoint{1h});
}

}  // namespace
}  // namespace catflap::sim
