#include "app/confirm.hpp"

#include <ostream>

#include "app/commands.hpp"

namespace catflap::app {

Result<void> can_confirm(const Runtime& runtime, const Options& options) {
  if (options.yes || runtime.io.in_is_terminal) return {};
  return Error{.kind = ErrorKind::usage,
               .what = fmt::format("{} asks before it writes, and there is no terminal to ask on",
                                   options.command->name),
               .hint = fmt::format("read {} plan, then run it with --yes", options.program)};
}

Result<void> confirm(const Runtime& runtime, const Options& options,
                     const std::string& cluster_name) {
  if (options.yes) return {};
  runtime.io.err << fmt::format("\nType the cluster's name ({}) to go on: ", cluster_name)
                 << std::flush;
  const std::optional<std::string> answer = runtime.io.read_line();
  if (!answer) {
    runtime.io.err << "\n";
    return Error{.kind = ErrorKind::interrupted, .what = "no answer; nothing was written"};
  }
  if (*answer == cluster_name) return {};
  return Error{.kind = ErrorKind::refused,
               .what = "that is not the cluster's name; nothing was written"};
}

}  // namespace catflap::app
