// The kinds of servers that a scenario can put on a node.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace catflap::sim {

inline constexpr std::array<std::string_view, 18> kServerKinds{"felix",
                                                               "felix-tls",
                                                               "felix-mtls",
                                                               "felix-any-cert",
                                                               "felix-verify-if-given",
                                                               "felix-token",
                                                               "typha",
                                                               "pushgateway",
                                                               "csi",
                                                               "plain-404",
                                                               "tls-garbage",
                                                               "reset",
                                                               "silent",
                                                               "slow-drip",
                                                               "endless-body",
                                                               "huge-header",
                                                               "redirect-loop",
                                                               "kubelet"};

[[nodiscard]] inline bool is_server_kind(std::string_view name) {
  return std::ranges::find(kServerKinds, name) != kServerKinds.end();
}

}  // namespace catflap::sim
