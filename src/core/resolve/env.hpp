// The environment of a container as the kubelet builds it: envFrom in order, then env in order,
// later names win. What a newcomer lacks: the kubelet keeps names apart that differ in case, Felix
// does not, so two entries that are different variables to the one are the same parameter, in
// random order, to the other.
#pragma once

#include <boost/json.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/declared.hpp"
#include "core/resolve/lookup.hpp"

namespace catflap {

namespace json = boost::json;

struct EnvVariable {
  std::string name;
  std::optional<std::string> value;  // none: not known, why says what stands in the way
  std::string why;
  Source source;              // field: "env NAME", with " from data[KEY]" for a ConfigMap or Secret
  bool from_list = false;     // set by an entry of env, which outranks every envFrom
  int times = 1;              // entries of env with exactly this name
  bool from_outside = false;  // a source of envFrom sets it too, or alone
};

/// An envFrom source whose content is not known: it may set any variable that begins with prefix.
struct OpaqueSource {
  Source source;
  std::string prefix;
  std::string why;
};

struct Environment {
  std::vector<EnvVariable> variables;  // one per exact name, sorted
  std::vector<OpaqueSource> opaque;    // in the order of envFrom

  /// The variable of exactly this name, or null.
  [[nodiscard]] const EnvVariable* find(std::string_view name) const;
};

/// Builds the environment of the named container of a pod (or of a pod template, then without
/// status). References that cannot be followed make the variable's value unknown, never absent; so
/// does a ConfigMap, Secret or key that is missing without being optional, since the container
/// could then not have started. Source: pkg/kubelet/kubelet_pods.go makeEnvironmentVariables,
/// third_party/forked/golang/expansion (Kubernetes 1.33).
[[nodiscard]] Environment build_environment(const json::object& pod, std::string_view container,
                                            const Lookups& config_maps, const Lookups& secrets);

/// The indices of the entries of a container's env list that set a Felix parameter
/// ("PrometheusMetricsEnabled"), duplicates and case variants included, in order.
[[nodiscard]] std::vector<std::size_t> env_entries_for(const json::array& env,
                                                       std::string_view parameter);

}  // namespace catflap
