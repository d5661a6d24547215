// What `catflap demo` tells: the whole procedure on the embedded cluster, one node of which needs
// patience.
#pragma once

#include <string>

#include "app/options.hpp"
#include "app/runtime.hpp"

namespace catflap::app {

/// The cluster of the story, as the text of a scenario file.
extern const char* const kDemoScenario;

/// Runs diagnose, plan, close and verify on the cluster of `kubeconfig`, each as a user would, with
/// words between them; `folder` takes the evidence. 0 if each ended as told.
[[nodiscard]] Result<int> tell_demo(const Runtime& runtime, const Options& options,
                                    const std::string& kubeconfig, const std::string& folder);

}  // namespace catflap::app
