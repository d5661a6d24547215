#include "app/views.hpp"

namespace catflap::app {
namespace {

const char* word(act::UndoneStep::Result result) {
  switch (result) {
    case act::UndoneStep::Result::restored:
      return "restored";
    case act::UndoneStep::Result::already:
      return "already";
    case act::UndoneStep::Result::would_restore:
      return "would-restore";
  }
  return "";
}

const char* word(act::UndoOutcome::Result result) {
  switch (result) {
    case act::UndoOutcome::Result::undone:
      return "undone";
    case act::UndoOutcome::Result::would_undo:
      return "would-undo";
    case act::UndoOutcome::Result::nothing_to_undo:
      return "nothing-to-undo";
    case act::UndoOutcome::Result::time_up:
      return "time-up";
    case act::UndoOutcome::Result::failed:
      return "failed";
  }
  return "";
}

}  // namespace

render::RolloutView view_of(const act::Rollout& rollout) {
  render::RolloutView view{.namespace_ = rollout.daemon_set.namespace_,
                           .name = rollout.daemon_set.name,
                           .end = act::to_string(rollout.end),
                           .complete = rollout.complete,
                           .waiting_for = rollout.waiting_for,
                           .desired = rollout.desired,
                           .generation = rollout.generation,
                           .observed_generation = rollout.observed_generation,
                           .on_delete = rollout.on_delete,
                           .elapsed = rollout.elapsed,
                           .trouble = rollout.trouble};
  for (const act::RolloutNode& node : rollout.nodes) {
    view.nodes.push_back(
        {node.node, act::to_string(node.state), node.pod, node.reason, node.message});
  }
  return view;
}

std::vector<render::RolloutView> views_of(const std::vector<act::Rollout>& rollouts) {
  std::vector<render::RolloutView> views;
  for (const act::Rollout& rollout : rollouts) views.push_back(view_of(rollout));
  return views;
}

render::RunView view_of(const act::JournalRun& run) {
  return {.id = run.id,
          .user = run.user,
          .ticket = run.ticket,
          .reason = run.reason,
          .started = run.started_at,
          .found_open = run.evidence_parts > 0};
}

render::ChangeView view_of(const act::CloseOutcome& outcome) {
  render::ChangeView view{.rollouts = views_of(outcome.rollouts),
                          .journal = outcome.journal,
                          .run_id = outcome.run_id,
                          .resumed = outcome.resumed,
                          .ticket = outcome.ticket,
                          .reason = outcome.reason,
                          .held_back = outcome.held_back,
                          .still_restarting = outcome.still_restarting,
                          .freeze_commands = outcome.freeze_commands,
                          .thaw_commands = outcome.thaw_commands,
                          .release_problem = outcome.release_problem,
                          .error = outcome.error};
  for (const act::WrittenStep& step : outcome.written) {
    view.written.push_back({step.id, step.target, step.written, step.audit_id});
  }
  return view;
}

render::UndoView view_of(const act::UndoOutcome& outcome) {
  render::UndoView view{.result = word(outcome.result),
                        .journal = outcome.journal,
                        .rollouts = views_of(outcome.rollouts),
                        .still_restarting = outcome.still_restarting,
                        .freeze_commands = outcome.freeze_commands,
                        .thaw_commands = outcome.thaw_commands,
                        .release_problem = outcome.release_problem,
                        .error = outcome.error};
  if (outcome.run) view.run = view_of(*outcome.run);
  if (outcome.older) view.older = view_of(*outcome.older);
  for (const act::UndoneStep& step : outcome.steps) {
    view.steps.push_back(
        {step.id, word(step.result), step.target, step.from, step.to, step.audit_id});
  }
  return view;
}

}  // namespace catflap::app
