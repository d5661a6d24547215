// CHECK(condition, context): a bug of ours, never a verdict on input. Ends the process with the
// place and the context.
#pragma once

#include <source_location>
#include <string_view>

namespace catflap {

[[noreturn]] void check_failed(const char* condition, std::string_view context,
                               std::source_location where = std::source_location::current());

#define CHECK(condition, context)                                     \
  do {                                                                \
    if (!(condition)) ::catflap::check_failed(#condition, (context)); \
  } while (false)

}  // namespace catflap
