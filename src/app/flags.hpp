// Flags: the command line as typed, cut into words and values. Nothing is judged here but the
// flags' names.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace catflap::app {

struct Flags {
  std::string program;  // as help shows it: "catflap", or "kubectl catflap" for the plugin
  std::vector<std::string> words;  // what is not a flag: the command first
  std::map<std::string, std::vector<std::string>>
      values;  // by the flag's long name; a switch has "true"

  [[nodiscard]] bool has(const std::string& name) const { return values.count(name) != 0; }
  /// The last value given; "" if there is none.
  [[nodiscard]] std::string last(const std::string& name) const;
};

/// Fails with usage for an unknown flag (the hint names the nearest) or a flag without its value.
[[nodiscard]] Result<Flags> parse_flags(const std::vector<std::string>& arguments);

/// "kubectl catflap" if the program's path ends in kubectl-catflap, else "catflap".
[[nodiscard]] std::string program_name(const std::string& argv0);

}  // namespace catflap::app
