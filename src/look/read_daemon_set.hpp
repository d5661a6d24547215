// The DaemonSets that run Felix, and which of their pods were made from an older template.
#pragma once

#include <string>

#include "base/result.hpp"
#include "core/model/cluster.hpp"
#include "kube/api.hpp"

namespace catflap::look {

/// `daemon_set` is kept whole (without managedFields): it may be changed, and owners leave marks on
/// it.
[[nodiscard]] Result<DaemonSetFacts> read_daemon_set(json::object&& daemon_set,
                                                     const std::string& felix_container);

/// Reads the ControllerRevisions and fills current_hash and revisions_state. One request. The
/// current revision is the one whose template equals the DaemonSet's: after a rollback that is not
/// the last one written, and right after a change there is none yet (Kubernetes,
/// pkg/controller/daemon/update.go compares in the same way).
void read_revisions(kube::Api& api, DaemonSetFacts& daemon_set);

/// Was the pod made from another template than the DaemonSet has now? By its
/// controller-revision-hash; where that cannot be told, by comparing Felix's container. `pod_spec`
/// is the pod's own.
[[nodiscard]] bool is_stale(const DaemonSetFacts& daemon_set, const std::string& template_hash,
                            const json::object& pod_spec);

}  // namespace catflap::look
