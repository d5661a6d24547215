// The command that runs in the agent's Jobs, on this machine.
#include <gtest/gtest.h>
#include <unistd.h>

#include "app/runtime_test.hpp"
#include "base/json_read.hpp"

namespace catflap::app {
namespace {

TEST(AgentCommand, LooksInsideAsListenersDoes) {
  test::World world;
  ASSERT_EQ(world.run({"agent"}), 0) << world.err.str();
  const auto document = json::parse(world.out.str()).as_object();
  EXPECT_EQ(text_at(document, {"kind"}), "Listeners");
  // Without the right to see process 1's root, nothing says whose machine this is.
  const bool readable = ::access("/proc/1/root/etc/machine-id", R_OK) == 0;
  EXPECT_EQ(value_at(document, {"host", "machineId"})->is_string(), readable);
}

TEST(AgentCommand, AsksAndTellsBetweenMarks) {
  test::World world;
  world.probe = [](std::span<const net::Target> targets, const net::ProbeOptions&) {
    EXPECT_EQ(targets.size(), 2U);
    EXPECT_TRUE(targets[1].control);
    return std::vector<Reach>{{.endpoint = targets[0].endpoint, .outcome = Outcome::refused},
                              {.endpoint = targets[1].endpoint, .outcome = Outcome::open}};
  };
  EXPECT_EQ(world.run({"agent", "5eed", "metrics=10.0.0.1:9091", "control=[fd00::1]:10250"}), 0);
  EXPECT_EQ(world.out.str(),
            "#5eed tool curl\n"
            "#5eed begin 0\n#5eed info 000 0.000\n#5eed exit 7\n#5eed words Connection refused\n"
            "#5eed end 0\n"
            "#5eed begin 1\n#5eed info 000 0.001\n#5eed exit 0\n#5eed words \n#5eed end 1\n");
}

TEST(AgentCommand, WhatIsNoEndpointIsAnError) {
  for (const char* word : {"10.0.0.1:9091", "metrics=", "metrics=n1:9091", "control=10.0.0.1"}) {
    test::World world;
    EXPECT_EQ(world.run({"agent", "5eed", word}), 2) << word;
  }
}

TEST(AgentCommand, LeavesNoEndpointOut) {
  test::World world;
  std::size_t asked = 0;
  world.probe = [&](std::span<const net::Target> targets, const net::ProbeOptions&) {
    asked = targets.size();
    return std::vector<Reach>(targets.size());
  };
  std::vector<std::string> words{"agent", "5eed"};
  words.resize(2 + 1023, "metrics=10.0.0.1:9091");
  EXPECT_EQ(world.run(words), 0);
  EXPECT_EQ(asked, 1023U);
  words.emplace_back("metrics=10.0.0.1:9091");
  EXPECT_EQ(world.run(words), 2);
  EXPECT_NE(world.err.str().find("1024 endpoints\n  next: at most 1023"), std::string::npos)
      << world.err.str();
}

}  // namespace
}  // namespace catflap::app
