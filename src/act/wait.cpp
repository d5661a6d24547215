#include "act/wait.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "act/pause.hpp"
#include "act/rollout_watch.hpp"

namespace catflap::act {

namespace {

// A view in which nothing moves is read again: it costs one list, and a missed event would cost the
// whole wait.
constexpr Duration kStalled{std::chrono::seconds{60}};
constexpr Duration kConfirmAgain{std::chrono::seconds{2}};

/// All DaemonSets of one wait.
class RolloutWait {
 public:
  RolloutWait(const Context& context, const WaitOptions& options)
      : context_(context),
        options_(options),
        started_(context.clock.steady()),
        deadline_(started_ + options.timeout) {}

  Result<void> start(const std::vector<DaemonSetRef>& daemon_sets) {
    for (const auto& ref : daemon_sets) {
      TRY_ASSIGN(auto watch, RolloutWatch::start(context_, ref));
      watches_.push_back(std::move(watch));
      rollouts_.push_back(Rollout{.daemon_set = ref});
      quiet_since_.push_back(started_);
      confirm_at_.push_back(started_);
    }
    return {};
  }

  Result<std::vector<Rollout>> run() {
    while (true) {
      auto slept = pause_until(
          context_, options_.keep_alive, [this] { return something_to_do(); }, next_look());
      if (!slept && slept.error().kind != ErrorKind::interrupted) return slept.error();
      TRY(take_snapshots());
      if (!slept) return end(Rollout::End::interrupted);
      if (all_done()) return end(Rollout::End::done);
      if (context_.clock.steady() >= deadline_) return end(Rollout::End::time_up);
      report();
    }
  }

 private:
  [[nodiscard]] bool something_to_do() const {
    const auto now = context_.clock.steady();
    if (reported_ && now < *reported_ + options_.progress_every) return false;
    for (std::size_t i = 0; i < watches_.size(); ++i)
      if (watches_[i]->synced() && watches_[i]->dirty()) return true;
    return false;
  }

  [[nodiscard]] SteadyPoint next_look() const {
    auto next = deadline_;
    for (std::size_t i = 0; i < watches_.size(); ++i) {
      if (rollouts_[i].end == Rollout::End::done) continue;
      next = std::min(next, quiet_since_[i] + kStalled);
      if (rollouts_[i].complete) next = std::min(next, confirm_at_[i]);
    }
    return std::max(next, context_.clock.steady());
  }

  Result<void> take_snapshots() {
    for (std::size_t i = 0; i < watches_.size(); ++i) {
      if (rollouts_[i].end == Rollout::End::done) continue;
      if (watches_[i]->deleted())
        return Error{.kind = ErrorKind::not_found,
                     .what = "was deleted while its rollout was waited for",
                     .subject = fmt::format("DaemonSet {}/{}", rollouts_[i].daemon_set.namespace_,
                                            rollouts_[i].daemon_set.name)};
      update(i);
    }
    return {};
  }

  void update(std::size_t i) {
    const auto now = context_.clock.steady();
    auto& watch = *watches_[i];
    if (watch.dirty()) quiet_since_[i] = now;
    if (now >= quiet_since_[i] + kStalled) {
      quiet_since_[i] = now;
      (void)watch.refresh().has_value();  // a failure shows as the watches' trouble
    }
    rollouts_[i] = watch.snapshot();
    if (!rollouts_[i].complete || now < confirm_at_[i]) return;
    confirm_at_[i] = now + kConfirmAgain;
    if (auto fresh = watch.refresh(); !fresh) {
      rollouts_[i].trouble = fresh.error().what;
      return;
    }
    rollouts_[i] = watch.snapshot();
    if (rollouts_[i].complete) rollouts_[i].end = Rollout::End::done;
  }

  [[nodiscard]] bool all_done() const {
    return std::all_of(rollouts_.begin(), rollouts_.end(),
                       [](const Rollout& rollout) { return rollout.end == Rollout::End::done; });
  }

  void report() {
    reported_ = context_.clock.steady();
    for (auto& rollout : rollouts_) rollout.elapsed = *reported_ - started_;
    if (options_.progress) options_.progress(rollouts_);
  }

  std::vector<Rollout> end(Rollout::End how) {
    for (auto& rollout : rollouts_) {
      if (rollout.end == Rollout::End::done) continue;
      rollout.end = how;
      rollout.complete = false;  // a view that was not confirmed
    }
    report();
    return rollouts_;
  }

  const Context& context_;
  const WaitOptions& options_;
  SteadyPoint started_;
  SteadyPoint deadline_;
  std::optional<SteadyPoint> reported_;
  std::vector<std::unique_ptr<RolloutWatch>> watches_;
  std::vector<Rollout> rollouts_;
  std::vector<SteadyPoint> quiet_since_;
  std::vector<SteadyPoint> confirm_at_;
};

}  // namespace

Result<std::vector<Rollout>> wait_rollouts(const Context& context,
                                           const std::vector<DaemonSetRef>& daemon_sets,
                                           const WaitOptions& options) {
  RolloutWait wait(context, options);
  TRY(wait.start(daemon_sets));
  return wait.run();
}

Result<Rollout> wait_rollout(const Context& context, const DaemonSetRef& daemon_set,
                             const WaitOptions& options) {
  TRY_ASSIGN(auto rollouts, wait_rollouts(context, {daemon_set}, options));
  return std::move(rollouts.front());
}

}  // namespace catflap::act
