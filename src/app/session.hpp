// Session: one run against one cluster. Connect, discover, look, judge: what most commands share.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/options.hpp"
#include "app/progress.hpp"
#include "app/runtime.hpp"
#include "core/prove/prove.hpp"
#include "look/import.hpp"
#include "look/look.hpp"
#include "render/document.hpp"

namespace catflap::app {

/// What was seen and what it means.
struct Sight {
  ClusterFacts facts;
  std::vector<Look> looks;  // oldest first
  ClusterVerdict verdict;
};

/// How soon an owner would write back what is changed: its words, and the time if it is a matter of
/// time.
struct OwnerCycle {
  std::string text;  // "": nobody does
  std::optional<Duration> length;
};
[[nodiscard]] OwnerCycle owner_cycle_of(const ClusterFacts& facts);

/// Where diagnose and plan look from unless --from says otherwise.
inline const std::vector<std::string> kFirstLook{"direct", "apiserver"};

class Session {
 public:
  /// Reads the kubeconfig and the files of --observations; nothing is sent yet.
  [[nodiscard]] static Result<Session> open(const Runtime& runtime, const Options& options);

  [[nodiscard]] kube::Api& api() { return *api_; }
  [[nodiscard]] Progress& progress() { return *progress_; }
  [[nodiscard]] const Runtime& runtime() const { return runtime_; }
  [[nodiscard]] const Options& options() const { return options_; }

  [[nodiscard]] Result<ClusterFacts> discover();
  /// One look from the vantage points of --from, or `vantages` if it was not given.
  /// `keep_alive`, if there is one, is called every now and then while it looks.
  [[nodiscard]] Result<Look> look(const ClusterFacts& facts,
                                  const std::vector<std::string>& vantages,
                                  const std::function<void()>& keep_alive = {});

  /// One look, or two if something changed within the last minute: a Felix that restarts refuses
  /// for a moment.
  [[nodiscard]] Result<Sight> diagnose(const std::vector<std::string>& vantages);
  /// Two looks at least --settle apart, with the facts read again before the second.
  [[nodiscard]] Result<Sight> verify(const std::vector<std::string>& vantages);

  /// From the start of the session until now.
  [[nodiscard]] render::RunInfo run_info(const ClusterFacts& facts) const;

 private:
  Session(const Runtime& runtime, const Options& options, std::unique_ptr<kube::Api> api);
  void announce(const ClusterFacts& facts, const look::LookOptions& options);
  Result<void> pause(Duration time);
  Result<void> look_around(ClusterFacts& facts);
  Result<Sight> look_again(Sight sight, const std::vector<std::string>& vantages);
  void judge(Sight& sight, Purpose purpose, const std::vector<std::string>& known_nodes) const;

  const Runtime& runtime_;
  const Options& options_;
  std::unique_ptr<kube::Api> api_;
  std::unique_ptr<Progress> progress_;
  std::vector<look::ImportedFile> files_;
  Surroundings surroundings_;
  TimePoint started_{};
  bool announced_ = false;
};

}  // namespace catflap::app
