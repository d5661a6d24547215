// pods/portforward over WebSocket, v4.channel.k8s.io, as the real kubelet and containerd (1.33)
// play it: frames, and what the port answers. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/ip.hpp"

namespace catflap::sim {

struct ForwardRequest {
  std::string namespace_, pod;
  Port port = 0;
};

/// Who listens there: a kind of server_kinds.hpp on a node.
struct ForwardTarget {
  std::string serves;
  std::string node;
};

struct ForwardPlay {
  bool hangs = false;                   // nobody answers: the node's kubelet stands still
  std::optional<ForwardTarget> target;  // none: nothing listens
};
using ForwardHandler = std::function<ForwardPlay(const ForwardRequest& request)>;

/// Does the client offer the one protocol?
[[nodiscard]] bool offers_forward_protocol(const std::string& offered);

/// The port on both channels, which comes first.
[[nodiscard]] std::string forward_opening(Port port);
/// The node's words when nothing listens, and the end.
[[nodiscard]] std::string forward_refusal(Port port);
/// The answer to a request, and the end.
[[nodiscard]] std::string forward_answer(const ForwardTarget& target, std::string_view request);

/// Takes the client's frames off `buffer` and returns their data; frames that are not whole stay.
[[nodiscard]] std::string take_client_data(std::string& buffer);

}  // namespace catflap::sim
