// The embedded cluster in time, by a clock that the tests wind; nothing is real.
#include "sim/world.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "look/inside_script.hpp"
#include "sim/edits.hpp"
#include "sim/json_patch.hpp"
#include "sim/scenario.hpp"

namespace catflap::sim {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

const ObjectRef kSet{kube::kDaemonSets, "kube-system", "calico-node"};
const Resource kFelixConfigurations{"crd.projectcalico.org", "v1", "felixconfigurations"};

constexpr const char* kExposed = R"(
cluster:
  env: {FELIX_PROMETHEUSMETRICSENABLED: "true"}
)";

std::optional<IpAddress> as_it_is(const IpAddress& address) {
  return address;
}

struct Cluster {
  ManualClock clock;
  Store store{clock};
  std::unique_ptr<World> world;

  explicit Cluster(const std::string& scenario) {
    auto settings = load_scenario(scenario, "test.yaml", store, as_it_is);
    EXPECT_TRUE(settings.has_value()) << to_string(settings.error());
    auto opened = World::open(store, std::move(*settings), nullptr,
                              [this](Duration by) { clock.advance(by); });
    EXPECT_TRUE(opened.has_value());
    world = std::move(*opened);
    clock.advance(1h);
  }

  void run(Duration time) {
    for (Duration gone{0}; gone < time; gone += 20ms) {
      world->tick();
      clock.advance(20ms);
    }
  }
  /// What a user's `kubectl patch` would do.
  void patch(const ObjectRef& ref, const char* merge) {
    store.edit(ref, [&](json::object& object) {
      object = apply_merge_patch(object, json::parse(merge)).as_object();
    });
  }
  void set_env(const char* value) {
    store.edit(kSet, [&](json::object& set) {
      auto& containers = set.at("spec").at("template").at("spec").at("containers").as_array();
      for (auto& one : containers) {
        if (one.at("name") != "calico-node") continue;
        auto& env = array_in(one.as_object(), "env");
        env = with_env(env, {{"FELIX_PROMETHEUSMETRICSENABLED", value}});
      }
    });
  }
  void annotate(const std::string& node, const char* value) {
    store.edit({kube::kNodes, "", node}, [&](json::object& object) {
      object_in(object_in(object, "metadata"), "annotations")["sim.catflap.dev/not-ready"] = value;
    });
  }
  [[nodiscard]] json::object pod_on(const std::string& node) const {
    const auto pods =
        store.select({.resource = kube::kPods, .field_selector = "spec.nodeName=" + node});
    EXPECT_EQ(pods.size(), 1u) << node;
    return pods.empty() ? json::object{} : pods.front();
  }
  /// "n1 n3": where Felix listens for metrics.
  [[nodiscard]] std::string open() const {
    std::string names;
    for (const auto& node : world->settings().nodes)
      if (world->listens(node)) names += (names.empty() ? "" : " ") + node;
    return names;
  }
  [[nodiscard]] std::string starts() const {
    std::string counts;
    for (const auto& node : world->settings().nodes)
      counts += (counts.empty() ? "" : " ") + std::to_string(world->starts(node));
    return counts;
  }
  [[nodiscard]] bool is_settled() const {
    const auto& set = *store.find(kSet);
    return number_at(set, {"status", "observedGeneration"}) ==
               number_at(set, {"metadata", "generation"}) &&
           number_at(set, {"status", "updatedNumberScheduled"}) ==
               number_at(set, {"status", "desiredNumberScheduled"}) &&
           number_at(set, {"status", "numberUnavailable"}) == 0;
  }
};

TEST(World, BeginsWithEveryPodReady) {
  const Cluster cluster(kExposed);
  EXPECT_EQ(cluster.open(), "n1 n2 n3");
  EXPECT_EQ(cluster.starts(), "0 0 0");
  EXPECT_TRUE(cluster.is_settled());
  const auto pod = cluster.pod_on("n2");
  EXPECT_TRUE(is_condition_true(pod, "Ready"));
  EXPECT_EQ(text_at(pod, {"status", "podIP"}), "10.91.0.12");
  EXPECT_TRUE(name_of(pod).starts_with("calico-node-"));
  const auto& node = *cluster.store.find({kube::kNodes, "", "n2"});
  EXPECT_TRUE(is_condition_true(node, "Ready"));
  EXPECT_EQ(text_at(node, {"metadata", "annotations", "sim.catflap.dev/felix-starts"}), "0");
}

