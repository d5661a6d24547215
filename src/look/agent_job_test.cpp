// What the agent's Jobs are, as objects, and what their pods say of themselves.
#include "look/agent_job.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/json_read.hpp"

namespace catflap::look {
namespace {

TEST(AgentJob, TakesNoMoreThanItNeeds) {
  const auto job = [](AgentJob::Network network) {
    return job_manifest({.node = "n1", .network = network, .image = "calico/node:1"}, "a", "r");
  };
  const auto inside = job(AgentJob::Network::node);
  const auto* spec = object_at(inside, {"spec", "template", "spec"});
  ASSERT_NE(spec, nullptr);
  EXPECT_EQ(text_at(*spec, {"nodeName"}), "n1");
  EXPECT_TRUE(true_at(*spec, {"hostNetwork"}) && true_at(*spec, {"hostPID"}));
  EXPECT_EQ(number_at(inside, {"spec", "activeDeadlineSeconds"}), 45);
  EXPECT_EQ(number_at(inside, {"spec", "ttlSecondsAfterFinished"}), 60);
  EXPECT_EQ(number_at(inside, {"spec", "backoffLimit"}), 0);
  const auto& container = spec->at("containers").at(0).as_object();
  EXPECT_EQ(text_at(container, {"imagePullPolicy"}), "Never");
  EXPECT_EQ(json::serialize(container.at("securityContext").at("capabilities")),
            R"({"drop":["ALL"],"add":["DAC_READ_SEARCH","SYS_PTRACE"]})");
  EXPECT_TRUE(true_at(container, {"securityContext", "readOnlyRootFilesystem"}));
  EXPECT_EQ(*value_at(*spec, {"automountServiceAccountToken"}), json::value(false));
  const auto outside = job(AgentJob::Network::pod);
  const auto* pod = object_at(outside, {"spec", "template", "spec"});
  EXPECT_FALSE(pod->contains("hostNetwork") || pod->contains("hostPID"));
  const auto& security = pod->at("containers").at(0).at("securityContext").as_object();
  EXPECT_TRUE(true_at(security, {"runAsNonRoot"}));
  EXPECT_EQ(json::serialize(security.at("capabilities")), R"({"drop":["ALL"]})");
}

TEST(AgentJob, LeftOversAreThoseThatNobodyReads) {
  const auto now = *parse_rfc3339("2026-01-01T00:10:00Z");
  const auto left = [&](const std::string& made, const std::string& ended) {
    json::object job{{"metadata", {{"creationTimestamp", made}}}};
    if (!ended.empty())
      job["status"] = {{"conditions", json::array{json::object{{"type", "Complete"},
                                                               {"status", "True"},
                                                               {"lastTransitionTime", ended}}}}};
    return is_left_over(job, now);
  };
  EXPECT_FALSE(left("2026-01-01T00:09:30Z", ""));
  EXPECT_FALSE(left("2026-01-01T00:09:30Z", "2026-01-01T00:09:50Z")) << "another run may read it";
  EXPECT_TRUE(left("2026-01-01T00:09:30Z", "2026-01-01T00:09:40Z"));
  EXPECT_TRUE(left("2026-01-01T00:04:00Z", "")) << "none lives that long";
  EXPECT_TRUE(left("", ""));
}

TEST(AgentJob, WhatAPodSaysOfItself) {
  const auto says = [](const std::string& status) {
    const auto pod = json::parse(R"({"metadata":{},"status":)" + status + "}").as_object();
    const auto read = read_agent_pod(pod);
    const char* stage = read.stage == AgentPod::Stage::waits      ? "waits"
                        : read.stage == AgentPod::Stage::answered ? "answered"
                                                                  : "failed";
    return fmt::format("{} {} {}", stage, read.code, read.why);
  };
  const auto container = [](const char* phase, const char* state) {
    return fmt::format(R"({{"phase":"{}","containerStatuses":[{{"state":{}}}]}})", phase, state);
  };
  EXPECT_EQ(says(R"({"phase":"Succeeded"})"), "answered  ");
  EXPECT_EQ(says(R"({"phase":"Pending"})"), "waits  the kubelet has not begun");
  EXPECT_EQ(says(container("Pending", R"({"waiting":{"reason":"ContainerCreating"}})")),
            "waits  ContainerCreating");
  EXPECT_EQ(
      says(container("Pending", R"({"waiting":{"reason":"ErrImageNeverPull","message":"x"}})")),
      "failed agent-image ErrImageNeverPull: x");
  EXPECT_EQ(says(container("Pending", R"({"waiting":{"reason":"CreateContainerError"}})")),
            "failed agent-failed CreateContainerError");
  EXPECT_EQ(says(R"({"phase":"Failed","reason":"Evicted","message":"disk"})"),
            "failed agent-evicted Evicted: disk");
  EXPECT_EQ(says(R"({"phase":"Failed","reason":"DeadlineExceeded"})"),
            "failed agent-timeout DeadlineExceeded");
  EXPECT_EQ(says(R"({"phase":"Failed","reason":"OutOfmemory"})"),
            "failed agent-failed OutOfmemory");
  EXPECT_EQ(says(container("Failed", R"({"terminated":{"exitCode":137,"reason":"OOMKilled"}})")),
            "failed agent-failed its container ended with 137: OOMKilled");
  EXPECT_EQ(says("7"), "waits  the kubelet has not begun") << "hostile";
}

}  // namespace
}  // namespace catflap::look
