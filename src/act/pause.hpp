// All waiting of this folder. A wait is cut into slices, so that a lock is renewed on time however
// long it takes.
#pragma once

#include <functional>

#include "act/context.hpp"

namespace catflap::act {

enum class PauseEnd { done, deadline };

/// Runs the event loop until done() or the deadline, asking keep_alive (may be empty) before every
/// slice of a second. Errors: interrupted; whatever keep_alive says.
[[nodiscard]] Result<PauseEnd> pause_until(const Context& context,
                                           const std::function<Result<void>()>& keep_alive,
                                           const std::function<bool()>& done, SteadyPoint deadline);

/// The same for a fixed time.
[[nodiscard]] Result<void> pause_for(const Context& context,
                                     const std::function<Result<void>()>& keep_alive,
                                     Duration time);

}  // namespace catflap::act
