// Where the targets of `probe` come from: the arguments, then a file or stdin.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "app/options.hpp"
#include "app/runtime.hpp"
#include "app/targets.hpp"
#include "base/handle.hpp"

namespace catflap::app {

class TargetSource {
 public:
  /// False: no more are wanted.
  using Take = std::function<bool(TargetSpec)>;

  TargetSource(const Runtime& runtime, const Options& options);

  /// What can be known to be wrong before the first packet leaves: every argument, and every line
  /// of a regular file. Before read().
  [[nodiscard]] Result<void> check();

  /// Each target, until the first line that is none, or a stop request. Empty lines and comments
  /// are skipped.
  [[nodiscard]] Result<void> read(const Take& take, const std::stop_token& stop);

 private:
  [[nodiscard]] Result<void> open_file();
  [[nodiscard]] Result<void> read_file(const Take& take, const std::stop_token& stop) const;

  const Runtime& runtime_;
  std::string file_;  // "": none, "-": stdin
  UniqueFd descriptor_;
  bool regular_ = false;
  std::vector<std::string> arguments_;
  std::vector<TargetSpec> specs_;
  bool missing_ = false;
};

}  // namespace catflap::app
