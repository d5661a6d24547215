// Addresses as values: IPv4 and IPv6, with v4-mapped IPv6 folded to IPv4 so that equal endpoints
// compare equal.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace catflap {

using Port = std::uint16_t;

class IpAddress {
 public:
  IpAddress() = default;  // 0.0.0.0
  /// Strict: dotted quad without leading zeros, or RFC 4291 text without zone or brackets. Folds
  /// ::ffff:a.b.c.d.
  [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text);
  /// 4 or 16 bytes in network order.
  [[nodiscard]] static IpAddress v4(std::array<std::uint8_t, 4> bytes);
  [[nodiscard]] static IpAddress v6(std::array<std::uint8_t, 16> bytes);  // folds v4-mapped

  [[nodiscard]] bool is_v6() const { return is_v6_; }
  [[nodiscard]] bool is_loopback() const;     // 127.0.0.0/8, ::1
  [[nodiscard]] bool is_unspecified() const;  // 0.0.0.0, ::
  /// Network order; an IPv4 address uses the first 4.
  [[nodiscard]] const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }
  /// RFC 5952.
  [[nodiscard]] std::string to_string() const;

  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  bool is_v6_ = false;
  std::array<std::uint8_t, 16> bytes_{};
};

struct HostPort {
  IpAddress address;
  Port port = 0;
  /// "10.0.0.1:9091", "[fd91::1]:9091".
  [[nodiscard]] std::string to_string() const;
  /// The reverse; nothing else is accepted.
  [[nodiscard]] static std::optional<HostPort> parse(std::string_view text);
  friend auto operator<=>(const HostPort&, const HostPort&) = default;
};

struct Cidr {
  IpAddress base;
  int prefix_length = 0;
  [[nodiscard]] static std::optional<Cidr> parse(std::string_view text);  // "10.0.0.0/8"
  [[nodiscard]] bool contains(const IpAddress& address) const;
};

}  // namespace catflap