TEST(World, RollsOneNodeAtATimeAndStartsEachFelixOnce) {
  Cluster cluster(kExposed);
  cluster.set_env("false");
  cluster.run(100ms);
  EXPECT_FALSE(cluster.is_settled());
  EXPECT_EQ(cluster.open(), "n1 n2 n3") << "the controller has not seen it yet";
  const auto observed = [&] {
    return number_at(*cluster.store.find(kSet), {"status", "observedGeneration"});
  };
  EXPECT_LT(observed(), number_at(*cluster.store.find(kSet), {"metadata", "generation"}));
  std::vector<std::string> seen;
  for (int i = 0; i < 1500; ++i) {
    cluster.run(20ms);
    if (seen.empty() || seen.back() != cluster.open()) seen.push_back(cluster.open());
    const auto& set = *cluster.store.find(kSet);
    EXPECT_LE(number_at(set, {"status", "numberUnavailable"}), 1);
  }
  EXPECT_THAT(seen, testing::ElementsAre("n1 n2 n3", "n2 n3", "n3", ""));
  EXPECT_EQ(cluster.starts(), "1 1 1");
  EXPECT_TRUE(cluster.is_settled());
}

TEST(World, APercentageOfTheNodesGoesTogether) {
  Cluster cluster(R"(
cluster:
  nodes: 4
  env: {FELIX_PROMETHEUSMETRICSENABLED: "true"}
  patches:
    - target: daemonset/kube-system/calico-node
      merge: {spec: {updateStrategy: {rollingUpdate: {maxUnavailable: "50%"}}}}
)");
  cluster.set_env("false");
  cluster.run(1s);
  EXPECT_EQ(cluster.open(), "n3 n4");
}

TEST(World, OnDeleteReplacesNothingByItself) {
  Cluster cluster(R"(
cluster:
  env: {FELIX_PROMETHEUSMETRICSENABLED: "true"}
  patches:
    - {target: daemonset/kube-system/calico-node, merge: {spec: {updateStrategy: {type: OnDelete, rollingUpdate: null}}}}
)");
  cluster.set_env("false");
  cluster.run(30s);
  EXPECT_EQ(cluster.open(), "n1 n2 n3");
  cluster.store.erase(pod_ref(cluster.pod_on("n2")));
  cluster.run(10s);
  EXPECT_EQ(cluster.open(), "n1 n3");
  EXPECT_EQ(cluster.starts(), "0 1 0");
}

TEST(World, FelixOfANotReadyNodeOutlivesItsPodObject) {
  Cluster cluster(kExposed);
  cluster.annotate("n1", "true");
  cluster.run(1s);
  EXPECT_FALSE(is_condition_true(*cluster.store.find({kube::kNodes, "", "n1"}), "Ready"));
  const auto before = cluster.pod_on("n1");
  EXPECT_FALSE(is_condition_true(before, "Ready"));
  EXPECT_TRUE(true_at(*objects_at(before, {"status", "containerStatuses"}).front(), {"ready"}));
  cluster.set_env("false");
  cluster.run(30s);
  const auto after = cluster.pod_on("n1");
  EXPECT_NE(uid_of(before), uid_of(after)) << "grace 0: the object goes at once";
  EXPECT_EQ(text_at(after, {"status", "phase"}), "Pending");
  EXPECT_EQ(cluster.open(), "n1 n2 n3") << "one is unavailable already, so the rollout waits";
  EXPECT_FALSE(cluster.world->exec({"kube-system", name_of(after), "calico-node", {"sh"}}));
  cluster.annotate("n1", "false");
  cluster.run(30s);
  EXPECT_EQ(cluster.open(), "");
  EXPECT_EQ(cluster.starts(), "1 1 1");
  EXPECT_TRUE(cluster.is_settled());
}

