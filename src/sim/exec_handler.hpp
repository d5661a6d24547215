// What a command in a container would print. The API server asks whoever plays the kubelets.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace catflap::sim {

struct ExecRequest {
  std::string namespace_, pod, container;
  std::vector<std::string> command;
};

struct ExecAnswer {
  std::string out;
  std::string err;
  int exit_code = 0;
};

/// None: nobody answers, because the node's kubelet stands still or the container does not run; the
/// client waits until its patience ends.
using ExecHandler = std::function<std::optional<ExecAnswer>(const ExecRequest& request)>;

}  // namespace catflap::sim
