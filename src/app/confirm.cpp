#include "app/confirm.hpp"

#include <ostream>

#include "app/commands.hpp"

namespace catflap::app {
namespace {

/// "https://10.0.0.1:6443/x" -> "10.0.0.1:6443"
std::string host_of(const std::string& server) {
  const std::size_t scheme = server.find("://");
  const std::size_t from = scheme == std::string::npos ? 0 : scheme + 3;
  return server.substr(from, server.find('/', from) - from);
}

}  // namespace

Result<void> can_confirm(const Runtime& runtime, const Options& options) {
  if (options.yes || runtime.io.in_is_terminal) return {};
  return Error{.kind = ErrorKind::usage,
               .what = fmt::format("{} asks before it writes, and there is no terminal to ask on",
                                   options.command->name),
               .hint = fmt::format("read {} plan, then run it with --yes", options.program)};
}

Result<void> confirm(const Runtime& runtime, const Options& options, const ClusterFacts& facts) {
  if (options.yes) return {};
  const std::string name = facts.cluster_name.empty() ? host_of(facts.server) : facts.cluster_name;
  runtime.io.err << fmt::format("\nType the cluster's name ({}) to go on: ", name) << std::flush;
  TRY_ASSIGN(const auto answer, runtime.io.read_line(runtime.stop));
  if (!answer) {
    runtime.io.err << "\n";
    return Error{.kind = ErrorKind::interrupted, .what = "no answer; nothing was written"};
  }
  if (!name.empty() && *answer == name) return {};
  return Error{.kind = ErrorKind::refused,
               .what = "that is not the cluster's name; nothing was written"};
}

}  // namespace catflap::app