TEST(World, AFelixConfigurationRestartsEveryFelixInItsContainer) {
  Cluster cluster("cluster: {}");
  const ObjectRef ref{kFelixConfigurations, "", "default"};
  if (cluster.store.find(ref) == nullptr)
    cluster.store.put(kFelixConfigurations, {{"metadata", {{"name", "default"}}}});
  cluster.run(1s);
  EXPECT_EQ(cluster.open(), "");
  const auto uid = uid_of(cluster.pod_on("n1"));
  cluster.patch(ref, R"({"spec":{"prometheusMetricsEnabled":true}})");
  cluster.run(2300ms);
  EXPECT_EQ(cluster.starts(), "0 0 0");
  cluster.run(600ms);
  EXPECT_EQ(cluster.open(), "n1 n2 n3");
  EXPECT_EQ(cluster.starts(), "1 1 1");
  EXPECT_EQ(uid_of(cluster.pod_on("n1")), uid);
  // Another field: the same again, and the port is shut for a moment.
  cluster.patch(ref, R"({"spec":{"logSeverityScreen":"Warning"}})");
  std::vector<std::string> seen;
  for (int i = 0; i < 200; ++i) {
    cluster.run(20ms);
    if (seen.empty() || seen.back() != cluster.open()) seen.push_back(cluster.open());
  }
  EXPECT_THAT(seen, testing::ElementsAre("n1 n2 n3", "", "n1 n2 n3"));
  // One that is masked by nothing and changes nothing.
  cluster.patch(ref, R"({"spec":{"prometheusMetricsPort":9091}})");
  cluster.run(5s);
  EXPECT_EQ(cluster.starts(), "2 2 2");
}

TEST(World, AMaskedChangeOfAFelixConfigurationRestartsNothing) {
  Cluster cluster(kExposed);
  const ObjectRef ref{kFelixConfigurations, "", "default"};
  if (cluster.store.find(ref) == nullptr)
    cluster.store.put(kFelixConfigurations, {{"metadata", {{"name", "default"}}}});
  cluster.run(5s);
  const auto before = cluster.starts();
  cluster.patch(ref, R"({"spec":{"prometheusMetricsEnabled":false}})");
  cluster.run(5s);
  EXPECT_EQ(cluster.starts(), before);
  EXPECT_EQ(cluster.open(), "n1 n2 n3");
}

TEST(World, ATakenPortIsTakenAsSoonAsItIsFree) {
  Cluster cluster(R"(
cluster:
  env: {FELIX_PROMETHEUSMETRICSENABLED: "true"}
  listeners: {n2: [{port: 9091, serves: pushgateway}]}
)");
  EXPECT_EQ(cluster.open(), "n1 n3");
  cluster.run(5s);
  EXPECT_EQ(cluster.open(), "n1 n3");
  for (const auto& socket : cluster.world->sockets().of_node("n2"))
    if (socket.owner == SocketOwner::other) cluster.world->sockets().close(socket.id);
  cluster.run(1100ms);
  EXPECT_EQ(cluster.open(), "n1 n2 n3");
  EXPECT_EQ(cluster.starts(), "0 0 0");
}

TEST(World, FelixWaitsForItsDatastore) {
  Cluster cluster(R"(
cluster:
  env: {FELIX_PROMETHEUSMETRICSENABLED: "true"}
  patches: [{target: clusterinformation/default, merge: {spec: {datastoreReady: false}}}]
)");
  const ObjectRef ref{{"crd.projectcalico.org", "v1", "clusterinformations"}, "", "default"};
  cluster.run(5s);
  EXPECT_EQ(cluster.open(), "");
  EXPECT_TRUE(is_condition_true(cluster.pod_on("n1"), "Ready"))
      << "Felix reports itself ready while it waits";
  cluster.patch(ref, R"({"spec":{"datastoreReady":true}})");
  cluster.run(1500ms);
  EXPECT_EQ(cluster.open(), "n1 n2 n3");
  EXPECT_EQ(cluster.starts(), "0 0 0");
  EXPECT_TRUE(is_condition_true(cluster.pod_on("n1"), "Ready"));
  // Not ready any more: it ends itself, and waits.
  cluster.patch(ref, R"({"spec":{"datastoreReady":false}})");
  cluster.run(10s);
  EXPECT_EQ(cluster.open(), "");
  EXPECT_EQ(cluster.starts(), "1 1 1");
}

