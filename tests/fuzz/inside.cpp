// What the look inside a container prints; the container is not trusted.
#include "look/inside_script.hpp"
#include "planted.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto look = catflap::look::parse_inside(text_of(data, size), "N0NCE", catflap::TimePoint{});
  // A look that is complete has seen the end; one that is not says why.
  require(look.complete || !look.problem_code.empty());
  require(look.raw.size() <= 8192);
  planted(look.complete && !look.felix.empty() && !look.felix[0].environment.empty() &&
          look.felix[0].environment[0].first != "FELIX_PROMETHEUSMETRICSENABLED");
  return 0;
}
