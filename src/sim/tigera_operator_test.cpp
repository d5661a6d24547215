#include "sim/tigera_operator.hpp"

#include <gmock/gmock.h>

#include "sim/edits.hpp"
#include "sim/json_patch.hpp"
#include "sim/scenario.hpp"
#include "sim/world.hpp"

namespace catflap::sim {
namespace {

using namespace std::chrono_literals;

const Resource kInstallations{"operator.tigera.io", "v1", "installations"};
const ObjectRef kDefault{kInstallations, "", "default"};
const ObjectRef kSet{kube::kDaemonSets, "calico-system", "calico-node"};
const ObjectRef kDeployment{{"apps", "v1", "deployments"}, "tigera-operator", "tigera-operator"};

class Operator : public testing::Test {
 protected:
  Operator() {
    settings_ = load_scenario("cluster: {install: operator, nodes: 1}", "test.yaml", store,
                              [](const IpAddress& address) { return std::optional{address}; })
                    .value();
    world_ =
        World::open(store, settings_, nullptr, [this](Duration by) { clock.advance(by); }).value();
  }

  void run(Duration time) {
    for (Duration gone{0}; gone < time; gone += 20ms) {
      world_->tick();
      clock.advance(20ms);
    }
  }
  void patch(const ObjectRef& ref, const char* merge) {
    store.edit(ref, [&](json::object& object) {
      object = apply_merge_patch(object, json::parse(merge)).as_object();
    });
    run(2s);
  }
  [[nodiscard]] json::object pod_template() const {
    return *object_at(*store.find(kSet), {"spec", "template"});
  }
  /// "true 9091", "" without.
  [[nodiscard]] std::string rendered() const {
    std::string text;
    const auto spec = pod_template();
    const auto& container = array_at(spec, {"spec", "containers"}).at(0).as_object();
    for (const auto* name : {"FELIX_PROMETHEUSMETRICSENABLED", "FELIX_PROMETHEUSMETRICSPORT"})
      if (const auto* entry = named(array_at(container, {"env"}), name))
        text += (text.empty() ? "" : " ") + text_at(*entry, {"value"});
    return text;
  }

  ManualClock clock;
  Store store{clock};

 private:
  Settings settings_;
  std::unique_ptr<World> world_;
};

TEST_F(Operator, RendersThePortAndTakesItAwayAgain) {
  EXPECT_EQ(rendered(), "");
  const auto before = pod_template();
  patch(kDefault, R"({"spec":{"nodeMetricsPort":9091}})");
  EXPECT_EQ(rendered(), "true 9091");
  patch(kDefault, R"({"spec":{"nodeMetricsPort":null}})");
  EXPECT_EQ(rendered(), "");
  EXPECT_EQ(pod_template().at("spec"), before.at("spec"));
  // Merged, and never removed.
  EXPECT_EQ(text_at(pod_template(), {"metadata", "annotations", "prometheus.io/port"}), "9091");
}

TEST_F(Operator, TheOverlayWinsAndCannotUnset) {
  patch(kDefault, R"({"spec":{"nodeMetricsPort":9091}})");
  store.put(kInstallations, {{"apiVersion", "operator.tigera.io/v1"},
                             {"kind", "Installation"},
                             {"metadata", {{"name", "overlay"}}},
                             {"spec", {{"nodeMetricsPort", 9095}}}});
  run(2s);
  EXPECT_EQ(rendered(), "true 9095");
  EXPECT_EQ(number_at(*store.find(kDefault), {"status", "computed", "nodeMetricsPort"}), 9095);
  patch({kInstallations, "", "overlay"}, R"({"spec":{"nodeMetricsPort":null}})");
  EXPECT_EQ(rendered(), "true 9091");
}

TEST_F(Operator, AnInstallationOfAnotherNameIsNotRead) {
  store.put(kInstallations, {{"apiVersion", "operator.tigera.io/v1"},
                             {"kind", "Installation"},
                             {"metadata", {{"name", "tigera-secure"}}},
                             {"spec", {{"nodeMetricsPort", 9095}}}});
  run(2s);
  EXPECT_EQ(rendered(), "");
  patch(kDefault, R"({"spec":{"nodeMetricsPort":9091}})");
  EXPECT_EQ(rendered(), "true 9091");
  store.erase(kDefault);
  run(2s);
  EXPECT_EQ(rendered(), "true 9091") << "without default it renders nothing new";
}

TEST_F(Operator, PutsBackAnEditOfThePodSpec) {
  const auto before = pod_template();
  patch(kSet, R"({"spec":{"template":{"spec":{"containers":[
      {"name":"calico-node","image":"calico/node:v3.30.1"}]}}}})");
  EXPECT_EQ(pod_template(), before);
}

TEST_F(Operator, DoesNothingWithoutAPodOrWhereItIsToldNotTo) {
  patch(kDeployment, R"({"spec":{"replicas":0}})");
  patch(kDefault, R"({"spec":{"nodeMetricsPort":9091}})");
  EXPECT_EQ(rendered(), "");
  patch(kSet, R"({"metadata":{"annotations":{"unsupported.operator.tigera.io/ignore":"true"}}})");
  patch(kDeployment, R"({"spec":{"replicas":1}})");
  EXPECT_EQ(rendered(), "");
  patch(kSet, R"({"metadata":{"annotations":{"unsupported.operator.tigera.io/ignore":null}}})");
  EXPECT_EQ(rendered(), "true 9091");
}

}  // namespace
}  // namespace catflap::sim
