// resolve: the configuration of one Felix pod, decided as Felix decides it (docs/how-it-decides.md
// names the sources).
#pragma once

#include <boost/json.hpp>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/cluster.hpp"
#include "core/model/declared.hpp"
#include "core/resolve/lookup.hpp"

namespace catflap {

/// /etc/calico/felix.cfg as the container sees it.
struct FelixConfigFile {
  enum class State { image_default, text, unreadable } state = State::image_default;
  std::string text;
  std::string path;  // where it comes from, e.g. hostPath /etc/calico
  std::string why;
};

struct ResolveInput {
  json::object pod;  // {metadata, spec, status}; of spec only what the Felix container needs
  std::string felix_container;  // its name in spec.containers
  std::string node;  // FelixHostname unless the environment says otherwise; "" for a template
  std::map<std::string, std::string> node_labels;  // empty: not known
  Lookups config_maps;  // a name that is not in here counts as unreadable
  Lookups secrets;
  FelixConfigFile file;
  const std::vector<json::object>* felix_configurations = nullptr;  // borrowed; may be null
  ReadState felix_configurations_state;
  std::string calico_version;  // "" if not known
};

/// The version of a pod's Calico: the one that its image's tag names, or the cluster's if that is
/// no version. "" if the two would make Felix behave differently: during an upgrade either may lag,
/// and a vendor's tag may count otherwise.
[[nodiscard]] std::string agreed_version(const std::string& image_tag,
                                         const std::string& cluster_version);

/// Does a felix.cfg say anything about the metrics endpoint, or keep Felix from starting?
[[nodiscard]] bool sets_metrics(std::string_view felix_cfg);

/// Every parameter of the metrics endpoint with the layer that decides it. A source that could
/// decide and could not be read makes the parameter unreadable, names that differ in case and in
/// effect make it ambiguous; neither is ever off. Sources:
/// felix/config/{config_params,env_var_loader,file_loader}.go, felix/calc/config_batcher.go,
/// felix/daemon/daemon.go.
[[nodiscard]] Declared resolve(const ResolveInput& input);

}  // namespace catflap
