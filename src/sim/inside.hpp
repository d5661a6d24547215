// What catflap's script would print in a Felix container of the embedded cluster.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/felix.hpp"
#include "sim/sockets.hpp"

namespace catflap::sim {

/// The nonce of catflap's script, if that is what the command runs, to the letter.
[[nodiscard]] std::optional<std::string> inside_nonce(const std::vector<std::string>& command);

/// A node and the container in it that the script runs in.
struct InsideState {
  std::vector<Socket> sockets;   // of the node, everybody's
  const Felix* felix = nullptr;  // null: the container does not run it
  Duration uptime{};
  TimePoint booted{};
  std::optional<std::string> felix_cfg;  // none: as the image has it, or as is mounted
};

[[nodiscard]] std::string inside_output(const std::string& nonce, const InsideState& state);

}  // namespace catflap::sim
