// Scopes and timers at the moments when two things happen at once.
#include "kube/loop.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <thread>

namespace catflap::kube {
namespace {

using ::testing::HasSubstr;

TEST(Loop, AScopeMayEndWhileItsExpiredTimerIsQueued) {
  Loop loop({});
  auto scope = std::make_unique<Scope>(loop.root());
  bool ended = false;
  // Both are due when the loop runs, so both handlers are queued before the first of them ends the
  // scope.
  boost::asio::steady_timer first(loop.io(), Duration{1});
  first.async_wait([&](boost::system::error_code) {
    scope.reset();
    ended = true;
  });
  scope->expire_after(Duration{2}, "late");
  std::this_thread::sleep_for(Duration{20});
  while (loop.run_one_for(Duration{20})) {
  }
  EXPECT_TRUE(ended);
  EXPECT_FALSE(loop.root().aborted());
}

Task<void> resolve_into(Loop& loop, std::optional<Result<std::vector<std::string>>>& out) {
  out.emplace(co_await loop.resolve(loop.root(), "localhost"));
}

TEST(Loop, AMachineWithoutRoomForAThreadIsAnError) {
  Loop loop({});
  std::optional<Result<std::vector<std::string>>> resolved;
  pthread_attr_t before;
  pthread_attr_t huge;
  ASSERT_EQ(::pthread_getattr_default_np(&before), 0);
  ASSERT_EQ(::pthread_getattr_default_np(&huge), 0);
  ::pthread_attr_setstacksize(&huge, std::size_t{1} << 47);  // more than there are addresses
  ASSERT_EQ(::pthread_setattr_default_np(&huge), 0);
  loop.run(resolve_into(loop, resolved));
  ::pthread_setattr_default_np(&before);
  ASSERT_TRUE(resolved.has_value());
  ASSERT_FALSE(resolved->has_value());
  EXPECT_THAT(resolved->error().what, HasSubstr("no thread could be started"));
  loop.run(resolve_into(loop, resolved));
  EXPECT_TRUE(resolved->has_value());
}

}  // namespace
}  // namespace catflap::kube
