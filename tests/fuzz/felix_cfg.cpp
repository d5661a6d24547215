// /etc/calico/felix.cfg of a host.
#include "core/resolve/felix_cfg.hpp"

#include "planted.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto values = catflap::parse_felix_cfg(text_of(data, size));
  if (!values) return 0;
  const auto enabled = values->find("PrometheusMetricsEnabled");
  planted(values->size() >= 3 && enabled != values->end() && enabled->second != "true");
  return 0;
}
