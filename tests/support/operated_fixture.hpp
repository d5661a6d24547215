// For the tests of close and undo on an install of the tigera operator: the embedded cluster's own
// operator, by a clock that the tests wind, and a catflap that can be killed and started again.
#pragma once

#include <gmock/gmock.h>

#include <memory>

#include "act/close.hpp"
#include "act/undo.hpp"
#include "core/plan/plan.hpp"
#include "look/discover.hpp"
#include "sim/scenario.hpp"
#include "sim/world.hpp"
#include "support/fake_api.hpp"

namespace catflap::act {

inline const kube::Resource kInstallationKind{"operator.tigera.io", "v1", "installations"};
inline const kube::ObjectRef kDefaultInstallation{kInstallationKind, "", "default"};
inline const kube::ObjectRef kOverlay{kInstallationKind, "", "overlay"};
inline const kube::ObjectRef kSet{kube::kDaemonSets, "calico-system", "calico-node"};
inline const kube::ObjectRef kOperator{
    {"apps", "v1", "deployments"}, "tigera-operator", "tigera-operator"};
inline const kube::ObjectRef kStatus{{"operator.tigera.io", "v1", "tigerastatuses"}, "", "calico"};
inline const kube::ObjectRef kFelix{
    {"crd.projectcalico.org", "v1", "felixconfigurations"}, "", "default"};

inline constexpr const char* kPortSet = R"(
cluster:
  install: operator
  nodes: 2
  patches:
    - {target: installation/default, merge: {spec: {nodeMetricsPort: 9091}}}
    - {target: felixconfiguration/default, merge: {spec: {prometheusMetricsEnabled: true}}}
)";

class OperatedFixture : public testing::Test {
 protected:
  OperatedFixture() { build(kPortSet); }

  void build(const std::string& scenario) {
    cluster = std::make_shared<kube::FakeCluster>(clock);
    settings = sim::load_scenario(scenario, "test.yaml", *cluster, [](const IpAddress& address) {
                 return std::optional{address};
               }).value();
    world = sim::World::open(*cluster, settings, nullptr, [this](Duration by) {
              clock.advance(by);
            }).value();
    clock.advance(std::chrono::hours{1});
    before = snapshot();
    start_process();
  }

  void start_process() {
    api = std::make_unique<kube::FakeApi>(cluster);
    api->tick = [this] { world->tick(); };
    api->raw["/apis"] = json::parse(R"({"groups":[{"name":"crd.projectcalico.org"}]})");
    holder = {.id = "process-" + std::to_string(++processes), .pid = processes};
  }

  [[nodiscard]] ClusterFacts facts() {
    kube::FakeApi reader(cluster);
    reader.raw = api->raw;
    return look::discover(reader, clock, {}).value();
  }

  [[nodiscard]] Look look() {
    const auto now = clock.now();
    Look seen{.started = now, .finished = now};
    for (const auto& [node, addresses] : settings.addresses) {
      const bool open = world->listens(node);
      seen.reached.push_back({.vantage = "direct",
                              .node = node,
                              .endpoint = {addresses.front(), 9091},
                              .outcome = open ? Outcome::open : Outcome::refused,
                              .identity = open ? Identity::felix : Identity::none,
                              .felix_host = open ? node : "",
                              .http_status = open ? 200 : 0,
                              .at = now});
      seen.controls.push_back(
          {.vantage = "direct", .address = addresses.front(), .outcome = Outcome::open, .at = now});
    }
    return seen;
  }

  [[nodiscard]] Plan plan() {
    const auto known = facts();
    PlanOptions options;
    kube::FakeApi reader(cluster);
    if (const auto journal = read_journal(reader, "calico-system").value())
      options.own_pending = own_pending(*journal, known);
    return make_plan(known, {}, options);
  }

  [[nodiscard]] LockOptions lock() const {
    return {.holder = holder,
            .is_gone = [this](const Holder& other) { return other.pid < processes; }};
  }

  CloseOutcome close_now(Duration timeout = std::chrono::minutes{5}) {
    const Context context{.api = *api, .clock = clock};
    const CloseSeams seams{
        .discover = [this]() -> Result<ClusterFacts> { return facts(); },
        .look = [this](const ClusterFacts&, const auto&) -> Result<Look> { return look(); }};
    const auto planned = plan();
    EXPECT_TRUE(planned.refusals.empty()) << planned.refusals[0].message.code;
    return close(context, {planned, facts(), look()}, seams, {.timeout = timeout, .lock = lock()});
  }

  UndoOutcome undo_now(Duration timeout = std::chrono::minutes{5}) {
    const Context context{.api = *api, .clock = clock};
    return undo(context, {.namespaces = {"calico-system"},
                          .operated = operated_sets(facts()),
                          .timeout = timeout,
                          .lock = lock()});
  }

  /// What catflap may change, without what the server counts and the operator computes.
  [[nodiscard]] json::object snapshot() const {
    json::object all;
    for (const auto& ref : {kDefaultInstallation, kOverlay, kFelix, kSet}) {
      const auto* found = cluster->find(ref);
      if (found == nullptr) continue;
      json::object object = *found;
      object.erase("status");
      auto& metadata = object["metadata"].as_object();
      metadata.erase("resourceVersion");
      metadata.erase("generation");
      all[ref.resource.plural + ref.name] = std::move(object);
    }
    return all;
  }

  void edit(const kube::ObjectRef& ref, const std::function<void(json::object&)>& change) {
    cluster->edit(ref, change);
  }
  [[nodiscard]] int open_nodes() const {
    return static_cast<int>(world->listens("n1")) + static_cast<int>(world->listens("n2"));
  }

  ManualClock clock;
  std::shared_ptr<kube::FakeCluster> cluster;
  sim::Settings settings;
  std::unique_ptr<sim::World> world;
  std::unique_ptr<kube::FakeApi> api;
  Holder holder;
  json::object before;
  int processes = 0;
};

}  // namespace catflap::act
