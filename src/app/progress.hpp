// Progress on stderr: redrawn in place on a terminal, plain lines elsewhere (only when something
// changed), nothing with --quiet.
#pragma once

#include <string>

#include "app/options.hpp"
#include "app/runtime.hpp"

namespace catflap::app {

class Progress {
 public:
  Progress(const Runtime& runtime, const Options& options);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();  // clears what is being redrawn

  /// A line that stays.
  void say(const std::string& line);
  /// What is going on now. On a terminal `live` replaces what update() drew before; elsewhere
  /// `line` is printed if it differs from the last one.
  void update(const std::string& line, const std::string& live);
  void clear();

 private:
  std::ostream& err_;
  bool quiet_ = false;
  bool terminal_ = false;
  std::size_t drawn_lines_ = 0;
  std::string last_line_;
};

}  // namespace catflap::app
