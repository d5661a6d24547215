// run_program: a child process with bounded output and time. No shell.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace catflap::kube {

struct Program {
  std::string command;  // with a slash: a path; without: looked up in PATH
  std::vector<std::string> arguments;
  std::vector<std::string> environment;  // NAME=value, all of it
  enum class Input { none, inherited } input = Input::none;
  std::size_t max_stdout = 1u << 20;
  Duration timeout{std::chrono::seconds{60}};
  std::function<void(std::string_view)> on_stderr;  // as it comes; may be empty
};

struct ProgramOutput {
  std::string stdout_;
  int exit_code = 0;  // 128 + n after signal n
};

/// not_found if there is no such program, timed_out, interrupted, malformed_input (too much
/// output). The child is killed and waited for in each case. Blocks.
[[nodiscard]] Result<ProgramOutput> run_program(const Program& program,
                                                const std::stop_token& stop);

}  // namespace catflap::kube
