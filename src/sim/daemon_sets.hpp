// The DaemonSet controller: revisions, pods, the rolling update, the status.
// Source: Kubernetes 1.33, pkg/controller/daemon/{daemon_controller,update}.go.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "sim/settings.hpp"
#include "sim/store.hpp"

namespace catflap::sim {

/// The pods of which a scenario says something, by uid.
using OddPods = std::map<std::string, PodSettings>;

using PodsByNode = std::map<std::string, std::vector<json::object>>;

class DaemonSets {
 public:
  explicit DaemonSets(Store& store) : store_(store) {}

  /// One look at every DaemonSet. Returns when it will act by itself.
  TimePoint tick();

  /// From here on the first pod of a node is made as `pods` says, at once, and none is replaced;
  /// until end_of_setup(). Pods that run Felix only.
  void begin_setup(const std::map<std::string, PodSettings>& pods);
  /// The pods that were made differently.
  OddPods end_of_setup();

 private:
  struct Watched {
    std::int64_t generation = 0;         // that the last look was at
    std::optional<TimePoint> change_at;  // when a newer one will have been noticed
    std::string hash;
    std::int64_t older = 0;  // revisions of stale pods, made up
  };
  struct Owned;

  TimePoint look_at(const json::object& set);
  void look_now(const json::object& set, Watched& watched);
  void keep_revision(const json::object& set, const json::object& pod_template,
                     const std::string& hash);
  void manage(const Owned& owned);
  void roll(const Owned& owned);
  void write_status(const Owned& owned);
  void make_pod(const Owned& owned, const std::string& node);
  void remove_pod(const json::object& pod);
  [[nodiscard]] PodsByNode pods_of(const json::object& set) const;
  [[nodiscard]] Owned owned_by(const json::object& set, const std::string& hash) const;

  Store& store_;
  std::map<std::string, Watched> watched_;  // by uid
  std::uint64_t names_ = 0;
  const std::map<std::string, PodSettings>* setup_ = nullptr;
  OddPods odd_;
};

/// What the label controller-revision-hash of this pod template is.
[[nodiscard]] std::string template_hash(const json::object& pod_template);

}  // namespace catflap::sim
