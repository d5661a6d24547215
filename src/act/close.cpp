#include "act/close.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <set>

#include "act/apply.hpp"
#include "act/close_scope.hpp"
#include "act/evidence.hpp"
#include "act/journal_hold.hpp"
#include "act/pause.hpp"
#include "act/recover.hpp"
#include "act/rehearse.hpp"
#include "act/teardown.hpp"
#include "act/verify_loop.hpp"

namespace catflap::act {

namespace {

// Felix sleeps 2 s before it exits to take a new configuration (handleConfigUpdate
// in felix/daemon/daemon.go), and is back about a second later.
constexpr Duration kInPlaceRestart{std::chrono::seconds{5}};
constexpr Duration kInPlacePatience{std::chrono::seconds{30}};

class CloseRun {
 public:
  CloseRun(const Context& context, const CloseInput& input, const CloseSeams& seams,
           const CloseOptions& options)
      : context_(context),
        input_(input),
        seams_(seams),
        options_(options),
        deadline_(context.clock.steady() + options.timeout),
        scope_(input) {}

  CloseOutcome run() {
    using Step = Result<void> (CloseRun::*)();
    const std::vector<Step> steps =
        options_.dry_run == CloseOptions::DryRun::server
            ? std::vector<Step>{&CloseRun::rehearse}
            : std::vector<Step>{&CloseRun::take_lock,   &CloseRun::recover,       &CloseRun::record,
                                &CloseRun::apply_steps, &CloseRun::wait_rollouts, &CloseRun::verify,
                                &CloseRun::write_result};
    for (const auto step : steps) {
      if (auto done = (this->*step)(); !done) {
        out_.error = std::move(done).error();
        break;
      }
    }
    for (const auto step :
         {&CloseRun::tell_written, &CloseRun::say_what_goes_on, &CloseRun::release_lock})
      (this->*step)();
    return std::move(out_);
  }

 private:
  // The steps, in their order.

  Result<void> rehearse() {
    return rehearse_close(context_, input_, seams_, options_, out_.written);
  }

  Result<void> take_lock() {
    auto found = find_journal(context_.api, input_.facts);
    const bool writes = !input_.plan.steps.empty();
    // Nothing to write: a journal is needed only to go on with what an earlier run left.
    if (!found && found.error().kind == ErrorKind::not_permitted && !writes) return {};
    if (!found) return std::move(found).error();
    const auto& journal = found->journal;
    if (!writes && (!journal || !journal->run || !journal->run->unfinished())) return {};
    TRY_ASSIGN(auto hold, JournalHold::acquire(context_, found->namespace_, "close", options_.lock,
                                               seams_.progress));
    hold_.emplace(std::move(hold));
    out_.journal = fmt::format("{}/{}", found->namespace_, kJournalName);
    return {};
  }

  Result<void> recover() {
    if (!hold_) return {};
    auto& journal = hold_->journal();
    if (journal.run && journal.run->unfinished()) {
      out_.resumed = true;
      const auto before = journal.run->steps;
      auto recovered = recover_run(context_, *journal.run);
      for (std::size_t i = 0; i < before.size(); ++i)
        if (before[i].state != StepState::superseded &&
            journal.run->steps[i].state == StepState::superseded)
          out_.superseded.push_back(before[i].target);
      TRY(hold_->save());
      if (!recovered) return recovered;
    }
    TRY(check_plan(context_.api, input_.plan));
    return rehearse_rights(context_, input_.plan);
  }

  Result<void> record() {
    out_.before = merge_before({}, input_.before.reached);
    if (!hold_) return {};
    say({.stage = Progress::Stage::record});
    auto& journal = hold_->journal();
    const int old_parts = journal.run ? journal.run->evidence_parts : 0;
    std::size_t recorded = 0;
    if (out_.resumed) {
      TRY_ASSIGN(auto before,
                 read_before_evidence(context_.api, hold_->namespace_name(), *journal.run));
      recorded = before.size();
      out_.before = merge_before(std::move(before), input_.before.reached);
    } else {
      begin_run(journal);
    }
    auto& run = *journal.run;
    out_.run_id = run.id;
    if (run.ticket.empty()) run.ticket = options_.ticket;
    if (run.reason.empty()) run.reason = options_.reason;
    out_.ticket = run.ticket;
    out_.reason = run.reason;
    merge_plan(run, input_.plan, context_.server_now());
    run.state = RunState::applying;
    if (out_.before.size() != recorded) {
      TRY_ASSIGN(run.evidence_parts,
                 write_before_evidence(context_, hold_->namespace_name(), run.id, out_.before));
    } else if (!out_.resumed) {
      run.evidence_parts = 0;
    }
    TRY(hold_->save());
    remove_before_evidence(context_, hold_->namespace_name(), run.evidence_parts + 1, old_parts);
    return {};
  }

