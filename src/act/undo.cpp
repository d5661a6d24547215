#include "act/undo.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "act/apply.hpp"
#include "act/evidence.hpp"
#include "act/journal_hold.hpp"
#include "act/recover.hpp"
#include "act/teardown.hpp"

namespace catflap::act {

namespace {

class UndoRun {
 public:
  UndoRun(const Context& context, const UndoOptions& options)
      : context_(context), options_(options), deadline_(context.clock.steady() + options.timeout) {}

  UndoOutcome run() {
    using Step = Result<void> (UndoRun::*)();
    for (const Step step : {&UndoRun::find_journal, &UndoRun::take_lock, &UndoRun::compare_all,
                            &UndoRun::restore, &UndoRun::wait, &UndoRun::write_result}) {
      if (found_nothing_) break;
      if (auto done = (this->*step)(); !done) {
        out_.error = std::move(done).error();
        out_.result = UndoOutcome::Result::failed;
        break;
      }
    }
    for (const auto step : {&UndoRun::say_what_goes_on, &UndoRun::release_lock}) (this->*step)();
    return std::move(out_);
  }

 private:
  Result<void> find_journal() {
    std::map<std::string, Journal> found;
    std::optional<Error> denied;
    for (const auto& place : std::set(options_.namespaces.begin(), options_.namespaces.end())) {
      auto journal = read_journal(context_.api, place);
      if (!journal && journal.error().kind != ErrorKind::not_permitted)
        return std::move(journal).error();
      if (!journal) {
        denied = std::move(journal).error();
      } else if (*journal && !(*journal)->undoable().empty()) {
        found.emplace(place, *std::move(*journal));
      }
    }
    if (found.empty() && denied) return *std::move(denied);
    if (found.empty()) {
      found_nothing_ = true;
      out_.result = UndoOutcome::Result::nothing_to_undo;
      return {};
    }
    auto chosen = found.size() == 1 ? found.begin() : found.find(options_.preferred);
    if (chosen == found.end()) {
      std::vector<std::string> places;
      for (const auto& [place, journal] : found) places.push_back(place);
      return Error{.kind = ErrorKind::usage,
                   .what = fmt::format("{} namespaces have a journal with something to undo: {}",
                                       places.size(), fmt::join(places, ", ")),
                   .hint = "Name one with -n."};
    }
    namespace_ = chosen->first;
    journal_ = std::move(chosen->second);
    out_.journal = fmt::format("{}/{}", namespace_, kJournalName);
    return {};
  }

  Result<void> take_lock() {
    if (rehearsing()) return {};
    TRY_ASSIGN(auto hold, JournalHold::acquire(context_, namespace_, "undo", options_.lock,
                                               options_.progress));
    hold_.emplace(std::move(hold));
    // Another run may have been at work until now.
    if (!hold_->journal().undoable().empty()) return {};
    found_nothing_ = true;
    out_.result = UndoOutcome::Result::nothing_to_undo;
    return {};
  }

  struct Comparison {
    std::vector<UndoneStep> said;
    std::vector<JournalStep*> order;
    std::optional<Error> gone;  // an object that was deleted since
  };

  /// Last written first. Errors: a field that is somebody else's by now.
  [[nodiscard]] Result<Comparison> compare(JournalRun& run) const {
    Comparison found;
    for (auto step = run.steps.rbegin(); step != run.steps.rend(); ++step) {
      if (!step->may_stand()) continue;
      auto now = read_field(context_.api, backward(*step));
      if (!now && now.error().kind != ErrorKind::refused) return std::move(now).error();
      if (!now) {
        found.gone = std::move(now).error();
        continue;
      }
      if (now->match == FieldMatch::neither) return changed_since(backward(*step), now->value);
      const bool already = now->match == FieldMatch::as_wanted;
      found.said.push_back(
          {.result = already ? UndoneStep::Result::already : UndoneStep::Result::would_restore,
           .id = step->id,
           .target = step->target,
           .from = step->after,
           .to = step->before});
      found.order.push_back(&*step);
    }
    return found;
  }

  /// Nothing is written if any of the fields is somebody else's by now. A run whose objects are all
  /// gone does not stand before an older one.
  Result<void> compare_all() {
    std::optional<Error> gone;
    for (JournalRun* run : (hold_ ? hold_->journal() : journal_).undoable()) {
      out_.run = *run;
      auto found = compare(*run);
      if (!found) return std::move(found).error().with_context("undo wrote nothing");
      if (found->gone && !gone) gone = cannot_restore(*std::move(found->gone));
      if (found->gone && found->order.empty()) continue;
      if (found->gone) return *gone;
      run_ = run;
      order_ = std::move(found->order);
      out_.steps = std::move(found->said);
      return check_expected();
    }
    return *gone;
  }

