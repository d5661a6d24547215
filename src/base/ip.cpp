// Address text, both ways. Reading is inet_pton's (which is as strict as we need); writing is our
// own, because inet_ntop prints ::2:1 as ::0.2.0.1 while Go, and so Kubernetes, does not.
#include "base/ip.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace catflap {
namespace {

constexpr std::array<std::uint8_t, 12> kV4MappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

std::string v6_text(const std::array<std::uint8_t, 16>& bytes) {
  std::array<int, 8> words{};
  for (std::size_t i = 0; i < words.size(); ++i) words[i] = bytes[2 * i] << 8 | bytes[2 * i + 1];

  // RFC 5952: the first of the longest runs of two or more zero words becomes "::".
  std::size_t run_start = words.size();
  std::size_t run_length = 1;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::size_t length = 0;
    while (i + length < words.size() && words[i + length] == 0) ++length;
    if (length > run_length) {
      run_start = i;
      run_length = length;
    }
  }

  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i == run_start) {
      text += "::";
      i += run_length - 1;
      continue;
    }
    if (!text.empty() && !text.ends_with(':')) text += ':';
    text += fmt::format("{:x}", words[i]);
  }
  return text;
}

/// Decimal without sign, blanks or leading zeros.
std::optional<unsigned> parse_number(std::string_view text, unsigned largest) {
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  unsigned value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end != text.data() + text.size() || value > largest)
    return std::nullopt;
  return value;
}

}  // namespace

IpAddress IpAddress::v4(std::array<std::uint8_t, 4> bytes) {
  IpAddress address;
  std::copy(bytes.begin(), bytes.end(), address.bytes_.begin());
  return address;
}

IpAddress IpAddress::v6(std::array<std::uint8_t, 16> bytes) {
  if (std::equal(kV4MappedPrefix.begin(), kV4MappedPrefix.end(), bytes.begin()))
    return v4({bytes[12], bytes[13], bytes[14], bytes[15]});
  IpAddress address;
  address.is_v6_ = true;
  address.bytes_ = bytes;
  return address;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  // A NUL inside would end the copy early and let the rest pass unread.
  if (text.size() >= INET6_ADDRSTRLEN || text.find('\0') != std::string_view::npos)
    return std::nullopt;
  const std::string terminated(text);
  std::array<std::uint8_t, 4> four{};
  if (inet_pton(AF_INET, terminated.c_str(), four.data()) == 1) return v4(four);
  std::array<std::uint8_t, 16> sixteen{};
  if (inet_pton(AF_INET6, terminated.c_str(), sixteen.data()) == 1) return v6(sixteen);
  return std::nullopt;
}

bool IpAddress::is_loopback() const {
  if (!is_v6_) return bytes_[0] == 127;
  std::array<std::uint8_t, 16> one{};
  one[15] = 1;
  return bytes_ == one;
}

bool IpAddress::is_unspecified() const {
  return bytes_ == std::array<std::uint8_t, 16>{};
}

std::string IpAddress::to_string() const {
  if (is_v6_) return v6_text(bytes_);
  return fmt::format("{}.{}.{}.{}", bytes_[0], bytes_[1], bytes_[2], bytes_[3]);
}

std::string HostPort::to_string() const {
  return address.is_v6() ? fmt::format("[{}]:{}", address.to_string(), port)
                         : fmt::format("{}:{}", address.to_string(), port);
}

std::optional<HostPort> HostPort::parse(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  // Brackets and colons go together: "fd91::1:9091" could be read two ways, "[10.0.0.1]:9091" is
  // nobody's notation.
  if (bracketed != (host.find(':') != std::string_view::npos)) return std::nullopt;
  const auto address = IpAddress::parse(host);
  const auto port = parse_number(text.substr(colon + 1), 65535);
  if (!address || !port) return std::nullopt;
  return HostPort{*address, static_cast<Port>(*port)};
}

std::optional<Cidr> Cidr::parse(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view host = text.substr(0, slash);
  const auto base = IpAddress::parse(host);
  const bool written_as_v6 = host.find(':') != std::string_view::npos;
  const auto length = parse_number(text.substr(slash + 1), written_as_v6 ? 128 : 32);
  if (!base || !length) return std::nullopt;
  if (base->is_v6() || !written_as_v6) return Cidr{*base, static_cast<int>(*length)};
  // v4-mapped was folded to IPv4, so its first 96 bits are gone; a shorter prefix spans more than
  // IPv4.
  if (*length < 96) return std::nullopt;
  return Cidr{*base, static_cast<int>(*length) - 96};
}

bool Cidr::contains(const IpAddress& address) const {
  if (address.is_v6() != base.is_v6()) return false;
  for (int bit = 0; bit < prefix_length; bit += 8) {
    const auto index = static_cast<std::size_t>(bit / 8);
    const int used = std::min(8, prefix_length - bit);
    const int mask = 0xff << (8 - used) & 0xff;
    if (((address.bytes()[index] ^ base.bytes()[index]) & mask) != 0) return false;
  }
  return true;
}

}  // namespace catflap
