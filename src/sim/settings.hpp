// What a scenario says of the embedded cluster beyond the objects in its store.
#pragma once

#include <boost/json.hpp>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/ip.hpp"

namespace catflap::sim {

namespace json = boost::json;

/// When something happens by itself again, without a change of the store.
inline constexpr TimePoint kNever = TimePoint::max();

/// A pod that differs from its DaemonSet's template.
struct PodSettings {
  json::value env;           // a map sets by name, a list is appended; null: as in the template
  bool ready = true;         // false: runs and never becomes Ready
  bool terminating = false;  // being deleted, and its kubelet does not get done with it
  bool stale = false;        // made from a template that is not the current one
};

/// A server that the scenario puts on a node.
struct ListenerSettings {
  std::optional<IpAddress> address;  // none: every address of the node
  Port port = 0;
  std::string serves;  // a kind of server_kinds.hpp
};

struct Denial {
  std::string verb;
  std::string resource;
};

struct Settings {
  std::string kubernetes = "1.33";
  bool vendor_default = false;  // this build of Felix serves metrics when nothing is set
  std::vector<std::string> nodes;
  std::set<std::string> not_ready;  // nodes whose kubelet stands still
  std::map<std::string, std::vector<IpAddress>>
      addresses;                            // of each node, as they can be bound here
  std::map<std::string, PodSettings> pods;  // by node
  std::map<std::string, std::vector<ListenerSettings>> listeners;  // by node
  std::map<std::string, std::string> felix_cfg;                    // by node: its felix.cfg
  std::vector<std::string> roles{"closer", "verifier"};            // of the command's user
  std::vector<Denial> deny;
};

/// An env list with a scenario's env applied: a map sets by name where the name stands (or at the
/// end), a list is appended in order, duplicates kept.
[[nodiscard]] json::array with_env(json::array env, const json::value& changes);

}  // namespace catflap::sim
