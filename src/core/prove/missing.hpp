// What was missing for a basis, in reasons. Private to core/prove.
#pragma once

#include <vector>

#include "core/prove/evidence.hpp"

namespace catflap {

[[nodiscard]] Message pod_message(const char* code, const PodFacts& pod);

/// The pod whose Felix, if its build switches it on, listens on a port that nobody can name; or
/// null.
[[nodiscard]] const PodFacts* pod_on_unknown_port(const NodeEvidence& evidence);

/// Why no basis was found, as a person would ask: what did each vantage point say, in each look?
void explain_no_basis(const NodeEvidence& evidence, std::vector<Message>& missing);

}  // namespace catflap