  /// After a rolling step the next one waits for its rollout: a lower layer that changes under a
  /// pod which is still to be replaced would start its Felix twice.
  Result<void> apply_steps() {
    if (!hold_) return {};
    auto& run = *hold_->journal().run;
    std::set<DaemonSetRef> rolling;
    for (auto& step : run.steps) {
      if (step.state == StepState::planned) {
        TRY_ASSIGN(const bool rolled, wait_for({rolling.begin(), rolling.end()}));
        if (!rolled) break;
        rolling.clear();
        TRY(apply_step(step));
      }
      if (stands(step) && step.restart == Restart::rolling)
        rolling.merge(scope_.rolled_by(step.target));
    }
    for (const auto& step : run.steps)
      if (step.state == StepState::planned) out_.held_back.push_back(step.id);
    if (out_.held_back.empty()) run.state = RunState::applied;
    return hold_->save();
  }

  Result<void> apply_step(JournalStep& step) {
    say({.stage = Progress::Stage::step, .step_id = step.id});
    TRY_ASSIGN(const auto now, read_field(context_.api, forward(step)));
    if (now.match == FieldMatch::as_wanted) return leave(step);
    step.made_parent = !now.has_parent;
    // Known before the write, so that a run killed right after it still knows its own change from
    // later ones.
    step.generation = now.generation + 1;
    TRY(hold_->save());
    auto applied =
        apply_field(context_, forward(step),
                    {.may_write = [this] { return hold_->still_held(); }, .keep_alive = keeper()});
    if (!applied) {
      // Nothing of it was written for certain: the next run need not wonder.
      if (applied.error().kind == ErrorKind::refused) drop(step);
      return std::move(applied).error();
    }
    if (!applied->written) return leave(step);
    step.state = StepState::applied;
    step.applied_at = context_.server_now();
    step.audit_id = applied->audit_id;
    if (applied->generation != 0) step.generation = applied->generation;
    if (step.restart == Restart::in_place) in_place_at_ = context_.clock.steady();
    return {};
  }

  /// Somebody else has written the same: not ours to undo. Its rollout is waited for all the same.
  Result<void> leave(JournalStep& step) {
    drop(step);
    left_.insert(&step);
    return {};
  }

  Result<void> wait_rollouts() {
    TRY_ASSIGN(const bool rolled, wait_for(to_wait_for()));
    rolled_ = rolled;
    if (!in_place_at_) return {};
    const auto restarted = *in_place_at_ + kInPlaceRestart;
    const auto now = context_.clock.steady();
    return now >= restarted ? Result<void>{} : pause_for(context_, keeper(), restarted - now);
  }

  Result<void> verify() {
    const VerifyLoop loop{
        .context = context_,
        .input = input_,
        .seams = seams_,
        .options = options_,
        .keep_alive = keeper(),
        .changed_something = changed_something(),
        .deadline = deadline_,
        .quick_until = in_place_at_.value_or(SteadyPoint::min()) + kInPlacePatience};
    return verify_until_settled(loop, out_);
  }

  Result<void> write_result() {
    if (!hold_) return {};
    auto& run = *hold_->journal().run;
    run.verdict = to_string(out_.verdict->verdict);
    // What has not come to an end stays unfinished: the next close goes on with it, and knows the
    // pending change as ours.
    if (rolled_ && out_.held_back.empty() && out_.verdict->verdict != Verdict::unknown) {
      run.state = RunState::finished;
      run.finished_at = context_.server_now();
    }
    say({.stage = Progress::Stage::result});
    return hold_->save();
  }

  // Teardown: always runs, and cannot fail the run.

  void tell_written() {
    if (!hold_ || out_.run_id.empty()) return;
    for (const auto& step : hold_->journal().run->steps)
      if (stands(step))
        out_.written.push_back(
            {step.id, step.target, step.state == StepState::applied, step.audit_id});
  }

  void say_what_goes_on() {
    if (options_.dry_run != CloseOptions::DryRun::none) return;
    if (!out_.error && out_.rollouts.empty()) return;
    out_.still_restarting = still_restarting(out_.rollouts);
    if (!out_.rollouts.empty()) return say_how_to_stop(out_.rollouts);
    // Stopped before the first view of the rollout: what the plan says restarts, or what an
    // interrupted run left behind.
    std::set<std::string> nodes;
    std::vector<Rollout> begun;
    for (const auto& one : out_.written) {
      if (!one.written) continue;
      for (const auto& ref : scope_.rolled_by(one.target)) {
        if (scope_.is_on_delete(ref)) continue;
        const auto restarting = scope_.nodes_to_restart(one.target, ref);
        nodes.insert(restarting.begin(), restarting.end());
        if (!restarting.empty()) begun.push_back({.daemon_set = ref});
      }
    }
    out_.still_restarting = static_cast<int>(nodes.size());
    say_how_to_stop(std::move(begun));
  }

  void say_how_to_stop(std::vector<Rollout> rollouts) {
    rollouts = not_operated(std::move(rollouts), scope_.operated());
    out_.freeze_commands = freeze_commands(rollouts);
    out_.thaw_commands = thaw_commands(rollouts);
  }

