#include "base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace catflap {

void check_failed(const char* condition, std::string_view context, std::source_location where) {
  std::fprintf(stderr, "catflap: bug: %s:%u: %s (%.*s)\n", where.file_name(), where.line(),
               condition, static_cast<int>(context.size()), context.data());
  std::abort();
}

}  // namespace catflap
