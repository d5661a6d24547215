// Completion: one engine that reads the tables; the shells' scripts only ask it (`catflap
// __complete WORDS…`).
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"

namespace catflap::app {

struct Completions {
  std::vector<std::pair<std::string, std::string>> candidates;  // word, description
  bool files = false;                                           // the shell may add names of files
};

/// `words` are those after the program's name; the last is being typed and may be empty.
[[nodiscard]] Completions complete(const std::vector<std::string>& words);

/// kubectl's protocol for kubectl_complete-NAME: "word<TAB>description" lines, then ":4" (no files)
/// or ":0".
[[nodiscard]] std::string completion_answer(const std::vector<std::string>& words);

/// The script for bash, zsh or fish.
[[nodiscard]] Result<std::string> completion_script(const std::string& shell);

}  // namespace catflap::app
