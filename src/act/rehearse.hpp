// Server dry runs of a plan: nothing is stored. Private to src/act.
#pragma once

#include <vector>

#include "act/close.hpp"
#include "act/context.hpp"

namespace catflap::act {

/// Before the first real write: a right that is missing for the last step. Other failures are left
/// to the real write to tell: not every admission webhook takes a rehearsal.
[[nodiscard]] Result<void> rehearse_rights(const Context& context, const Plan& plan);

/// close --dry-run=server: may the journal be written and is its lock free, and what the server
/// says to every step. `said` is filled as far as it comes.
[[nodiscard]] Result<void> rehearse_close(const Context& context, const CloseInput& input,
                                          const CloseSeams& seams, const CloseOptions& options,
                                          std::vector<WrittenStep>& said);

}  // namespace catflap::act
