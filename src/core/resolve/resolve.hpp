// resolve: the configuration of one Felix pod, decided as Felix decides it (docs/how-it-decides.md names the sources).
#pragma once

#include <boost/json.hpp>
#include <map>
#include <string>
#include <vector>

#include "core/model/cluster.hpp"
#include "core/model/declared.hpp"

namespace catflap {

/// A ConfigMap or Secret that the container's environment refers to.
struct Lookup {
  enum class State { found, absent, unreadable } state = State::absent;
  std::map<std::string, std::string> data;  // decoded
  std::string why;                          // for unreadable: the server's word
};

/// /etc/calico/felix.cfg as the container sees it.
struct FelixConfigFile {
  enum class State { image_default, text, unreadable } state = State::image_default;
  std::string text;
  std::string path;  // where it comes from, e.g. hostPath /etc/calico
  std::string why;
};

struct ResolveInput {
  json::object pod;             // {metadata, spec, status}; of spec only what the Felix container needs
  std::string felix_container;  // its name in spec.containers
  std::string node;             // FelixHostname: the node's name unless the environment says otherwise
  std::map<std::string, std::string> node_labels;
  std::map<std::string, Lookup> config_maps;  // by name, in the pod's namespace
  std::map<std::string, Lookup> secrets;
  FelixConfigFile file;
  const std::vector<json::object>* felix_configurations = nullptr;  // borrowed; may be null
  ReadState felix_configurations_state;
  std::string calico_version;  // "" if not known
};

[[nodiscard]] Declared resolve(const ResolveInput& input);

}  // namespace catflap
