// The client's side of a WebSocket upgrade on a subresource of a pod (exec, portforward).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "kube/call.hpp"
#include "kube/http.hpp"

namespace catflap::kube {

/// A frame's mask: random.
[[nodiscard]] std::array<std::uint8_t, 4> random_mask();

class Upgrade {
 public:
  /// Offers these subprotocols.
  explicit Upgrade(std::vector<std::string> protocols);
  /// A GET of `target` that asks for the switch.
  [[nodiscard]] Call call(std::string target, std::string subject) const;
  /// unsupported: no switch; malformed_input: a wrong one.
  [[nodiscard]] Result<void> check(const ResponseHead& head) const;

 private:
  std::vector<std::string> protocols_;
  std::string key_;
};

/// What `open` failed with: the API server is well, the kubelet behind it is not, so its 500 must
/// not read as a bug.
[[nodiscard]] Error upgrade_error(Error error);

}  // namespace catflap::kube
