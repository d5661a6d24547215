// What close and undo show while they work: the article's step titles, each once, and the rollout
// live below.
#pragma once

#include <set>
#include <string>

#include "act/close.hpp"
#include "app/session.hpp"
#include "render/style.hpp"

namespace catflap::app {

class StepsView {
 public:
  StepsView(Progress& progress, const Plan* plan, std::string ports, render::Style style)
      : progress_(progress), plan_(plan), ports_(std::move(ports)), style_(style) {}
  void show(const act::Progress& news);
  void show_rollouts(const std::vector<act::Rollout>& rollouts);

 private:
  void title(const std::string& code, const std::map<std::string, std::string>& params);

  Progress& progress_;
  const Plan* plan_;   // being carried out; null: undo or wait, which have no titles
  std::string ports_;  // "9091"; empty: nothing is proven here
  render::Style style_;
  std::set<std::string> shown_;
};

}  // namespace catflap::app
