// Descriptors as the program reads and writes them: neither a pipe that nobody fills nor one that
// nobody empties outlives a stop request.
#pragma once

#include <optional>
#include <stop_token>
#include <streambuf>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace catflap::app {

/// Opens /dev/null on each of the descriptors 0 to 2 that is closed, so that no other file gets its
/// number. Reading from such a stdin and writing to such a stdout fail. Before anything is opened.
void hold_standard_descriptors();

/// A descriptor (not its own) line by line, blocking or not.
class LineReader {
 public:
  explicit LineReader(int descriptor) : descriptor_(descriptor) {}

  /// None at the end, or after a stop request. A line of more than 1 MiB comes in pieces. Fails
  /// if the descriptor cannot be read.
  [[nodiscard]] Result<std::optional<std::string>> next(const std::stop_token& stop);

 private:
  [[nodiscard]] std::string cut(std::size_t end);

  int descriptor_;
  std::string ahead_;
  std::size_t at_ = 0;  // where the next line begins
};

/// Writes to a descriptor (not its own). While nobody takes what it writes, a stop request ends it
/// after a second; then, as after a failed write, everything fails.
class OutputBuffer : public std::streambuf {
 public:
  OutputBuffer(int descriptor, std::stop_token stop);

 protected:
  int_type overflow(int_type c) override;
  int sync() override;

 private:
  [[nodiscard]] bool send();
  [[nodiscard]] bool wait_for_room() const;

  int descriptor_;
  std::stop_token stop_;
  std::vector<char> pending_;
  bool broken_ = false;
};

}  // namespace catflap::app
