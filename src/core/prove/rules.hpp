// The verdict of one node, from all that was said and seen of it. Private to core/prove.
#pragma once

#include <string>
#include <vector>

#include "core/prove/evidence.hpp"

namespace catflap {

struct Judgement {
  Verdict verdict = Verdict::unknown;
  Basis basis = Basis::none;
  std::string by;
  std::vector<Message> reasons;
};

[[nodiscard]] Judgement judge(const NodeEvidence& evidence, const ProveInput& input);

}  // namespace catflap
