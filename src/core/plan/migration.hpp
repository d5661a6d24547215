// What a migration of Calico's configuration means for whoever would write.
#pragma once

#include <optional>

#include "core/model/plan.hpp"

namespace catflap {

struct ClusterFacts;

/// CF0074 or CF0075 with what to look at; none: no migration is under way.
[[nodiscard]] std::optional<Refusal> migration_refusal(const ClusterFacts& facts);

}  // namespace catflap
