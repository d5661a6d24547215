// The sources of one Felix pod's configuration, read once, and the layers of any parameter made
// from them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/resolve/env.hpp"
#include "core/resolve/felixconfiguration.hpp"
#include "core/resolve/layers.hpp"
#include "core/resolve/resolve.hpp"
#include "core/resolve/values.hpp"

namespace catflap {

/// Does this version of Felix know a feature that came with a release?
enum class Support { yes, no, unknown };

/// Adds what one object offers for a parameter: its candidates, or why Felix cannot use it.
void add_object(const FelixConfiguration& object, const Parameter& parameter, LayerValues& layer);

class Sources {
 public:
  /// `input` is borrowed and must outlive this.
  explicit Sources(const ResolveInput& input);

  /// Every layer above the compiled default, highest first.
  [[nodiscard]] std::vector<LayerValues> layers(const Parameter& parameter) const;

  [[nodiscard]] Support since(const Version& release) const;

  [[nodiscard]] const ResolveInput& input() const { return input_; }
  [[nodiscard]] const Environment& environment() const { return environment_; }
  [[nodiscard]] const std::vector<FelixConfiguration>& objects() const { return objects_; }
  [[nodiscard]] bool etcd_datastore() const { return etcd_; }

  /// Not default, not node.NAME: the names that count from 3.32 on.
  [[nodiscard]] static bool is_selector_scoped(const FelixConfiguration& object);

 private:
  [[nodiscard]] LayerValues env_layer(const Parameter& parameter) const;
  [[nodiscard]] LayerValues file_layer(const Parameter& parameter) const;
  [[nodiscard]] LayerValues node_layer(const Parameter& parameter) const;
  [[nodiscard]] LayerValues selector_layer(const Parameter& parameter) const;
  [[nodiscard]] LayerValues default_layer(const Parameter& parameter) const;
  [[nodiscard]] const FelixConfiguration* object(std::string_view name) const;
  void find_hostnames();
  void find_datastore();

  const ResolveInput& input_;
  Environment environment_;
  std::map<std::string, std::string> file_;
  std::string file_problem_;
  std::vector<FelixConfiguration> objects_;
  std::vector<std::string>
      hostnames_;  // that this Felix may have; more than one: it is not certain which
  std::string hostname_problem_;  // why the list may be incomplete
  bool etcd_ = false;
};

}  // namespace catflap
