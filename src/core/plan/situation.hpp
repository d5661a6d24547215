// Where a DaemonSet's Felixes stand before anything is written: what its template's environment
// says, who still runs with an older one, and whether the environment has to change for the
// endpoint to close.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/model/cluster.hpp"
#include "core/model/verdict.hpp"
#include "core/plan/env_edit.hpp"

namespace catflap {

/// What the environment that the next pod gets says about the endpoint.
enum class EnvSays { nothing, off, on, undecided };

struct Situation {
  const DaemonSetFacts* daemon_set = nullptr;
  std::vector<const PodFacts*> pods;
  EnvSays env = EnvSays::nothing;
  bool windows = false;
  bool operated = false;   // rendered by the tigera operator: Installation decides, not the object
  bool needs_env = false;  // some Felix is on, or may be, and env does not say off
  std::optional<EnvEdit>
      edit;  // what switches its environment off; none: the template has no such container
  std::string build_node;  // a node whose Felix answers although nothing switches it on; "" if
                           // there is none
  int stale = 0;           // pods from an older template, lingering ones included
  bool pending = false;    // some pod does not have the newest template

  /// Needed, and not written already.
  [[nodiscard]] bool changes_env() const {
    return needs_env && edit && edit->after != edit->before;
  }
};

/// One per DaemonSet of the facts that is in scope, in their order. Borrows from facts.
[[nodiscard]] std::vector<Situation> situations(const ClusterFacts& facts,
                                                const ClusterVerdict& now);

/// "kube-system/calico-node"
[[nodiscard]] std::string name_of(const DaemonSetFacts& daemon_set);

/// The nodes of the pods, sorted, each once.
[[nodiscard]] std::vector<std::string> nodes_of(const std::vector<const PodFacts*>& pods);

/// A pod whose Felix is on, or may be, and stays so when its DaemonSet's rollout is done. What an
/// older pod has from its old environment goes with it.
[[nodiscard]] bool stays_open(const PodFacts& pod);

/// Does a FelixConfiguration decide?
[[nodiscard]] bool is_felixconfiguration(Layer layer);

}  // namespace catflap
