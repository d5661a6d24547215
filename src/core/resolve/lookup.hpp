// A ConfigMap or Secret that a container's environment refers to, and whether it could be read.
#pragma once

#include <map>
#include <string>

namespace catflap {

struct Lookup {
  enum class State { found, absent, unreadable } state = State::absent;
  std::map<std::string, std::string> data;  // decoded
  std::string why;                          // for unreadable: the server's word
};

using Lookups = std::map<std::string, Lookup>;  // by name, in the pod's namespace

}  // namespace catflap
