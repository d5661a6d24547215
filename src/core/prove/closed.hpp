// The proof of `closed`: what it needs, and what is missing. Private to core/prove.
#pragma once

#include <vector>

#include "core/prove/evidence.hpp"

namespace catflap {

struct ClosedProof {
  Basis basis = Basis::none;     // none: not proven
  bool foreign = false;          // proven for Felix, but somebody else is on the port: not_felix
  std::vector<Message> reasons;  // why it is proven, or everything that is missing
};

/// All of: declared off for every Felix pod there, Felix alive with the environment that was
/// judged, nothing seen against it, looks after Felix's start (two, at least `settle` apart, unless
/// one is enough), and a basis that every look supports.
[[nodiscard]] ClosedProof prove_closed(const NodeEvidence& evidence, const ProveInput& input);

/// The same for a node that has no Felix pod and should have none. Nobody can look inside it, so
/// every look has to bring refusals with a passed control.
[[nodiscard]] ClosedProof prove_no_felix(const NodeEvidence& evidence, const ProveInput& input);

/// Every InternalIP of the node refused at every port asked for, with a passed control (rejections
/// and silence are not refusals). all_but_foreign: the rest answered, and positively not as Felix.
enum class Refusals { all, all_but_foreign, no };
[[nodiscard]] Refusals network_refusals(const NodeLook& look, const NodeEvidence& evidence);

}  // namespace catflap
