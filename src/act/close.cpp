#include "act/close.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <set>

#include "act/apply.hpp"
#include "act/evidence.hpp"
#include "act/journal_hold.hpp"
#include "act/pause.hpp"
#include "act/recover.hpp"
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
        deadline_(context.clock.steady() + options.timeout) {}

  CloseOutcome run() {
    using Step = Result<void> (CloseRun::*)();
    const std::vector<Step> steps =
        options_.dry_run == CloseOptions::DryRun::server
            ? std::vector<Step>{&CloseRun::rehearse_lock, &CloseRun::rehearse_steps}
            : std::vector<Step>{&CloseRun::take_lock,   &CloseRun::recover,       &CloseRun::record,
                                &CloseRun::apply_steps, &CloseRun::wait_rollouts, &CloseRun::verify,
                                &CloseRun::write_result};
    for (const auto step : steps) {
      if (auto done = (this->*step)(); !done) {
        out_.error = std::move(done).error();
        break;
      }
    }
    for (const auto step : {&CloseRun::say_what_goes_on, &CloseRun::release_lock}) (this->*step)();
    return std::move(out_);
  }

 private:
  // The steps, in their order.

  Result<void> take_lock() {
    const auto namespace_ = journal_namespace(input_.facts);
    if (input_.plan.steps.empty()) {
      // Nothing to write: a journal is needed only to go on with what an earlier run left.
      auto journal = read_journal(context_.api, namespace_);
      if (!journal && journal.error().kind == ErrorKind::not_permitted) return {};
      if (!journal) return std::move(journal).error();
      if (!*journal || !(*journal)->run || !(*journal)->run->unfinished()) return {};
    }
    TRY_ASSIGN(auto hold,
               JournalHold::acquire(context_, namespace_, "close", options_.lock, seams_.progress));
    hold_.emplace(std::move(hold));
    out_.journal = fmt::format("{}/{}", namespace_, kJournalName);
    return {};
  }

  Result<void> recover() {
    if (!hold_) return {};
    auto& journal = hold_->journal();
    if (journal.run && journal.run->unfinished()) {
      out_.resumed = true;
      auto recovered = recover_run(context_, *journal.run);
      TRY(hold_->save());
      if (!recovered) return recovered;
    }
    return check_plan(context_.api, input_.plan);
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
      if (step.state == StepState::applied && step.restart == Restart::rolling)
        rolling.insert({step.target.namespace_, step.target.name});
    }
    for (const auto& step : run.steps)
      if (step.state == StepState::planned) out_.held_back.push_back(step.id);
    if (out_.held_back.empty()) run.state = RunState::applied;
    return hold_->save();
  }

  Result<void> apply_step(JournalStep& step) {
    say({.stage = Progress::Stage::step, .step_id = step.id});
    TRY_ASSIGN(const auto now, read_field(context_.api, forward(step)));
    step.made_parent = !now.has_parent;
    // Known before the write, so that a run killed right after it still knows its own change from
    // later ones.
    step.generation = now.generation + (now.match == FieldMatch::as_expected ? 1 : 0);
    TRY(hold_->save());
    auto applied =
        apply_field(context_, forward(step), {.may_write = [this] { return hold_->keep(); }});
    if (!applied) {
      // Nothing of it was written for certain: the next run need not wonder.
      if (applied.error().kind == ErrorKind::refused) step.state = StepState::dropped;
      return std::move(applied).error();
    }
    step.state = StepState::applied;
    step.applied_at = context_.server_now();
    step.audit_id = applied->audit_id;
    if (applied->generation != 0) step.generation = applied->generation;
    if (applied->written && step.restart == Restart::in_place)
      in_place_at_ = context_.clock.steady();
    out_.written.push_back({step.id, step.target, applied->written, applied->audit_id});
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

  // dry-run=server

  Result<void> rehearse_lock() {
    const auto namespace_ = journal_namespace(input_.facts);
    TRY_ASSIGN(const auto journal, read_journal(context_.api, namespace_));
    if (journal) {
      const auto* lock =
          live_lock_of_another(*journal, options_.lock.holder.id, context_.server_now());
      return lock == nullptr ? Result<void>{} : held_by(*lock, namespace_);
    }
    const json::object config_map{
        {"apiVersion", "v1"},
        {"kind", "ConfigMap"},
        {"metadata", json::object{{"name", kJournalName}, {"namespace", namespace_}}}};
    auto created =
        context_.api.create(kube::kConfigMaps, namespace_, config_map, {.dry_run = true});
    if (!created) return journal_error(std::move(created).error(), namespace_);
    return {};
  }

  Result<void> rehearse_steps() {
    TRY(check_plan(context_.api, input_.plan));
    for (const auto& step : input_.plan.steps) {
      say({.stage = Progress::Stage::step, .step_id = step.id});
      const FieldChange change{.target = step.change.target,
                               .expected = step.change.before,
                               .wanted = step.change.after};
      TRY_ASSIGN(const auto applied, apply_field(context_, change, {.dry_run = true}));
      out_.written.push_back({step.id, step.change.target, applied.written, applied.audit_id});
    }
    return {};
  }

  // Teardown: always runs, and cannot fail the run.

  void say_what_goes_on() {
    if (options_.dry_run != CloseOptions::DryRun::none) return;
    if (!out_.error && out_.rollouts.empty()) return;
    out_.still_restarting = still_restarting(out_.rollouts);
    out_.freeze_commands = freeze_commands(out_.rollouts);
    if (!out_.rollouts.empty()) return;
    // Stopped before the first view of the rollout: what the plan says restarts.
    std::set<std::string> nodes;
    std::vector<Rollout> begun;
    for (const auto& step : input_.plan.steps) {
      const bool written = std::any_of(
          out_.written.begin(), out_.written.end(),
          [&](const WrittenStep& one) { return one.written && one.target == step.change.target; });
      if (!written || step.restart != Restart::rolling) continue;
      nodes.insert(step.nodes.begin(), step.nodes.end());
      begun.push_back({.daemon_set = {step.change.target.namespace_, step.change.target.name}});
    }
    out_.still_restarting = static_cast<int>(nodes.size());
    out_.freeze_commands = freeze_commands(begun);
  }

  void release_lock() {
    if (!hold_) return;
    auto& journal = hold_->journal();
    // A run in which nothing was written is not worth a place in the history.
    const auto idle = [](const JournalStep& step) { return step.state == StepState::dropped; };
    if (out_.error && journal.run && journal.run->id == out_.run_id && !out_.resumed &&
        std::all_of(journal.run->steps.begin(), journal.run->steps.end(), idle))
      journal.run->state = RunState::finished;
    auto released = hold_->release();
    if (!released && !out_.error) out_.release_problem = to_string(released.error());
  }

  // Helpers.

  /// Are all of them complete within what is left of the time?
  Result<bool> wait_for(const std::vector<DaemonSetRef>& daemon_sets) {
    if (daemon_sets.empty()) return true;
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

  void begin_run(Journal& journal) const {
    if (journal.run) journal.history.insert(journal.history.begin(), std::move(*journal.run));
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
    std::set<DaemonSetRef> refs;
    if (hold_)
      for (const auto& step : hold_->journal().run->steps)
        if (step.target.kind == "DaemonSet" && step.state == StepState::applied)
          refs.insert({step.target.namespace_, step.target.name});
    for (const auto& pod : input_.facts.pods)
      if (pod.stale && !pod.daemon_set.empty()) refs.insert({pod.namespace_, pod.daemon_set});
    return {refs.begin(), refs.end()};
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
  std::optional<JournalHold> hold_;
  std::optional<SteadyPoint> in_place_at_;
  bool rolled_ = false;
  CloseOutcome out_;
};

}  // namespace

CloseOutcome close(const Context& context, const CloseInput& input, const CloseSeams& seams,
                   const CloseOptions& options) {
  return CloseRun(context, input, seams, options).run();
}

}  // namespace catflap::act
