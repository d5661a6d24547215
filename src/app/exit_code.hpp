// Exit codes (docs/verdicts.md). 0, 1 and 3 are about the nodes; these are about the run.
#pragma once

#include "base/error.hpp"

namespace catflap::app {

inline constexpr int kExitOk = 0;
inline constexpr int kExitOpen = 1;  // open, or a change pending, or time is up
inline constexpr int kExitUsage = 2;
inline constexpr int kExitUnknown = 3;
inline constexpr int kExitFailed = 4;
inline constexpr int kExitRefused = 5;
inline constexpr int kExitInterrupted = 130;

[[nodiscard]] inline int exit_code(const Error& error) {
  switch (error.kind) {
    case ErrorKind::usage:
      return kExitUsage;
    case ErrorKind::refused:
      return kExitRefused;
    case ErrorKind::interrupted:
      return kExitInterrupted;
    default:
      return kExitFailed;
  }
}

}  // namespace catflap::app
