// Plans, rollouts, writes and undo for people.
#pragma once

#include <span>
#include <string>

#include "core/model/cluster.hpp"
#include "core/model/plan.hpp"
#include "render/change.hpp"
#include "render/style.hpp"

namespace catflap::render {

/// The plan under the article's step titles, each with the command that does it by hand. Commands
/// are not wrapped: they are there to be pasted.
[[nodiscard]] std::string plan_text(const Plan& plan, const ClusterFacts& facts,
                                    const std::string& program, const Style& style);

/// The command that goes on from a plan; "" after a refusal.
[[nodiscard]] std::string plan_next(const Plan& plan, const std::string& program,
                                    const Style& style);

/// The declared ports of all Felix pods, "9091" if there are none.
[[nodiscard]] std::string ports_text(const ClusterFacts& facts);

/// One line: "kube-system/calico-node  2 of 3 nodes done, 1 creating (12 s)".
[[nodiscard]] std::string rollout_line(const RolloutView& rollout);

/// That line and one for each node that is not done, at most `most`; what `wait` redraws.
[[nodiscard]] std::string rollout_text(const RolloutView& rollout, std::size_t most,
                                       const Style& style);

/// "disable-env  DaemonSet kube-system/calico-node  written".
[[nodiscard]] std::string written_text(std::span<const WrittenView> written, const Style& style);

/// After a run that did not come to its end: nodes that will restart without us, how to stop that,
/// and how to go on. `command_name`: close or undo.
[[nodiscard]] std::string still_running_text(const ChangeView& change, const char* command_name,
                                             const std::string& program, const Style& style);

/// What close wrote, and what of it has not come to its end.
[[nodiscard]] std::string change_text(const ChangeView& change, const std::string& program,
                                      const Style& style);

/// Before the question: an earlier run is gone on with. `writes`: steps that are still to be
/// written.
[[nodiscard]] std::string resume_text(const RunView& run, std::size_t writes, const Style& style);

[[nodiscard]] std::string lock_problem_text(const std::string& problem, const Style& style);

/// "Cluster  lab: https://10.90.0.1:6443, as admin"
[[nodiscard]] std::string cluster_and_user(const ClusterFacts& facts, const Style& style);

}  // namespace catflap::render
