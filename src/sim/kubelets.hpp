// The kubelets: what happens to pods on their nodes. A node whose kubelet stands still keeps what
// runs on it, whatever the API says.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "sim/daemon_sets.hpp"
#include "sim/felix.hpp"

namespace catflap::sim {

/// A pod as its node has it.
struct RunningPod {
  json::object pod;  // as it was when the kubelet saw it first
  std::string node;
  TimePoint seen{};
  std::optional<TimePoint> starts_at;  // its containers, or the next try
  std::optional<TimePoint> started;
  std::optional<TimePoint> ready;  // none before it is
  std::optional<TimePoint> done;   // of a Job's: its container has ended by itself
  std::optional<TimePoint> ends_at;
  std::string waiting_reason = "ContainerCreating";
  std::string waiting_message;
  bool never_ready = false;
  bool never_ends = false;
  std::unique_ptr<Felix> felix;  // if one of its containers runs it
};

class Kubelets {
 public:
  Kubelets(Store& store, Sockets& sockets, const Settings& settings)
      : store_(store), sockets_(sockets), settings_(settings) {}

  /// Returns when something happens by itself again.
  TimePoint tick();

  /// What the scenario says of pods that are there already.
  void set_odd_pods(const OddPods& pods);

  /// How often Felix has started on that node, in place or in a new pod.
  [[nodiscard]] int starts(const std::string& node) const;
  void forget_starts();

  /// The pod that the node runs under that uid, which the API may not know any more.
  [[nodiscard]] const RunningPod* find(const std::string& uid) const;
  /// A Felix that runs on that node, or null.
  [[nodiscard]] const Felix* felix_of(const std::string& node) const;
  /// Does the kubelet of that node stand still?
  [[nodiscard]] bool stands_still(const std::string& node) const;

 private:
  TimePoint tick_node(const json::object& node, const std::vector<json::object>& there);
  TimePoint tick_pod(RunningPod& running);
  void start(RunningPod& running);
  [[nodiscard]] bool has_no_images(const std::string& node) const;
  bool end(const json::object& pod, RunningPod& running);
  void report(const std::string& uid, const RunningPod& running, const json::object& node);
  [[nodiscard]] std::optional<std::string> felix_container_in(const json::object& pod) const;

  Store& store_;
  Sockets& sockets_;
  const Settings& settings_;
  std::map<std::string, RunningPod> pods_;  // by uid
  OddPods odd_;
  std::map<std::string, int> past_starts_;  // by node, of Felixes that are gone
  std::map<std::string, int> forgotten_;    // by node, from before the world began
};

}  // namespace catflap::sim
