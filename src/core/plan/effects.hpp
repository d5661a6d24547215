// What a plan does to the cluster beside the writes: how long it takes, who reads the endpoint,
// what stays, and the digest that tells whether the cluster is still the one that was planned for.
#pragma once

#include "core/model/plan.hpp"
#include "core/plan/plan.hpp"
#include "core/plan/situation.hpp"

namespace catflap {

/// Pods that the DaemonSet controller replaces at a time: maxUnavailable as a number, or as a part
/// of `pods`, rounded up; at least 1 (Kubernetes: pkg/controller/daemon, updatedDesiredNodeCounts).
[[nodiscard]] int batch_size(const std::string& max_unavailable, int pods);

/// About 6 s a batch: pod deletion, image start, Felix start and readiness, as measured with
/// Calico 3.30.1 on small nodes. 0: not known (OnDelete).
[[nodiscard]] Duration rollout_time(const DaemonSetFacts& daemon_set, int pods);

/// Fills expected, restarting_nodes, breaks and stays_up from the steps.
void describe_effects(Plan& plan, const std::vector<Situation>& situations);

/// Warnings about the rolling steps of one DaemonSet.
void warn_of_rollout(Plan& plan, const Situation& situation, const ClusterFacts& facts);

/// FNV-1a, 64 bits, over what the decision rests on: the objects (UID and generation or
/// resourceVersion; of a DaemonSet also its labels, annotations and owner references, but not its
/// status, which changes without anybody's doing), the steps and the options. 16 hexadecimal
/// digits. It notices changes; it is no protection against a forger.
[[nodiscard]] std::string digest_of(const Plan& plan, const ClusterFacts& facts,
                                    const PlanOptions& options);

}  // namespace catflap
