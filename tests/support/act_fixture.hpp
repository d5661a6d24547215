// For the tests of close and undo: a living cluster, and a catflap that can be killed and started
// again.
#pragma once

#include <gmock/gmock.h>

#include <memory>

#include "act/close.hpp"
#include "act/undo.hpp"
#include "support/calico_world.hpp"
#include "support/fake_api.hpp"

namespace catflap::act {

inline constexpr const char* kEnvOff =
    R"([{"name":"FELIX_PROMETHEUSMETRICSENABLED","value":"false"}])";

class ActFixture : public testing::Test {
 protected:
  void build(const test::WorldOptions& options) {
    kube::FakeApi outside(clock);
    cluster = outside.shared_cluster();
    world = std::make_unique<test::CalicoWorld>(*cluster, options);
    snapshot = world->snapshot();
    start_process();
  }

  /// A new catflap process: another holder, a fresh connection.
  void start_process() {
    api = std::make_unique<kube::FakeApi>(cluster);
    api->tick = [this] { world->tick(); };
    holder = {
        .id = "process-" + std::to_string(++processes), .who = "alice@laptop", .pid = processes};
  }

  [[nodiscard]] LockOptions lock() const {
    // As main does it: the process of that number does not exist any more.
    return {.holder = holder,
            .is_gone = [this](const Holder& other) { return other.pid < processes; }};
  }

  CloseOptions options() {
    return {.timeout = std::chrono::minutes(5), .ticket = "CHG-7", .user = "alice", .lock = lock()};
  }

  /// What the command does: read, plan, close.
  CloseOutcome close_now() { return close_with(plan(), options()); }
  CloseOutcome close_with(const Plan& what, const CloseOptions& with) {
    const Context context{.api = *api, .clock = clock, .stop = stop.get_token()};
    return close(context, {what, world->facts(), world->look()}, seams(), with);
  }

  CloseSeams seams() {
    return {
        .discover = [this]() -> Result<ClusterFacts> { return world->facts(); },
        .look = [this](const ClusterFacts&, const auto&) -> Result<Look> { return world->look(); },
        .progress =
            [this](const Progress& progress) {
              if (on_progress) on_progress(progress);
            }};
  }

  UndoOutcome undo_now(UndoOptions::DryRun dry_run = UndoOptions::DryRun::none) {
    const Context context{.api = *api, .clock = clock, .stop = stop.get_token()};
    return undo(context, {.dry_run = dry_run,
                          .namespaces = {"kube-system", "calico-system"},
                          .timeout = std::chrono::minutes(5),
                          .lock = lock()});
  }

  /// The steps that the planner gives for this world, in its order of fewest restarts.
  virtual Plan plan() {
    Plan made;
    const auto facts = world->facts();
    const auto env = test::env_step(facts, kEnvOff);
    if (env.change.before != env.change.after) made.steps.push_back(env);
    return made;
  }

  [[nodiscard]] Journal journal() { return read_journal(*api, "kube-system").value().value(); }
  void edit_env(const char* env) {
    cluster->edit(test::kCalicoNode, [&](json::object& set) {
      set["spec"].at("template").at("spec").at("containers").as_array()[0].as_object()["env"] =
          json::parse(env);
    });
  }
  [[nodiscard]] std::int64_t generation() const {
    return cluster->find(test::kCalicoNode)
        ->at("metadata")
        .at("generation")
        .to_number<std::int64_t>();
  }

  ManualClock clock;
  std::shared_ptr<kube::FakeCluster> cluster;
  std::unique_ptr<test::CalicoWorld> world;
  std::unique_ptr<kube::FakeApi> api;
  std::function<void(const Progress&)> on_progress;
  json::object snapshot;
  std::stop_source stop;
  Holder holder;
  int processes = 0;
};

/// Environment absent and FelixConfiguration true: env `false` first, rolling; then
/// FelixConfiguration, masked.
class TwoStepFixture : public ActFixture {
 protected:
  TwoStepFixture() {
    build({.env = "null",
           .felix_spec = R"({"prometheusMetricsEnabled":true,"logSeverityScreen":"Info"})"});
  }

  Plan plan() override {
    Plan made = ActFixture::plan();
    const auto felix = test::felix_configuration_step(*cluster, false, Restart::none);
    if (felix.change.before != felix.change.after) made.steps.push_back(felix);
    return made;
  }
};

}  // namespace catflap::act