  void release_lock() {
    if (!hold_) return;
    auto& journal = hold_->journal();
    // A run in which nothing was written is not worth a place in the history.
    const auto idle = [](const JournalStep& step) {
      return step.state == StepState::dropped ||
             (step.state == StepState::planned && step.generation == 0);
    };
    if (out_.error && journal.run && journal.run->id == out_.run_id && !out_.resumed &&
        std::all_of(journal.run->steps.begin(), journal.run->steps.end(), idle))
      journal.run->state = RunState::finished;
    auto released = hold_->release();
    if (!released) out_.release_problem = to_string(released.error());
  }

  // Helpers.

  /// Are all of them complete within what is left of the time?
  Result<bool> wait_for(const std::vector<DaemonSetRef>& daemon_sets) {
    if (daemon_sets.empty()) return true;
    TRY_ASSIGN(const bool rendered, wait_for_operator(daemon_sets));
    if (!rendered) return false;
    const WaitOptions options{.timeout = std::max(Duration{0}, deadline_ - context_.clock.steady()),
                              .keep_alive = keeper(),
                              .progress = [this](const std::vector<Rollout>& rollouts) {
                                out_.rollouts = rollouts;
                                say({.stage = Progress::Stage::rollout, .rollouts = &rollouts});
                              }};
    TRY_ASSIGN(out_.rollouts, act::wait_rollouts(context_, daemon_sets, options));
    const auto ended = [](Rollout::End end) {
      return [end](const Rollout& rollout) { return rollout.end == end; };
    };
    if (std::any_of(out_.rollouts.begin(), out_.rollouts.end(), ended(Rollout::End::interrupted)))
      return interrupted_error();
    return std::all_of(out_.rollouts.begin(), out_.rollouts.end(), ended(Rollout::End::done));
  }

  /// Has the operator rendered those of them that are its own?
  Result<bool> wait_for_operator(const std::vector<DaemonSetRef>& daemon_sets) {
    auto sets = scope_.operated();
    std::erase_if(sets, [&](const OperatedSet& set) {
      return std::find(daemon_sets.begin(), daemon_sets.end(), set.ref) == daemon_sets.end();
    });
    if (sets.empty()) return true;
    const RenderWait wait{.deadline = deadline_,
                          .keep_alive = keeper(),
                          .progress = [this](const std::vector<Rollout>& rollouts) {
                            say({.stage = Progress::Stage::rollout, .rollouts = &rollouts});
                          }};
    TRY_ASSIGN(auto waiting, wait_rendered(context_, sets, wait));
    if (waiting.empty()) return true;
    for (const auto& rollout : waiting) {
      const auto& [namespace_, name] = rollout.daemon_set;
      out_.findings.push_back(
          {"CF0062",
           {{"daemonset", fmt::format("{}/{}", namespace_, name)}, {"why", rollout.waiting_for}}});
    }
    out_.rollouts = std::move(waiting);
    return false;
  }

  void begin_run(Journal& journal) const {
    if (journal.run && journal.run->stands())
      journal.history.insert(journal.history.begin(), std::move(*journal.run));
    if (journal.history.size() > kHistoryRuns) journal.history.resize(kHistoryRuns);
    const auto now = context_.server_now();
    journal.run =
        JournalRun{.id = fmt::format("{}-{:08x}", to_rfc3339(now), std::random_device{}()),
                   .user = options_.user,
                   .ticket = options_.ticket,
                   .reason = options_.reason,
                   .version = options_.version,
                   .started_at = now};
  }

  /// Those that this or the interrupted run changed, and those with pods of an older template.
  [[nodiscard]] std::vector<DaemonSetRef> to_wait_for() const {
    auto refs = scope_.rolling_already();
    if (hold_)
      for (const auto& step : hold_->journal().run->steps)
        if (stands(step)) refs.merge(scope_.rolled_by(step.target));
    return {refs.begin(), refs.end()};
  }

  /// Written by this run, or found written.
  [[nodiscard]] bool stands(const JournalStep& step) const {
    return step.state == StepState::applied || left_.contains(&step);
  }

  [[nodiscard]] bool changed_something() const {
    if (!hold_) return false;
    const auto& steps = hold_->journal().run->steps;
    return std::any_of(steps.begin(), steps.end(),
                       [this](const JournalStep& step) { return stands(step); });
  }

  [[nodiscard]] KeepAlive keeper() {
    if (!hold_) return {};
    return [this] { return hold_->keep(); };
  }

  void say(const Progress& progress) const {
    if (seams_.progress) seams_.progress(progress);
  }

  const Context& context_;
  const CloseInput& input_;
  const CloseSeams& seams_;
  const CloseOptions& options_;
  SteadyPoint deadline_;
  CloseScope scope_;
  std::optional<JournalHold> hold_;
  std::optional<SteadyPoint> in_place_at_;
  std::set<const JournalStep*> left_;  // steps that somebody else had written
  bool rolled_ = false;
  CloseOutcome out_;
};

}  // namespace

CloseOutcome close(const Context& context, const CloseInput& input, const CloseSeams& seams,
                   const CloseOptions& options) {
  return CloseRun(context, input, seams, options).run();
}

}  // namespace catflap::act
