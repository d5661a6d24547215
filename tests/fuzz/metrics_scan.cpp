// A metrics text, as whoever listens on a node writes it. How the bytes are cut must not change
// what is understood.
#include "net/metrics_scan.hpp"

#include "planted.hpp"

using catflap::net::MetricsScan;

namespace {

void require_bounds(const MetricsScan& scan) {
  const bool seen = scan.felix_host() == MetricsScan::FelixHost::seen;
  require(scan.host().size() <= 253 && scan.line().size() <= 2048);
  require(scan.product_mark().size() <= 256 && scan.first_metric().size() <= 256);
  for (const char c : scan.host()) require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  // Nothing but its own line makes it Felix.
  require(seen == (scan.product() == catflap::Product::felix));
  require(seen == (scan.line().find("felix_host") != std::string::npos));
  require(seen || scan.host().empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = text_of(data, size);
  MetricsScan whole;
  whole.feed(text);
  MetricsScan bytes;
  for (const char& byte : text) bytes.feed({&byte, 1});
  for (int ended = 0; ended < 2; ++ended) {
    require_bounds(whole);
    require(whole.felix_host() == bytes.felix_host() && whole.host() == bytes.host());
    require(whole.line() == bytes.line());
    require(whole.product() == bytes.product() && whole.product_mark() == bytes.product_mark());
    whole.end();
    bytes.end();
  }
  // Some comment first, then a blank before the brace.
  planted(!whole.first_metric().empty() && whole.line().starts_with("felix_host {") &&
          whole.host() != "node-1");
  return 0;
}
