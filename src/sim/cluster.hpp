// The embedded cluster as one thing: a store that lives (world.hpp) and an API server before it, on
// a thread of its own.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.hpp"

namespace catflap::sim {

class Cluster {
 public:
  struct Options {
    std::string scenario = kDefaultScenario;  // the text of a scenario file
    std::string file = "the default scenario";
  };
  /// Three nodes of a manifest install that serve their metrics to anybody.
  static const char* const kDefaultScenario;

  /// Every pod runs, and requests are answered. Node addresses are those of the scenario if this
  /// machine has them; else 10.91.x.y is 127.91.x.y, and IPv6 is left out. usage: the scenario is
  /// wrong, or its ports are taken here.
  [[nodiscard]] static Result<std::unique_ptr<Cluster>> open(const Options& options);
  /// Ends every connection.
  ~Cluster();

  /// With the contexts `admin`, who may do everything, and `user`, who has the scenario's rights;
  /// `user` is the current one.
  [[nodiscard]] const std::string& kubeconfig() const;
  /// Why it does not serve any more; none as long as it does.
  [[nodiscard]] std::optional<std::string> failure() const;

 private:
  struct Impl;
  explicit Cluster(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace catflap::sim