  [[nodiscard]] static Error cannot_restore(Error error) {
    error.hint =
        "catflap cannot restore a field of an object that is gone, and wrote nothing. The old "
        "values are in the journal; set what is still wanted by hand.";
    return error;
  }

  [[nodiscard]] Result<void> check_expected() const {
    if (options_.expected_run_id.empty() || options_.expected_run_id == run_->id) return {};
    return Error{.kind = ErrorKind::refused,
                 .what = fmt::format("the run to undo is another one by now: {}", run_->id),
                 .subject = "ConfigMap " + out_.journal,
                 .hint = "Nothing was written. Run undo again to see what it would take back."};
  }

  Result<void> restore() {
    if (rehearsing()) return rehearse();
    run_->state = RunState::undoing;
    for (std::size_t i = 0; i < order_.size(); ++i) {
      // A FelixConfiguration that says true under pods which do not have the environment yet would
      // start Felix twice.
      if (order_[i]->target.kind != "Installation" && rolls_operated()) TRY(wait_for_operated());
      TRY(restore_one(*order_[i], out_.steps[i]));
    }
    return hold_->save();
  }

  Result<void> restore_one(JournalStep& step, UndoneStep& said) {
    say({.stage = Progress::Stage::step, .step_id = step.id});
    TRY_ASSIGN(const auto now, read_field(context_.api, backward(step)));
    if (now.match == FieldMatch::neither) return changed_since(backward(step), now.value);
    if (now.match == FieldMatch::as_wanted) {
      said.result = UndoneStep::Result::already;
      step.state = StepState::undone;
      return {};
    }
    step.state = StepState::undoing;
    // Known before the write, so that whoever comes after a crash knows this change as ours.
    step.generation = now.generation + 1;
    TRY(hold_->save());
    TRY_ASSIGN(const auto applied, apply_field(context_, backward(step),
                                               {.may_write = [this] { return hold_->still_held(); },
                                                .keep_alive = [this] { return hold_->keep(); }}));
    said.result = UndoneStep::Result::restored;
    said.audit_id = applied.audit_id;
    step.state = StepState::undone;
    step.undone_at = context_.server_now();
    step.undo_audit_id = applied.audit_id;
    step.generation = applied.generation;
    return {};
  }

  Result<void> rehearse() {
    out_.result = UndoOutcome::Result::would_undo;
    if (options_.dry_run == UndoOptions::DryRun::client) return {};
    for (std::size_t i = 0; i < order_.size(); ++i) {
      if (out_.steps[i].result == UndoneStep::Result::already) continue;
      TRY_ASSIGN(const auto applied,
                 apply_field(context_, backward(*order_[i]), {.dry_run = true}));
      out_.steps[i].audit_id = applied.audit_id;
    }
    return {};
  }

  Result<void> wait() {
    if (rehearsing()) return {};
    std::set<DaemonSetRef> refs;
    // Also those that an interrupted undo has restored already.
    for (const auto& step : run_->steps)
      if (step.target.kind == "DaemonSet" && step.state == StepState::undone)
        refs.insert({step.target.namespace_, step.target.name});
    if (restored_installation()) {
      TRY_ASSIGN(const bool rendered, wait_for_operator());
      if (!rendered) return {};
      for (const auto& set : options_.operated) refs.insert(set.ref);
    }
    return wait_for(refs);
  }

  Result<void> wait_for(const std::set<DaemonSetRef>& refs) {
    if (refs.empty()) return {};
    const WaitOptions options{.timeout = std::max(Duration{0}, deadline_ - context_.clock.steady()),
                              .keep_alive = [this] { return hold_->keep(); },
                              .progress =
                                  [this](const std::vector<Rollout>& rollouts) {
                                    out_.rollouts = rollouts;
                                    say({.stage = Progress::Stage::rollout, .rollouts = &rollouts});
                                  }};
    TRY_ASSIGN(out_.rollouts, wait_rollouts(context_, {refs.begin(), refs.end()}, options));
    for (const auto& rollout : out_.rollouts)
      if (rollout.end == Rollout::End::interrupted) return interrupted_error();
    return {};
  }

  [[nodiscard]] bool restored_installation() const {
    return std::any_of(run_->steps.begin(), run_->steps.end(), [](const JournalStep& step) {
      return step.target.kind == "Installation" && step.state == StepState::undone;
    });
  }

