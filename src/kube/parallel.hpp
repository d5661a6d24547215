// Several calls at once, a bounded number at a time.
#pragma once

#include <functional>

#include "kube/loop.hpp"

namespace catflap::kube {

/// one(0) … one(count - 1), at most `parallel` at once; returns when all have ended. `one` must
/// live until then.
[[nodiscard]] Task<void> for_each_parallel(Scope& scope, std::size_t count, std::size_t parallel,
                                           const std::function<Task<void>(std::size_t)>& one);

}  // namespace catflap::kube
