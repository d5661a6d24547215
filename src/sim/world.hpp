// What happens in the embedded cluster by itself: the tigera operator, the DaemonSet controller,
// the kubelets, Felix on every node, the controller that notices dead nodes. All of it in time, by
// the store's clock, when tick() is called.
//
// People and tests act on it through the API: they write objects, and annotations of a Node:
//   sim.catflap.dev/not-ready: "true"   its kubelet stands still; what runs there runs on
//   sim.catflap.dev/no-images: "true"   no image is there that is not pulled
//   sim.catflap.dev/agent               what is wrong with the answers of catflap's agent there
//   sim.catflap.dev/felix-starts        written here: how often Felix has started on the node
#pragma once

#include <functional>
#include <string>

#include "sim/agent.hpp"
#include "sim/daemon_sets.hpp"
#include "sim/exec_handler.hpp"
#include "sim/forward_frames.hpp"
#include "sim/jobs.hpp"
#include "sim/kubelets.hpp"
#include "sim/tigera_operator.hpp"

namespace catflap::sim {

class World {
 public:
  /// `store` holds the scenario's objects. Opens the scenario's listeners on `wire` (null: nothing
  /// is real). Then winds the clock with `advance` until every pod runs that can, which takes no
  /// time if the clock is wound by hand. All are borrowed.
  /// `usage` if a listener cannot be opened.
  [[nodiscard]] static Result<std::unique_ptr<World>> open(
      Store& store, Settings settings, Wire* wire, const std::function<void(Duration)>& advance);

  /// To be called every 20 ms or so.
  void tick();

  [[nodiscard]] const Settings& settings() const { return settings_; }
  [[nodiscard]] Sockets& sockets() { return sockets_; }
  /// How often Felix has started on that node since the world was opened.
  [[nodiscard]] int starts(const std::string& node) const { return kubelets_.starts(node); }
  /// Does a Felix listen for metrics on that node?
  [[nodiscard]] bool listens(const std::string& node) const;

  /// Plays the scripts that catflap runs: in a container of Felix's, and in a debug pod, which has
  /// what its annotation sim.catflap.dev/tools says (default curl). Other commands end with 127.
  [[nodiscard]] std::optional<ExecAnswer> exec(const ExecRequest& request) const;
  /// What kubectl logs shows of a container: what Felix and catflap's agent print.
  [[nodiscard]] Reply logs(const LogRequest& request) const;
  /// Who listens on localhost in that pod, which is on its node's network.
  [[nodiscard]] ForwardPlay forward(const ForwardRequest& request) const;

 private:
  World(Store& store, Settings settings, Wire* wire);
  Result<void> open_listeners();
  void settle(const std::function<void(Duration)>& advance);
  void apply_odd_pods(const OddPods& pods);
  void watch_nodes();
  void watch_node(const json::object& node);
  void lose_pods(const std::string& node);

  Store& store_;
  Settings settings_;
  Sockets sockets_;
  TigeraOperator tigera_operator_;
  DaemonSets daemon_sets_;
  Jobs jobs_;
  Kubelets kubelets_;
  TimePoint booted_;      // all nodes
  TimePoint due_{};       // when something happens by itself
  std::string quiet_at_;  // the store's resourceVersion after a tick that did nothing
};

}  // namespace catflap::sim
