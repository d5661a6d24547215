// Golden texts: what a view printed when somebody last read and accepted it (tests/golden).
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "base/text.hpp"

namespace catflap::test {

/// Compares with tests/golden/NAME. CATFLAP_UPDATE_GOLDEN=1 accepts the text instead; read the
/// difference before committing it.
inline void expect_golden(const std::string& name, const std::string& text) {
  const std::string path = std::string(CATFLAP_SOURCE_DIR) + "/tests/golden/" + name;
  if (std::getenv("CATFLAP_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << text;
    return;
  }
  std::ifstream file(path, std::ios::binary);
  std::ostringstream golden;
  golden << file.rdbuf();
  EXPECT_TRUE(golden.str() == text)
      << path << " differs. It is now:\n"
      << text << "To accept it: ./dev golden, and read the difference";
}

inline std::size_t count_lines(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

/// The widest line but for commands to paste ("     $ …").
inline std::size_t widest_line(const std::string& text) {
  std::istringstream lines(text);
  std::size_t widest = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.find("$ ") == std::string::npos) widest = std::max(widest, display_width(line));
  }
  return widest;
}

}  // namespace catflap::test