TEST(World, TheDeclaredHostDecidesWhereFelixListens) {
  const auto address = [](const char* host) -> std::string {
    const Cluster cluster(fmt::format(R"(
cluster:
  env: {{FELIX_PROMETHEUSMETRICSENABLED: "true", FELIX_PROMETHEUSMETRICSHOST: "{}"}}
)",
                                      host));
    for (const auto& socket : cluster.world->sockets().of_node("n1"))
      if (socket.owner == SocketOwner::felix)
        return socket.address ? socket.address->to_string() : "*";
    return "armed";
  };
  EXPECT_EQ(address("localhost"), "127.0.0.1");
  EXPECT_EQ(address("10.91.0.11"), "10.91.0.11");
  EXPECT_EQ(address("0.0.0.0"), "*");
  EXPECT_EQ(address(""), "*");
  EXPECT_EQ(address("10.91.0.99"), "armed");
  EXPECT_EQ(address("metrics.invalid"), "armed");
}

TEST(World, PortTlsAndTheBuildDecideWhatIsServed) {
  const auto served = [](const std::string& cluster_part) -> std::string {
    const Cluster cluster("cluster:\n" + cluster_part);
    for (const auto& socket : cluster.world->sockets().of_node("n1"))
      if (socket.owner == SocketOwner::felix)
        return fmt::format("{} {}", socket.serves, socket.port > 30000 ? 0 : socket.port);
    return "nothing";
  };
  const std::string on = "  env: {FELIX_PROMETHEUSMETRICSENABLED: 'true'";
  EXPECT_EQ(served(on + "}\n"), "felix 9091");
  EXPECT_EQ(served(on + ", FELIX_PROMETHEUSMETRICSPORT: '9200'}\n"), "felix 9200");
  EXPECT_EQ(served(on + ", FELIX_PROMETHEUSMETRICSPORT: '0'}\n"), "felix 0");
  const std::string tls =
      on + ", FELIX_PROMETHEUSMETRICSCERTFILE: /c, FELIX_PROMETHEUSMETRICSKEYFILE: /k";
  const std::string ca = tls + ", FELIX_PROMETHEUSMETRICSCAFILE: /ca";
  EXPECT_EQ(served(tls + "}\n  calico: v3.33.0\n"), "nothing");
  EXPECT_EQ(served(ca + "}\n  calico: v3.33.0\n"), "felix-tls 9091");
  EXPECT_EQ(served(ca + "}\n  calico: v3.32.0\n"), "felix-mtls 9091");
  EXPECT_EQ(served(ca + "}\n"), "felix 9091") << "v3.30.1 does not know them";
  EXPECT_EQ(
      served(ca +
             ", FELIX_PROMETHEUSMETRICSCLIENTAUTH: RequireAnyClientCert}\n  calico: v3.33.0\n"),
      "felix-any-cert 9091");
  EXPECT_EQ(served("  vendor_default: true\n"), "felix 9091");
  EXPECT_EQ(served("  env: {FELIX_PROMETHEUSMETRICSENABLED: 'false'}\n  vendor_default: true\n"),
            "nothing");
  EXPECT_EQ(served("  felix_cfg: {n1: \"[global]\\nPrometheusMetricsEnabled = true\\n\"}\n"),
            "felix 9091");
  EXPECT_EQ(served(on + ", CALICO_DISABLE_FELIX: 'false'}\n"), "nothing");
}