  /// Is an Installation restored, now or by an interrupted undo, that opens the port by new pods?
  [[nodiscard]] bool rolls_operated() const {
    return std::any_of(run_->steps.begin(), run_->steps.end(), [](const JournalStep& step) {
      return step.target.kind == "Installation" && step.state == StepState::undone &&
             step.restart == Restart::rolling;
    });
  }

  /// Has the operator rendered what the Installations say again? If not, the rollouts say why.
  Result<bool> wait_for_operator() {
    const RenderWait wait{.goal = RenderGoal::as_installed,
                          .deadline = deadline_,
                          .keep_alive = [this] { return hold_->keep(); },
                          .progress =
                              [this](const std::vector<Rollout>& rollouts) {
                                say({.stage = Progress::Stage::rollout, .rollouts = &rollouts});
                              }};
    TRY_ASSIGN(auto waiting, wait_rendered(context_, options_.operated, wait));
    if (waiting.empty()) return true;
    out_.rollouts = std::move(waiting);
    return false;
  }

  Result<void> wait_for_operated() {
    TRY_ASSIGN(const bool rendered, wait_for_operator());
    if (rendered) {
      std::set<DaemonSetRef> refs;
      for (const auto& set : options_.operated) refs.insert(set.ref);
      TRY(wait_for(refs));
    }
    const bool rolled = std::all_of(out_.rollouts.begin(), out_.rollouts.end(),
                                    [](const Rollout& rollout) { return rollout.complete; });
    return rolled ? Result<void>{}
                  : time_is_up(
                        "an Installation is restored, and not every node runs with it; the others "
                        "wait");
  }

  Result<void> write_result() {
    if (rehearsing()) return {};
    const bool rolled = std::all_of(out_.rollouts.begin(), out_.rollouts.end(),
                                    [](const Rollout& rollout) { return rollout.complete; });
    if (!rolled) {
      // Stays `undoing`: the next undo waits on, and the pending change is known as ours.
      out_.result = UndoOutcome::Result::time_up;
      out_.error = time_is_up("the fields are restored, but not every node runs with them");
      return {};
    }
    out_.result = UndoOutcome::Result::undone;
    auto& run = *run_;
    const int parts = run.evidence_parts;
    run.state = RunState::undone;
    run.undone_at = context_.server_now();
    run.evidence_parts = 0;
    TRY(hold_->save());
    if (const auto left = hold_->journal().undoable(); !left.empty()) out_.older = *left.front();
    // Parts belong to the latest run; an older one's were overwritten by it.
    if (&run == &*hold_->journal().run)
      remove_before_evidence(context_, hold_->namespace_name(), 1, parts);
    return {};
  }

  [[nodiscard]] Error time_is_up(const char* restored) const {
    std::string what = fmt::format("time is up: {}", restored);
    for (const auto& rollout : out_.rollouts)
      if (rollout.nodes.empty() && !rollout.waiting_for.empty())
        what += fmt::format("; {}: {}", rollout.daemon_set.name, rollout.waiting_for);
    return Error{.kind = ErrorKind::timed_out,
                 .what = std::move(what),
                 .hint = "The same command again goes on."};
  }

  void say_what_goes_on() {
    if (!out_.error) return;
    out_.still_restarting = still_restarting(out_.rollouts);
    const auto rollouts = not_operated(out_.rollouts, options_.operated);
    out_.freeze_commands = freeze_commands(rollouts);
    out_.thaw_commands = thaw_commands(rollouts);
  }

  void release_lock() {
    if (!hold_) return;
    auto released = hold_->release();
    if (!released) out_.release_problem = to_string(released.error());
  }

  [[nodiscard]] bool rehearsing() const { return options_.dry_run != UndoOptions::DryRun::none; }
  void say(const Progress& progress) const {
    if (options_.progress) options_.progress(progress);
  }

  const Context& context_;
  const UndoOptions& options_;
  SteadyPoint deadline_;
  bool found_nothing_ = false;
  std::string namespace_;
  Journal journal_;  // as read before the lock; all there is in a rehearsal
  std::optional<JournalHold> hold_;
  JournalRun* run_ = nullptr;  // in one of the two, from compare_all on
  std::vector<JournalStep*> order_;
  UndoOutcome out_;
};

}  // namespace

UndoOutcome undo(const Context& context, const UndoOptions& options) {
  return UndoRun(context, options).run();
}

}  // namespace catflap::act
