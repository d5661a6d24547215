// exec: commands in containers over WebSocket (v5.channel.k8s.io, or v4 from API servers
// before 1.30). Each message's first byte is its channel: 1 stdout, 2 stderr, 3 the final Status,
// 255 (v5) the end of a channel. A newcomer's surprise: a connection that ends without a Status on
// channel 3 says nothing about the command. It is an error here, never exit code 0.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kube/api.hpp"
#include "kube/loop.hpp"
#include "kube/transport.hpp"

namespace catflap::kube {

/// Runs all, at most `parallel` at once; afterwards every element of `results` is set.
[[nodiscard]] Task<void> exec_all(Transport& transport, Scope& scope,
                                  const std::vector<ExecCall>& calls, std::size_t parallel,
                                  std::vector<std::optional<Result<ExecOutput>>>& results);

/// Puts the channels of one exec together. Pure.
class ExecChannels {
 public:
  explicit ExecChannels(std::size_t max_bytes) : max_bytes_(max_bytes) {}
  /// One message; malformed_input for more than max_bytes or an unknown channel.
  [[nodiscard]] Result<void> take(std::string_view message);
  [[nodiscard]] bool finished() const { return status_.has_value(); }
  /// After the status: the output with the exit code, or why there was none. `subject` names the
  /// container.
  [[nodiscard]] Result<ExecOutput> result(const std::string& subject);

 private:
  std::size_t max_bytes_;
  ExecOutput output_;
  std::optional<std::string> status_;
};

}  // namespace catflap::kube
