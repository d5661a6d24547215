#include "app/commands.hpp"
#include "app/print.hpp"
#include "render/document.hpp"

namespace catflap::app {

Result<int> run_version(const Runtime& runtime, const Options& options) {
  const TimePoint now = runtime.clock.now();
  const auto text = [] {
    return fmt::format("catflap {} (rules {})\n", CATFLAP_VERSION, render::kRules);
  };
  print(runtime, options,
        {.document = [&] { return render::envelope("Version", {.started = now, .finished = now}); },
         .text = text});
  return 0;
}

}  // namespace catflap::app
