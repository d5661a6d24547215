// Where this cluster keeps Calico's own configuration, and what it says: three storage modes, and
// Felix picks one by rules that catflap must follow, because the other API group may hold old
// objects (Calico: libcalico-go/lib/backend/k8s/discovery.go).
#pragma once

#include "base/result.hpp"
#include "core/model/cluster.hpp"
#include "kube/api.hpp"

namespace catflap::look {

enum class Datastore { kubernetes, etcd };

/// By DATASTORE_TYPE or FELIX_DATASTORETYPE of Felix's container; without either, etcd only if it
/// names etcd's endpoints.
[[nodiscard]] Datastore datastore_of(const json::object& container);

/// Would every other request fail in the same way?
[[nodiscard]] bool ends_the_run(const Error& error);

/// Fills calico_api, calico_version and the FelixConfigurations with their state, for the
/// DaemonSets already in `facts`. What cannot be read is said in felix_configurations_state; only
/// what ends the run is an error.
[[nodiscard]] Result<void> read_calico(kube::Api& api, ClusterFacts& facts);

/// Could the FelixConfigurations that this DaemonSet's Felix reads be read?
[[nodiscard]] ReadState configurations_state_for(const ClusterFacts& facts,
                                                 const DaemonSetFacts& daemon_set);

/// The Felix container of the DaemonSet's template; null if there is none.
[[nodiscard]] const json::object* template_container(const DaemonSetFacts& daemon_set);

}  // namespace catflap::look
