// What the tigera operator reads and whether it runs.
#pragma once

#include "base/result.hpp"
#include "core/model/cluster.hpp"
#include "kube/api.hpp"

namespace catflap::look {

/// Five requests, each for one object by its name. A right that is missing is said in the state of
/// what it hides; only what ends the run is an error. No Installation at all counts as not
/// readable: somebody renders the DaemonSet.
[[nodiscard]] Result<OperatorFacts> read_operator(kube::Api& api);

}  // namespace catflap::look
