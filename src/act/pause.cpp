#include "act/pause.hpp"

#include <algorithm>

namespace catflap::act {

namespace {

constexpr Duration kSlice{std::chrono::seconds{1}};

}  // namespace

Error interrupted_error() {
  return Error{.kind = ErrorKind::interrupted, .what = "stopped by a signal"};
}

Result<PauseEnd> pause_until(const Context& context,
                             const std::function<Result<void>()>& keep_alive,
                             const std::function<bool()>& done, SteadyPoint deadline) {
  bool finished = false;
  const auto wake = [&] { return context.stop.stop_requested() || (finished = done()); };
  while (true) {
    if (context.stop.stop_requested()) return interrupted_error();
    if (keep_alive) TRY(keep_alive());
    const auto slice = std::min(deadline, context.clock.steady() + kSlice);
    switch (context.api.run_until(wake, slice)) {
      case kube::RunResult::done:
        if (!finished) return interrupted_error();
        return PauseEnd::done;
      case kube::RunResult::stopped:
        return interrupted_error();
      case kube::RunResult::deadline:
        break;
    }
    if (context.clock.steady() >= deadline) return PauseEnd::deadline;
  }
}

Result<void> pause_for(const Context& context, const std::function<Result<void>()>& keep_alive,
                       Duration time) {
  const auto end =
      pause_until(context, keep_alive, [] { return false; }, context.clock.steady() + time);
  if (!end) return end.error();
  return {};
}

}  // namespace catflap::act
