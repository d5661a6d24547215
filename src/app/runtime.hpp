// What a run gets from the outside: streams, environment, clock, stop token, a way to the API
// server and the probe engine. Only main makes the real ones; tests pass string streams, a
// hand-wound clock and a fake API.
#pragma once

#include <functional>
#include <iosfwd>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "kube/api.hpp"
#include "look/look.hpp"

namespace catflap::app {

struct ConnectFlags;

struct Io {
  std::ostream& out;  // results
  std::ostream& err;  // progress, questions, errors
  /// One line of stdin; none at its end or after a stop request.
  std::function<Result<std::optional<std::string>>(const std::stop_token&)> read_line;
  bool in_is_terminal = false;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
};

struct Runtime {
  Io io;
  std::map<std::string, std::string> environment;
  const Clock& clock;
  std::stop_token stop;
  std::function<Result<std::unique_ptr<kube::Api>>(const ConnectFlags&)> connect;
  look::ProbeFunction probe;

  /// An environment variable; "" if it is not set.
  [[nodiscard]] std::string variable(const std::string& name) const;
};

/// The whole program but for real I/O: parses, validates, runs one command, prints. Returns the
/// exit code (docs/verdicts.md). arguments[0] is the program's name.
[[nodiscard]] int run(const std::vector<std::string>& arguments, const Runtime& runtime);

}  // namespace catflap::app
