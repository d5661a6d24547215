// The tigera operator as far as the metrics port goes: it renders spec.nodeMetricsPort of its
// Installations into the DaemonSets that it owns, and puts back what others write into their pod
// spec. Template annotations are merged and never removed.
// Source: tigera/operator v1.38, pkg/render/node.go, pkg/controller/utils/{component,merge}.go.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "sim/settings.hpp"
#include "sim/store.hpp"

namespace catflap::sim {

class TigeraOperator {
 public:
  explicit TigeraOperator(Store& store) : store_(store) {}

  /// Renders at once: the cluster is found as the operator has left it.
  void begin();
  /// Returns when it will act by itself. It does nothing without a Deployment
  /// tigera-operator/tigera-operator that has replicas, and while TigeraStatus calico says
  /// Degraded.
  TimePoint tick();

 private:
  [[nodiscard]] bool runs() const;
  [[nodiscard]] json::object effective_spec() const;
  /// The pod spec that it wants: as the DaemonSet was found, and the port.
  [[nodiscard]] json::object wanted(const json::object& set, const json::value& port);
  /// Writes what is not as wanted; or only says whether there is something to write.
  bool render(bool write);
  bool render_set(const json::object& set, const json::value& port, bool write);
  bool render_computed(const json::object& spec, bool write);

  Store& store_;
  std::map<std::string, json::object> found_;  // the pod specs at first sight, by uid
  std::optional<TimePoint> acts_at_;
};

}  // namespace catflap::sim
