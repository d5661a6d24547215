// Who runs: the name in the journal's lock, and whether the holder of another lock on this machine
// is gone.
#pragma once

#include <string>

#include "act/close.hpp"
#include "app/runtime.hpp"

namespace catflap::app {

[[nodiscard]] act::LockOptions lock_options(const Runtime& runtime);

}  // namespace catflap::app
