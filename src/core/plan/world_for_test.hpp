// A small cluster for the tests of plans: objects as the API would give them, resolved by the real
// resolver, so that a plan can be carried out on them and made again.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/model/plan.hpp"
#include "core/model/verdict.hpp"
#include "core/resolve/resolve.hpp"

namespace catflap {

struct World {
  /// One node's pod that is not as the template would make it.
  struct Odd {
    std::string env;  // of the container; "" for the template's
    bool stale = false;
    bool terminating = false;
  };

  json::object daemon_set;
  std::vector<json::object> felix_configurations;
  std::vector<std::string> nodes{"n1", "n2", "n3"};
  std::map<std::string, Odd> odd;  // by node
  std::map<std::string, std::map<std::string, std::string>> config_maps;
  FelixConfigFile file;
  ReadState felix_configurations_state;
  std::string calico_version = "v3.30.1";
  std::string max_unavailable = "1";
  bool on_delete = false;
  int unavailable = 0;
  std::int64_t generation = 7;
  std::int64_t observed_generation = 7;
  std::string current_hash;  // of the revision that has the template; "": none is known
  std::vector<std::string> not_ready;
  std::optional<OperatorFacts> tigera_operator;

  /// `env`: entries beside those of every manifest, e.g. R"({"name":"A","value":"1"})".
  explicit World(const std::string& env = "");

  void add(const std::string& felix_configuration);
  /// The DaemonSet becomes calico-system/calico-node, rendered by the tigera operator from these
  /// Installations: {name: spec.nodeMetricsPort, null for none}.
  void operate(const json::object& installations);
  void set_env(const json::value& env);
  void set_env_from(const std::string& env_from);
  void set_metadata(const std::string& key, const std::string& value);
  [[nodiscard]] json::object& container();
  [[nodiscard]] ClusterFacts facts() const;
  /// The writes of a plan and what follows from them: every pod is made anew from the template.
  void carry_out(const Plan& plan);
};

/// {"metadata":{"name":NAME},"spec":SPEC} with annotations, as a FelixConfiguration of the v1 CRD.
[[nodiscard]] std::string felix_configuration(const std::string& name, const std::string& spec,
                                              const std::string& annotations = "{}");

/// A verdict in which these nodes' Felixes answered.
[[nodiscard]] ClusterVerdict answering(const std::vector<std::string>& nodes);

}  // namespace catflap
