// A verdict for people: one screen, whatever the cluster's size, and the wide table.
#pragma once

#include <span>
#include <string>

#include "core/model/verdict.hpp"
#include "render/change.hpp"
#include "render/style.hpp"

namespace catflap::render {

/// What a verdict was made from.
struct Seen {
  const ClusterFacts& facts;
  const ClusterVerdict& verdict;
  std::span<const Look> looks;  // oldest first
};

/// "lab: https://10.90.0.1:6443, Kubernetes v1.33.0, Calico v3.30.1, as admin"
[[nodiscard]] std::string cluster_line(const ClusterFacts& facts, const Style& style);

/// The verdicts: headline, groups with their reasons and what decides them.
[[nodiscard]] std::string verdict_summary(const Seen& seen, const Style& style);

/// Findings, one per code; at most `most`, then how many more there are.
[[nodiscard]] std::string findings_text(const ClusterVerdict& verdict, std::size_t most,
                                        const Style& style);

/// From where it was looked, what that touched, and which vantage points were skipped and why.
[[nodiscard]] std::string looked_text(std::span<const Look> looks, const Style& style);

/// The whole answer of `diagnose`, ending with the next command. At most 40 lines of kWidth
/// columns.
[[nodiscard]] std::string diagnosis_text(const Seen& seen, const std::string& program,
                                         const Style& style);

/// The answer of `verify` and `close`: the same with bases, the looks and where the evidence is (""
/// if it was not kept).
[[nodiscard]] std::string evidence_text(const Seen& seen, const std::string& evidence_file,
                                        const std::string& program, const Style& style);

/// What is left to do after a close: at the sources of owners that write back, and the way back.
[[nodiscard]] std::string after_close_text(const Seen& seen, const ChangeView& change,
                                           const std::string& program, const Style& style);

/// One line per node: addresses, verdict, basis, what decides, reasons.
[[nodiscard]] std::string wide_text(const Seen& seen);

/// "node/n1 exposed", one line per node.
[[nodiscard]] std::string name_text(const ClusterVerdict& verdict);

}  // namespace catflap::render
