// Names: a look-up that hangs holds up neither others nor the end. (Looking up is played; the
// system's own is asked for localhost only.)
#include "app/resolver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

namespace catflap::app {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

const Addresses kFound{*IpAddress::parse("10.0.0.1")};

/// What hangs until it is opened; outlives the test, as the threads behind it do.
struct Gate {
  std::mutex mutex;
  std::condition_variable change;
  bool is_open = false;

  void wait() {
    std::unique_lock lock(mutex);
    change.wait(lock, [this] { return is_open; });
  }
  void open() {
    const std::scoped_lock lock(mutex);
    is_open = true;
    change.notify_all();
  }
};

struct Names : ::testing::Test {
  std::shared_ptr<Gate> gate = std::make_shared<Gate>();
  LookUp look_up = [gate = gate](const std::string& name) -> Result<Addresses> {
    if (name.starts_with("slow")) gate->wait();
    return kFound;
  };
  std::stop_source stop;
  std::vector<std::string> seen;  // names, or why not

  Resolver::Take into_seen(const std::string& name) {
    return [this, name](const Result<Addresses>& found) {
      seen.push_back(found ? name : found.error().what);
    };
  }
  ~Names() override { gate->open(); }
};

TEST_F(Names, ASlowOneHoldsUpNoOther) {
  Resolver resolver(look_up, {.threads = 2}, stop.get_token());
  for (const char* name : {"slow", "a", "b"}) EXPECT_TRUE(resolver.put(name, into_seen(name)));
  resolver.close();
  std::thread later([&] {
    std::this_thread::sleep_for(100ms);
    gate->open();
  });
  resolver.run();
  later.join();
  EXPECT_THAT(seen, ElementsAre("a", "b", "slow"));
}

TEST_F(Names, EachHasItsTime) {
  Resolver resolver(look_up, {.threads = 2, .each = 50ms}, stop.get_token());
  for (const char* name : {"slow", "a"}) EXPECT_TRUE(resolver.put(name, into_seen(name)));
  resolver.close();
  resolver.run();
  EXPECT_THAT(seen, ElementsAre("a", "the name is not resolved within 50ms"));
}

TEST_F(Names, AStopRequestWaitsForNone) {
  Resolver resolver(look_up, {.threads = 1, .ahead = 2}, stop.get_token());
  std::thread feeder([&] {
    while (resolver.put("slow", into_seen("slow"))) {  // until there is no room
    }
  });
  std::thread later([&] {
    std::this_thread::sleep_for(50ms);
    stop.request_stop();
  });
  resolver.run();
  feeder.join();
  later.join();
  EXPECT_TRUE(seen.empty());
  EXPECT_FALSE(resolver.put("a", into_seen("a")));
}

TEST_F(Names, NoMoreAtOnceThanThreads) {
  std::atomic<int> now = 0, most = 0;
  const LookUp count = [&](const std::string&) -> Result<Addresses> {
    const int mine = ++now;
    for (int before = most; before < mine && !most.compare_exchange_weak(before, mine);) {
    }
    std::this_thread::sleep_for(5ms);
    --now;
    return kFound;
  };
  Resolver resolver(count, {.threads = 4, .ahead = 8}, stop.get_token());
  std::thread feeder([&] {
    for (int i = 0; i < 40; ++i) EXPECT_TRUE(resolver.put("n", into_seen("n")));
    resolver.close();
  });
  resolver.run();
  feeder.join();
  EXPECT_EQ(seen.size(), 40U);
  EXPECT_GT(most, 1);
  EXPECT_LE(most, 4);
}

TEST(ResolveName, GivesEachAddressOnce) {
  const auto addresses = resolve_name("localhost");
  ASSERT_TRUE(addresses.has_value());
  EXPECT_THAT(*addresses, testing::Contains(*IpAddress::parse("127.0.0.1")));
  EXPECT_EQ(std::set(addresses->begin(), addresses->end()).size(), addresses->size());
  EXPECT_FALSE(resolve_name("no-such-name.invalid").has_value());
}

}  // namespace
}  // namespace catflap::app
