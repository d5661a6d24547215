// A Runtime of strings: what a test gives to run() and what came out.
#pragma once

#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "app/runtime.hpp"

namespace catflap::app::test {

/// No API server: connecting fails as it would without a kubeconfig.
struct World {
  std::ostringstream out, err;
  std::vector<std::string> answers;  // lines of stdin
  bool terminal = false;
  std::map<std::string, std::string> environment;
  ManualClock own_clock;
  const Clock* clock = &own_clock;  // the one that a fake API winds
  std::function<Result<std::unique_ptr<kube::Api>>(const ConnectFlags&)> connect =
      [](const ConnectFlags&) {
        return Error{.kind = ErrorKind::usage, .what = "no kubeconfig", .hint = "set KUBECONFIG"};
      };
  look::ProbeFunction probe;

  int run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "catflap");
    std::size_t next = 0;
    const auto read_line = [&](const std::stop_token&) -> Result<std::optional<std::string>> {
      return next < answers.size() ? std::optional(answers[next++]) : std::nullopt;
    };
    const Runtime runtime{.io = {.out = out,
                                 .err = err,
                                 .read_line = read_line,
                                 .in_is_terminal = terminal,
                                 .out_is_terminal = terminal,
                                 .err_is_terminal = terminal},
                          .environment = environment,
                          .clock = *clock,
                          .connect = connect,
                          .probe = probe};
    return app::run(arguments, runtime);
  }
};

}  // namespace catflap::app::test
