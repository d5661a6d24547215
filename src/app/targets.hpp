// What a user writes to be probed, one word or line each:
//   n1  n1:9091  10.0.0.1  10.0.0.1:9091  fd91::1  [fd91::1]:9091  10.0.0.0/24  10.0.0.0/24:9091
//   [fd91::/120]:9091  {"target": "n1:9091", "id": anything}
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/ip.hpp"
#include "base/result.hpp"

namespace catflap::app {

struct TargetSpec {
  std::string text;                                 // as written, without the id
  std::optional<std::string> id;                    // JSON as written, handed through to the answer
  std::variant<std::string, IpAddress, Cidr> host;  // a name, an address, a range
  std::optional<Port> port;                         // none: those of --port
};

/// One word or line; blanks around it are ignored. Fails with usage: the text, what is wrong, what
/// would be right. Ranges of IPv6 are taken up to /112 (65,536 addresses).
[[nodiscard]] Result<TargetSpec> parse_target(std::string_view line);

[[nodiscard]] std::uint64_t address_count(const Cidr& range);
/// The addresses of a range, one after another, until `each` returns false.
void for_each_address(const Cidr& range, const std::function<bool(const IpAddress&)>& each);

}  // namespace catflap::app
