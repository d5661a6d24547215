// The question before a write.
#pragma once

#include "app/options.hpp"
#include "app/runtime.hpp"
#include "core/model/cluster.hpp"

namespace catflap::app {

/// Nobody can be asked and --yes was not given: usage. Checked before any work is done.
[[nodiscard]] Result<void> can_confirm(const Runtime& runtime, const Options& options);

/// Asks to type the cluster's name, or its server's host if it has none. Errors: refused for any
/// other answer, interrupted without one. Nothing is asked with --yes.
[[nodiscard]] Result<void> confirm(const Runtime& runtime, const Options& options,
                                   const ClusterFacts& facts);

}  // namespace catflap::app
