// A finished command as a client of pods/exec reads it: WebSocket frames with a channel each. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/exec_handler.hpp"

namespace catflap::sim {

/// A server's frame; `payload` of less than 64 KiB.
void append_frame(std::string& out, char type, std::string_view payload);

/// The newest of v5 and v4 that the client offers (Sec-WebSocket-Protocol); "": neither.
[[nodiscard]] std::string exec_protocol(const std::string& offered);

/// All frames, the closing one too: stdout on channel 1, stderr on 2, the status on 3.
[[nodiscard]] std::string exec_frames(const std::string& protocol, const ExecRequest& request,
                                      const ExecAnswer& answer);
/// The frames of a command that could not be started, in the words of a real runtime.
[[nodiscard]] std::string unknown_program_frames(const std::string& protocol,
                                                 const ExecRequest& request);

}  // namespace catflap::sim
