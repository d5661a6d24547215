#include "app/progress.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace catflap::app {
namespace {

TEST(Progress, ALongLineIsOneLineOnANarrowTerminal) {
  std::ostringstream out, err;
  const ManualClock clock;
  const Runtime runtime{.io = {.out = out, .err = err, .err_is_terminal = true}, .clock = clock};
  Progress progress(runtime, {});
  progress.update("", std::string(300, 'x') + "\ny\n");
  EXPECT_EQ(err.str(), "\x1b[?7l" + std::string(300, 'x') + "\ny\n\x1b[?7h") << "no wrapping";
  err.str("");
  progress.clear();
  EXPECT_EQ(err.str(), "\x1b[2F\x1b[J");
}

}  // namespace
}  // namespace catflap::app