TEST(World, PodsDifferAsTheScenarioSays) {
  Cluster cluster(R"(
cluster:
  nodes: 4
  env: {FELIX_PROMETHEUSMETRICSENABLED: "false"}
  patches:
    - {target: daemonset/kube-system/calico-node, merge: {spec: {updateStrategy: {type: OnDelete, rollingUpdate: null}}}}
  pods:
    n1: {env: {FELIX_PROMETHEUSMETRICSENABLED: "true"}}
    n2: {ready: false}
    n3: {terminating: true, env: {FELIX_PROMETHEUSMETRICSENABLED: "true"}}
    n4: {stale: true, env: {FELIX_PROMETHEUSMETRICSENABLED: "true"}}
)");
  cluster.run(20s);
  EXPECT_EQ(cluster.open(), "n1 n3 n4");
  EXPECT_FALSE(is_condition_true(cluster.pod_on("n2"), "Ready"));
  EXPECT_NE(text_at(cluster.pod_on("n3"), {"metadata", "deletionTimestamp"}), "");
  const auto hash = [&](const char* node) {
    return text_at(cluster.pod_on(node), {"metadata", "labels", "controller-revision-hash"});
  };
  EXPECT_EQ(hash("n1"), hash("n2"));
  EXPECT_NE(hash("n1"), hash("n4"));
}

TEST(World, AnImageThatDoesNotExistIsNeverReady) {
  Cluster cluster(kExposed);
  cluster.store.edit(kSet, [](json::object& set) {
    for (auto& one : set.at("spec").at("template").at("spec").at("containers").as_array())
      one.as_object()["image"] = "docker.io/calico/node:does-not-exist";
  });
  cluster.run(60s);
  const auto pod = cluster.pod_on("n1");
  const auto* status = objects_at(pod, {"status", "containerStatuses"}).front();
  EXPECT_EQ(text_at(*status, {"state", "waiting", "reason"}), "ImagePullBackOff");
  EXPECT_EQ(cluster.open(), "n2 n3") << "the rollout stops there";
  EXPECT_FALSE(cluster.is_settled());
}

TEST(World, TaintsKeepPodsAway) {
  Cluster cluster(R"(
cluster:
  install: none
  nodes: [{name: a}, {name: b, taints: [{key: own, effect: NoSchedule}]}]
  objects:
    - apiVersion: apps/v1
      kind: DaemonSet
      metadata: {name: calico-node, namespace: kube-system}
      spec:
        selector: {matchLabels: {k8s-app: calico-node}}
        template:
          metadata: {labels: {k8s-app: calico-node}}
          spec: {hostNetwork: true, terminationGracePeriodSeconds: 5, containers: [{name: calico-node, image: "calico/node:v3.30.1"}]}
)");
  EXPECT_EQ(cluster.store.select({.resource = kube::kPods}).size(), 1u);
  EXPECT_EQ(number_at(*cluster.store.find(kSet), {"status", "desiredNumberScheduled"}), 1);
  // Grace: the object stays a while, and the next pod waits for it.
  cluster.set_env("false");
  cluster.run(500ms);
  EXPECT_NE(text_at(cluster.pod_on("a"), {"metadata", "deletionTimestamp"}), "");
  cluster.run(10s);
  EXPECT_TRUE(cluster.is_settled());
}

TEST(World, ExecPrintsWhatTheLookReads) {
  Cluster cluster(R"(
cluster:
  env: {FELIX_PROMETHEUSMETRICSENABLED: "true"}
  listeners: {n1: [{port: 8080, address: 127.0.0.1, serves: csi}]}
  felix_cfg: {n1: "[global]\nLogSeverityScreen = info\n"}
)");
  const auto pod = name_of(cluster.pod_on("n1"));
  const auto answer = cluster.world->exec(
      {"kube-system", pod, "calico-node", {"sh", "-c", look::inside_script("abc123")}});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->exit_code, 0);
  const auto inside = look::parse_inside(answer->out, "abc123", cluster.clock.now());
  EXPECT_TRUE(inside.complete) << inside.problem;
  std::vector<std::string> rows;
  for (const auto& one : inside.listeners)
    rows.push_back(one.endpoint.to_string() + (one.felix ? " felix" : ""));
  EXPECT_THAT(rows, testing::UnorderedElementsAre("[::]:10250", "127.0.0.1:8080",
                                                  "127.0.0.1:9099 felix", "[::]:9091 felix"));
  ASSERT_EQ(inside.felix.size(), 1u);
  EXPECT_THAT(inside.felix[0].environment,
              testing::Contains(testing::Pair("FELIX_PROMETHEUSMETRICSENABLED", "true")));
  ASSERT_TRUE(inside.felix[0].started);
  EXPECT_GE(cluster.clock.now() - *inside.felix[0].started, 1h);
  EXPECT_LT(cluster.clock.now() - *inside.felix[0].started, 2h);
  EXPECT_EQ(inside.config_file, "[global]\nLogSeverityScreen = info\n");
  const auto other =
      cluster.world->exec({"kube-system", pod, "calico-node", {"sh", "-c", "rm -rf /"}});
  ASSERT_TRUE(other);
  EXPECT_EQ(other->exit_code, 127);
}

