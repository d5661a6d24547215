#include "app/targets.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>

#include "app/json_members.hpp"
#include "base/text.hpp"

namespace catflap::app {
namespace {

constexpr int kWidestV6 = 112;  // the shortest prefix that is walked
constexpr std::size_t kLongestName = 253;

Error bad_target(std::string_view text, std::string why) {
  return {.kind = ErrorKind::usage,
          .what = std::move(why),
          .subject = printable(text, 80),
          .hint = "write HOST, HOST:PORT, [IPV6]:PORT or a range such as 10.0.0.0/24"};
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::optional<Port> parse_port(std::string_view text) {
  unsigned port = 0;
  const char* end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, port);
  if (text.empty() || problem != std::errc{} || stop != end || port == 0 || port > 65'535)
    return std::nullopt;
  return static_cast<Port>(port);
}

/// What the system's own reader takes for an address, such as 2130706433, 127.1 or 0x7f000001.
bool is_number_address(std::string_view text) {
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t dot = std::min(text.find('.', at), text.size());
    std::string_view label = text.substr(at, dot - at);
    const bool hex = label.starts_with("0x") || label.starts_with("0X");
    if (hex) label.remove_prefix(2);
    const char* digits = hex ? "0123456789abcdefABCDEF" : "0123456789";
    if (label.find_first_not_of(digits) != label.npos) return false;
    at = dot + 1;
  }
  return true;
}

bool is_name(std::string_view text) {
  const auto fits = [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  };
  return !text.empty() && text.size() <= kLongestName && !is_number_address(text) &&
         text.front() != '-' && text.front() != '.' && std::all_of(text.begin(), text.end(), fits);
}

/// Host and port as texts; the port is empty if none is written.
Result<std::pair<std::string_view, std::string_view>> split(std::string_view text) {
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == text.npos) return bad_target(text, "has no closing bracket");
    const auto rest = text.substr(close + 1);
    if (!rest.empty() && (rest[0] != ':' || rest.size() == 1))
      return bad_target(text, "has something else than :PORT behind its bracket");
    return std::pair(text.substr(1, close - 1), rest.empty() ? rest : rest.substr(1));
  }
  const auto colon = text.find(':');
  if (colon == text.npos || text.find(':', colon + 1) != text.npos)
    return std::pair(text, std::string_view());  // no port, or IPv6
  if (colon + 1 == text.size()) return bad_target(text, "has no port behind its colon");
  return std::pair(text.substr(0, colon), text.substr(colon + 1));
}

Result<void> set_host(TargetSpec& spec, std::string_view host) {
  if (host.find('/') != host.npos) {
    const auto range = Cidr::parse(host);
    if (!range) return bad_target(spec.text, "is neither a host nor a range of addresses");
    if (range->base.is_v6() && range->prefix_length < kWidestV6)
      return bad_target(spec.text, "has too many addresses: IPv6 ranges are taken from /112 on");
    spec.host = *range;
  } else if (const auto address = IpAddress::parse(host)) {
    spec.host = *address;
  } else if (is_name(host)) {
    spec.host = std::string(host);
  } else if (const auto zone = host.find('%'); IpAddress::parse(host.substr(0, zone))) {
    return bad_target(spec.text, "has a zone: link-local addresses are not taken");
  } else {
    return bad_target(spec.text, "is neither an address nor a name");
  }
  return {};
}

Result<TargetSpec> parse_plain(std::string_view text) {
  TargetSpec spec;
  spec.text = std::string(text);
  if (text.find("://") != text.npos)
    return bad_target(text, "is a URL; the scheme is found out, the path is /metrics");
  TRY_ASSIGN(const auto parts, split(text));
  if (!parts.second.empty()) {
    spec.port = parse_port(parts.second);
    if (!spec.port) return bad_target(text, "has a port that is not between 1 and 65535");
  }
  TRY(set_host(spec, parts.first));
  return spec;
}

Result<TargetSpec> parse_json(std::string_view text) {
  const auto members = json_members(text);
  if (!members) return bad_target(text, members.error().what);
  std::optional<std::string_view> target;
  std::optional<std::string> id;
  for (const auto& [name, value] : *members) {
    if (name != "target" && name != "id")
      return bad_target(text, "has a member other than target and id");
    if (name == "target" ? target.has_value() : id.has_value())
      return bad_target(text, "has two members called " + name);
    if (name == "target") {
      target = value;
    } else {
      id = std::string(value);
    }
  }
  if (!target || !target->starts_with('"')) return bad_target(text, "has no text as its target");
  const auto host = boost::json::parse({target->data(), target->size()});
  TRY_ASSIGN(TargetSpec spec, parse_plain(trimmed(std::string_view(host.get_string()))));
  spec.id = std::move(id);
  return spec;
}

}  // namespace

Result<TargetSpec> parse_target(std::string_view line) {
  const std::string_view text = trimmed(line);
  return text.starts_with('{') ? parse_json(text) : parse_plain(text);
}

std::uint64_t address_count(const Cidr& range) {
  const int bits = range.base.is_v6() ? 128 : 32;
  return std::uint64_t{1} << (bits - range.prefix_length);
}

void for_each_address(const Cidr& range, const std::function<bool(const IpAddress&)>& each) {
  auto bytes = range.base.bytes();
  const std::size_t size = range.base.is_v6() ? 16 : 4;
  const auto host_bits = static_cast<int>(size * 8) - range.prefix_length;
  // The base may have bits behind its prefix.
  for (int bit = 0; bit < host_bits; ++bit)
    bytes[size - 1 - static_cast<std::size_t>(bit) / 8] &=
        static_cast<std::uint8_t>(~(1u << (bit % 8)));
  const std::uint64_t count = address_count(range);
  for (std::uint64_t i = 0; i < count; ++i) {
    const bool more =
        each(range.base.is_v6() ? IpAddress::v6(bytes)
                                : IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]}));
    if (!more) return;
    for (std::size_t at = size; at-- > 0;)
      if (++bytes[at] != 0) break;
  }
}

}  // namespace catflap::app
