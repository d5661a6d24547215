#include "app/progress.hpp"

#include <ostream>

namespace catflap::app {

Progress::Progress(const Runtime& runtime, const Options& options)
    : err_(runtime.io.err), quiet_(options.quiet), terminal_(runtime.io.err_is_terminal) {}

Progress::~Progress() {
  clear();
}

void Progress::clear() {
  if (drawn_lines_ != 0) err_ << fmt::format("\x1b[{}F\x1b[J", drawn_lines_) << std::flush;
  drawn_lines_ = 0;
}

void Progress::say(const std::string& line) {
  if (quiet_) return;
  clear();
  err_ << line;
  if (!line.ends_with('\n')) err_ << '\n';
  err_.flush();
}

void Progress::update(const std::string& line, const std::string& live) {
  if (quiet_) return;
  if (!terminal_) {
    if (!line.empty() && line != last_line_) say(line);
    last_line_ = line;
    return;
  }
  clear();
  // Without wrapping, a line is one line on a narrow terminal too.
  err_ << "\x1b[?7l" << live;
  if (!live.ends_with('\n')) err_ << '\n';
  err_ << "\x1b[?7h" << std::flush;
  drawn_lines_ = static_cast<std::size_t>(std::count(live.begin(), live.end(), '\n')) +
                 (live.ends_with('\n') ? 0 : 1);
}

}  // namespace catflap::app
