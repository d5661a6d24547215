// planted(reached): in the _planted variant of a target, a bug that only input of the right depth
// finds. If the fuzzer does not find it, the target does not reach what it is there for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

inline void planted([[maybe_unused]] bool reached) {
#ifdef CATFLAP_PLANTED_BUG
  if (!reached) return;
  std::fputs("planted bug reached\n", stderr);  // what tests/fuzz/run looks for
  std::abort();
#endif
}

/// A property of the parser that must hold for every input.
inline void require(bool holds) {
  if (!holds) std::abort();
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}