TEST(World, LogsSayWhatFelixMakesOfItsSettings) {
  Cluster cluster(R"(
cluster:
  env: {FELIX_PROMETHEUSMETRICSENABLED: "yes"}
  listeners: {n1: [{port: 9091, serves: pushgateway}]}
  patches:
    - {target: felixconfiguration/default, merge: {spec: {prometheusMetricsEnabled: false}}}
)");
  const auto logs = [&](const std::string& node, LogRequest request) {
    request.namespace_ = "kube-system";
    request.pod = name_of(cluster.pod_on(node));
    if (request.container.empty()) request.container = "calico-node";
    return cluster.world->logs(request);
  };
  const auto whole = logs("n2", {}).body;
  EXPECT_THAT(whole, HasSubstr("Parsing value for PrometheusMetricsEnabled: yes (from environment "
                               "variable)\n"));
  EXPECT_THAT(whole, HasSubstr("Parsed value for PrometheusMetricsEnabled: true (from environment "
                               "variable)\n"));
  EXPECT_THAT(whole, HasSubstr("Skipping config value for PrometheusMetricsEnabled from datastore "
                               "(global); already have a value from environment variable\n"));
  EXPECT_THAT(whole, HasSubstr("Prometheus metrics enabled.  Starting server.\n"));
  EXPECT_THAT(whole, HasSubstr("Starting prometheus metrics endpoint host=\"\" port=9091\n"));
  EXPECT_THAT(whole, testing::Not(HasSubstr("failed")));
  EXPECT_THAT(logs("n1", {}).body, HasSubstr("Prometheus metrics endpoint failed"));
  const auto last = logs("n2", {.tail = 1, .timestamps = true}).body;
  EXPECT_EQ(std::ranges::count(last, '\n'), 1);
  EXPECT_THAT(last, testing::StartsWith("20"));
  EXPECT_EQ(logs("n2", {.since = cluster.clock.now()}).body, "");
  EXPECT_EQ(logs("n2", {.bytes = 5}).body, whole.substr(0, 5));
  EXPECT_EQ(logs("n2", {.container = "install-cni"}).body, "");
  EXPECT_EQ(logs("n2", {.previous = true}).status, 400);
  cluster.annotate("n2", "true");
  EXPECT_EQ(logs("n2", {}).status, 500) << "nobody is there to ask";
  cluster.annotate("n2", "false");
  cluster.set_env("false");
  cluster.run(30s);
  const auto off = logs("n3", {}).body;
  EXPECT_THAT(off, HasSubstr("Parsed value for PrometheusMetricsEnabled: false"));
  EXPECT_THAT(off, testing::Not(HasSubstr("Starting server")));
}

TEST(World, AHundredNodesTakeNoTime) {
  const auto asked = RealClock().steady();
  Cluster cluster("cluster: {nodes: 100, env: {FELIX_PROMETHEUSMETRICSENABLED: \"true\"}}");
  cluster.run(1s);
  EXPECT_TRUE(cluster.is_settled());
  EXPECT_LT(RealClock().steady() - asked, 30s) << "with sanitizers; it is a tenth of that without";
}

}  // namespace
}  // namespace catflap::sim
