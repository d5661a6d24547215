#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "look/look.hpp"
#include "look/pod_script.hpp"
#include "support/fake_api.hpp"

namespace catflap::look {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// The script's nonce.
std::string nonce_of(const kube::ExecCall& call) {
  const auto& script = call.command.at(2);
  return script.substr(2, script.find('\n') - 2);
}

std::size_t asks_in(const kube::ExecCall& call) {
  std::size_t count = 0;
  const auto& script = call.command.at(2);
  for (std::size_t at = 0; (at = script.find("\na ", at)) != std::string::npos; ++at) ++count;
  return count;
}

class Pod : public testing::Test {
 protected:
  Pod() {
    for (int i = 1; i <= 5; ++i)
      facts.nodes.push_back(
          {.name = fmt::format("n{}", i),
           .addresses = {{*IpAddress::parse(fmt::format("10.0.0.{}", i)), "InternalIP"}}});
    api.on_exec = [this](const kube::ExecCall& call) -> Result<kube::ExecOutput> {
      sizes.push_back(asks_in(call));
      containers.push_back(call.container);
      const auto mark = "#" + nonce_of(call) + " ";
      std::string out = mark + "tool " + tool + "\n";
      for (std::size_t i = 0; i < asks_in(call); ++i) {
        // Of one endpoint of each node the script asks 10250 first, then 9091.
        const bool control = i % 2 == 0;
        const auto& body = control ? kubelet : felix;
        out += fmt::format("{0}begin {1}\n{2}{0}end {1}\n", mark, i,
                           fmt::format(fmt::runtime(body), fmt::arg("m", mark)));
      }
      return kube::ExecOutput{.stdout_ = out};
    };
  }

  Look look(const std::string& word = "pod/ns/debug/shell") {
    const LookContext context{.api = api, .clock = clock};
    auto result = look::look(context, facts, {.vantages = {word}});
    EXPECT_TRUE(result.has_value());
    return result.has_value() ? std::move(result).value() : Look{};
  }

  ManualClock clock;
  kube::FakeApi api{clock};
  ClusterFacts facts;
  std::string tool = "curl";
  std::string kubelet = "{m}info 401 0.01\n{m}exit 0\n{m}words \n";
  std::string felix = "{m}info 000 0.0\n{m}exit 7\n{m}words curl: (7) failed: Connection refused\n";
  std::vector<std::size_t> sizes;
  std::vector<std::string> containers;
};

TEST_F(Pod, AFewEndpointsACommand) {
  const auto seen = look();
  EXPECT_THAT(sizes, ElementsAre(8, 2));
  EXPECT_EQ(containers.at(0), "shell");
  ASSERT_THAT(seen.reached, SizeIs(5));
  EXPECT_EQ(seen.reached[0].vantage, "pod/ns/debug/shell");
  EXPECT_EQ(seen.reached[0].endpoint.to_string(), "10.0.0.1:9091");
  for (const auto& row : seen.reached) EXPECT_EQ(row.outcome, Outcome::refused);
  ASSERT_THAT(seen.controls, SizeIs(5));
  for (const auto& control : seen.controls) EXPECT_TRUE(control.passed());
  EXPECT_THAT(seen.skipped, IsEmpty());
}

TEST_F(Pod, BlindWithoutAKubelet) {
  kubelet = felix;
  const auto seen = look();
  EXPECT_THAT(seen.reached, IsEmpty());
  ASSERT_THAT(seen.skipped, SizeIs(1));
  EXPECT_EQ(seen.skipped[0].code, "blind");
}

TEST_F(Pod, WithoutAToolOrARightItIsSaidOnce) {
  tool = "none";
  auto seen = look();
  ASSERT_THAT(seen.skipped, SizeIs(1));
  EXPECT_EQ(seen.skipped[0].code, "no-tool");
  EXPECT_THAT(seen.reached, IsEmpty());
  api.on_exec = nullptr;
  seen = look();
  ASSERT_THAT(seen.skipped, SizeIs(1));
  EXPECT_EQ(seen.skipped[0].code, "forbidden");
  EXPECT_THAT(seen.reached, IsEmpty());
}

TEST(PodVantageWord, NamespaceNameAndPerhapsAContainer) {
  const auto name = parse_pod_vantage("pod/ns/debug/shell");
  ASSERT_TRUE(name.has_value());
  EXPECT_EQ(name->namespace_ + "," + name->name + "," + name->container, "ns,debug,shell");
  EXPECT_EQ(parse_pod_vantage("pod/ns/debug")->container, "");
  for (const auto* wrong : {"pod", "pod/", "pod/ns", "pod//debug", "pod/ns/", "pod/ns/debug/",
                            "pod/ns/debug/shell/more", "pods/ns/debug"})
    EXPECT_FALSE(parse_pod_vantage(wrong).has_value()) << wrong;
}

}  // namespace
}  // namespace catflap::look
