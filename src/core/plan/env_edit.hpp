// The container's env list with the endpoint switched off, entry for entry as `kubectl set env`
// would leave it. What a newcomer lacks: kubectl changes the FIRST entry of a name and drops its
// duplicates, while the kubelet lets the LAST one win; so after either tool one entry is left, in
// the place of the first (kubectl: pkg/cmd/set/helper.go, updateEnv).
#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

namespace catflap {

namespace json = boost::json;

struct EnvEdit {
  json::value before;  // the list; null: the container has none
  json::value after;
  std::vector<std::string> set;      // names set to "false"
  std::vector<std::string> removed;  // case variants that are dropped, each once
};

/// `outside`: names by which sources of envFrom set the parameter. They are left alone, and a
/// variable of the list outranks only its exact namesake, so the list has to use the same spelling;
/// every other spelling is removed. With no name from outside the list's own spelling is kept: the
/// article's (all capitals) if it is there, else the first; a new entry stands at the end.
[[nodiscard]] EnvEdit switch_off_in_env(const json::value* env,
                                        const std::vector<std::string>& outside);

}  // namespace catflap
