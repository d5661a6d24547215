// Which DaemonSets get new pods, and on which nodes, by what a close writes. Private to src/act.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "act/close.hpp"
#include "act/operator_wait.hpp"

namespace catflap::act {

class CloseScope {
 public:
  /// Borrows the input.
  explicit CloseScope(const CloseInput& input)
      : input_(input), operated_(operated_sets(input.facts)) {}

  [[nodiscard]] const std::vector<OperatedSet>& operated() const { return operated_; }
  /// The DaemonSets that get new pods once the target is written.
  [[nodiscard]] std::set<DaemonSetRef> rolled_by(const Target& target) const;
  /// Those that get new pods without us: a rollout is under way, or the operator has yet to render.
  [[nodiscard]] std::set<DaemonSetRef> rolling_already() const;
  /// The nodes where that DaemonSet's pods are replaced because of the target, or are old anyway.
  [[nodiscard]] std::set<std::string> nodes_to_restart(const Target& target,
                                                       const DaemonSetRef& ref) const;
  [[nodiscard]] bool is_on_delete(const DaemonSetRef& ref) const;

 private:
  [[nodiscard]] const DaemonSetFacts* facts_of(const DaemonSetRef& ref) const;

  const CloseInput& input_;
  std::vector<OperatedSet> operated_;
};

}  // namespace catflap::act
