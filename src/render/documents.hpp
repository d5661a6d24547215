// The documents of -o json and -o yaml, one function per kind (schemas/*.schema.json).
#pragma once

#include <functional>
#include <span>

#include "core/model/plan.hpp"
#include "core/plan/plan.hpp"
#include "render/change.hpp"
#include "render/document.hpp"
#include "render/verdict_text.hpp"

namespace catflap::render {

/// kind Diagnosis: {cluster, nodes[], daemonSets[], looks[]}
[[nodiscard]] json::object diagnosis_document(const Seen& seen, const RunInfo& run);

/// What a plan was made with; close --plan takes it from there.
struct PlanMadeWith {
  const PlanOptions& options;
  std::span<const std::string> from;  // vantage points
};
/// kind Plan: {result, digest, options, steps[], refusals[], warnings[], findings[], breaks[],
/// staysUp[], …}
[[nodiscard]] json::object plan_document(const Plan& plan, const PlanMadeWith& with,
                                         const RunInfo& run);

struct EvidenceInput {
  Seen seen;
  const Policy& policy;
  const char* purpose = "verify";      // or close
  const ChangeView* change = nullptr;  // of close
  std::span<const Reach> before;       // felix_host answers from before the change
  std::string file;                    // where the bundle is; empty: not kept
};
/// kind Evidence: as Diagnosis, with {purpose, policy, change, before[], evidenceFile}
[[nodiscard]] json::object evidence_document(const EvidenceInput& input, const RunInfo& run);

using Sha256 = std::function<std::string(std::string_view bytes)>;  // lower-case hex
/// The Evidence with observations[], raw{} and binary{}: everything a reviewer needs to judge
/// again.
[[nodiscard]] json::object evidence_bundle(const EvidenceInput& input, const RunInfo& run,
                                           const Sha256& sha256, const std::string& binary_sha256);

/// kind Error, with {change, evidenceFile}: a close that wrote and did not come to a proof.
[[nodiscard]] json::object failed_change_document(const ChangeView& change, const std::string& file,
                                                  const RunInfo& run);

/// kind Rollout: {result, daemonSets[]}
[[nodiscard]] json::object rollout_document(std::span<const RolloutView> rollouts,
                                            const RunInfo& run);

/// kind UndoResult: {result, journal, runId, run, older, steps[], rollouts[], stillRestarting,
/// freeze[], unfreeze[], lockProblem, error}
[[nodiscard]] json::object undo_document(const UndoView& undo, const RunInfo& run);

}  // namespace catflap::render
