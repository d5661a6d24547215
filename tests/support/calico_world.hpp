// A manifest install of Calico in a FakeCluster, alive: tick() plays the DaemonSet controller, the
// kubelets and Felix, one step every 50 ms. It starts exposed: environment or FelixConfiguration
// say true. It counts Felix's starts, because "at most one per node" is a promise.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/model/cluster.hpp"
#include "core/model/observation.hpp"
#include "core/model/plan.hpp"
#include "support/fake_cluster.hpp"

namespace catflap::test {

namespace json = boost::json;

inline const kube::Resource kFelixConfigurations{"crd.projectcalico.org", "v1",
                                                 "felixconfigurations"};
inline const kube::ObjectRef kCalicoNode{kube::kDaemonSets, "kube-system", "calico-node"};
inline const kube::ObjectRef kDefault{kFelixConfigurations, "", "default"};

struct WorldOptions {
  int nodes = 3;
  std::string env =
      R"([{"name":"FELIX_PROMETHEUSMETRICSENABLED","value":"true"}])";  // "null": none
  std::string felix_spec = "null";  // of FelixConfiguration default; "null": it has no spec
  bool on_delete = false;
};

class CalicoWorld {
 public:
  CalicoWorld(kube::FakeCluster& cluster, const WorldOptions& options);

  void tick();

  std::set<std::string> stuck;  // nodes whose new pods never become Ready
  bool controller_asleep = false;
  Duration controller_delay{std::chrono::milliseconds{300}};  // until it sees a change
  Duration pod_start{std::chrono::seconds{2}};

  /// How often Felix has started on that node since the world began.
  [[nodiscard]] int starts(const std::string& node) const { return starts_.at(node); }
  [[nodiscard]] int most_starts() const;
  /// Does 9091 of that node answer?
  [[nodiscard]] bool open(const std::string& node) const;
  [[nodiscard]] int open_nodes() const;

  [[nodiscard]] ClusterFacts facts() const;
  [[nodiscard]] Look look() const;  // from outside, with passed controls

  /// What the touched objects are, without what the server counts: for comparing before and after.
  [[nodiscard]] json::object snapshot() const;

 private:
  struct Felix {
    bool listens = false;                 // what it was started with
    std::optional<TimePoint> restart_at;  // in place, after a change of the resolved value
    TimePoint started{};
  };

  void run_controller();
  void run_kubelets();
  void run_felix();
  void make_revision(const json::object& daemon_set);
  void make_pod(const json::object& daemon_set, const std::string& node);
  void replace_one(const std::vector<json::object>& pods);
  void write_status(const json::object& daemon_set);
  [[nodiscard]] std::vector<json::object> pods() const;
  [[nodiscard]] const json::object& daemon_set() const { return *cluster_.find(kCalicoNode); }
  [[nodiscard]] bool resolved(const json::object& pod) const;
  [[nodiscard]] DaemonSetFacts daemon_set_facts() const;
  [[nodiscard]] PodFacts pod_facts(const json::object& pod) const;

  kube::FakeCluster& cluster_;
  std::vector<std::string> nodes_;
  std::map<std::string, int> starts_;
  std::map<std::string, Felix> felix_;  // by pod name
  std::map<std::string, TimePoint> ready_at_;
  std::string hash_;
  int pods_made_ = 0;
  std::optional<TimePoint> change_seen_at_;
  bool timers_run_ = true;      // something happens by itself in a while
  std::string quiet_at_;        // the cluster's resourceVersion after a tick that did nothing
  std::string quiet_settings_;  // and what a test had set then
};

/// Steps as make_plan would give them for this world.
[[nodiscard]] Step env_step(const ClusterFacts& facts, const std::string& after);
[[nodiscard]] Step felix_configuration_step(const kube::FakeCluster& cluster,
                                            const json::value& after, Restart restart);

}  // namespace catflap::test
