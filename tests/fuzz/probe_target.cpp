// A line of a list of targets, which may come from anywhere.
#include "app/targets.hpp"
#include "planted.hpp"

using catflap::Cidr;
using catflap::IpAddress;

namespace {

void require_range(const Cidr& range) {
  require(range.prefix_length >= (range.base.is_v6() ? 112 : 0));
  int seen = 0;
  catflap::app::for_each_address(range, [&](const IpAddress& address) {
    require(range.contains(address));
    return ++seen < 4;
  });
  require(seen > 0);
}

void require_name(const std::string& name) {
  require(!name.empty() && name.size() <= 253);
  // It goes to the resolver and to the terminal.
  for (const char c : name) require(c > 0x20 && c < 0x7f && c != '/' && c != ':');
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = text_of(data, size);
  const auto spec = catflap::app::parse_target(text);
  if (!spec) {
    require(spec.error().kind == catflap::ErrorKind::usage);
    require(spec.error().subject.size() <= 80 * 4 && !spec.error().what.empty());
    return 0;
  }
  require(spec->port != 0);
  const auto* range = std::get_if<Cidr>(&spec->host);
  if (range != nullptr) require_range(*range);
  if (const auto* name = std::get_if<std::string>(&spec->host)) require_name(*name);
  // What stands in the answer is a target again, and the same one.
  const auto again = catflap::app::parse_target(spec->text);
  require(again.has_value() && again->text == spec->text && again->port == spec->port);
  require(again->host.index() == spec->host.index());
  planted(range != nullptr && range->base.is_v6() && spec->id && spec->port && spec->port != 9091);
  return 0;
}
