// The records of src/act as render/change.hpp has them.
#pragma once

#include <vector>

#include "act/close.hpp"
#include "act/undo.hpp"
#include "render/change.hpp"

namespace catflap::app {

[[nodiscard]] render::RolloutView view_of(const act::Rollout& rollout);
[[nodiscard]] std::vector<render::RolloutView> views_of(const std::vector<act::Rollout>& rollouts);
[[nodiscard]] render::RunView view_of(const act::JournalRun& run);
[[nodiscard]] render::ChangeView view_of(const act::CloseOutcome& outcome);
[[nodiscard]] render::UndoView view_of(const act::UndoOutcome& outcome);

}  // namespace catflap::app
