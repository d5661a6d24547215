// Manifests put into a store, as `kubectl apply` would.
#pragma once

#include <string>
#include <vector>

#include "sim/store.hpp"

namespace catflap::sim {

/// "apps/v1", "DaemonSet" -> its resource. The plural is made up as English has it.
[[nodiscard]] Resource resource_of(const std::string& api_version, const std::string& kind);

/// What was put into a store, so that it can be found by kind alone.
class Manifests {
 public:
  explicit Manifests(Store& store) : store_(store) {}

  /// Merged over an object of that name, else created; a List is its items. usage without kind or
  /// name.
  [[nodiscard]] Result<void> apply(const json::object& object);
  /// A namespace object for every namespace that something is in, and for those that every cluster
  /// has.
  void add_namespaces();

  /// "daemonset/kube-system/calico-node", or "felixconfiguration/default". usage: there is none.
  [[nodiscard]] Result<ObjectRef> find(const std::string& target) const;

 private:
  Store& store_;
  std::vector<ObjectRef> refs_;
};

}  // namespace catflap::sim
