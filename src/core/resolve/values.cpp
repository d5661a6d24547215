// Felix's parsers. Nothing here trims: Felix does not either, so " true" is invalid and counts as
// the default.
#include "core/resolve/values.hpp"

#include <algorithm>
#include <cstdint>

#include "base/text.hpp"

namespace catflap {
namespace {

constexpr std::string_view kEnvPrefix = "felix_";
constexpr std::size_t kMaxHostLength = 64;
constexpr std::uint64_t kMaxPort = 65535;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// The value of a digit in bases up to 36, or 99.
unsigned digit_value(char c) {
  if (is_digit(c)) return static_cast<unsigned>(c - '0');
  const char l = lower(c);
  return l >= 'a' && l <= 'z' ? static_cast<unsigned>(l - 'a') + 10 : 99;
}

struct Prefixed {
  unsigned base;
  std::string_view digits;
};

/// Go takes 0b, 0o and 0x only if a digit can follow; any other leading 0 means octal.
Prefixed split_base(std::string_view text) {
  if (!text.starts_with('0')) return {10, text};
  if (text.size() >= 3) {
    const char letter = lower(text[1]);
    if (letter == 'b') return {2, text.substr(2)};
    if (letter == 'o') return {8, text.substr(2)};
    if (letter == 'x') return {16, text.substr(2)};
  }
  return {8, text.substr(1)};
}

/// An underscore must stand between digits; a base prefix, or the 0 of an octal number, counts as
/// one.
bool underscores_are_fine(std::string_view text, const Prefixed& number) {
  bool after_digit = number.digits.size() < text.size();
  for (const char c : number.digits) {
    if (c == '_' && !after_digit) return false;
    after_digit = c != '_';
  }
  return after_digit;
}

std::optional<std::uint64_t> parse_unsigned(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const Prefixed number = split_base(text);
  std::uint64_t value = 0;
  for (const char c : number.digits) {
    if (c == '_') continue;
    const unsigned digit = digit_value(c);
    if (digit >= number.base) return std::nullopt;
    value = std::min(value * number.base + digit, kMaxPort + 1);  // larger is out of range anyway
  }
  if (!underscores_are_fine(text, number)) return std::nullopt;
  return value;
}

bool is_host_character(char c) {
  return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') ||
         std::string_view{":._+-"}.find(c) != std::string_view::npos;
}

}  // namespace

std::string felix_lower(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with("\xC4\xB0")) {
      out += 'i';
      i += 1;
    } else if (text.substr(i).starts_with("\xE2\x84\xAA")) {
      out += 'k';
      i += 2;
    } else {
      out += lower(text[i]);
    }
  }
  return out;
}

bool names_parameter(std::string_view name, std::string_view parameter) {
  return felix_lower(name) == to_lower(parameter);
}

bool env_names_parameter(std::string_view variable, std::string_view parameter) {
  const std::string name = felix_lower(variable);
  return name.starts_with(kEnvPrefix) && name.substr(kEnvPrefix.size()) == to_lower(parameter);
}

bool is_none(std::string_view raw) {
  return equal_ignoring_case(raw, "none");
}

std::optional<bool> parse_felix_bool(std::string_view raw) {
  const std::string text = to_lower(raw);
  for (const std::string_view yes : {"true", "1", "yes", "y", "t"}) {
    if (text == yes) return true;
  }
  for (const std::string_view no : {"false", "0", "no", "n", "f", "none"}) {
    if (text == no) return false;
  }
  return std::nullopt;
}

std::optional<int> parse_felix_port(std::string_view raw) {
  if (is_none(raw)) return 0;
  const bool negative = raw.starts_with('-');
  if (negative || raw.starts_with('+')) raw.remove_prefix(1);
  const auto value = parse_unsigned(raw);
  if (!value || *value > kMaxPort || (negative && *value != 0)) return std::nullopt;
  return static_cast<int>(*value);
}

std::optional<std::string> parse_felix_host(std::string_view raw) {
  if (is_none(raw)) return "";
  if (raw.empty() || raw.size() > kMaxHostLength) return std::nullopt;
  if (!std::all_of(raw.begin(), raw.end(), is_host_character)) return std::nullopt;
  return std::string{raw};
}

std::optional<std::string> parse_felix_string(std::string_view raw) {
  if (is_none(raw)) return "";
  if (raw.find('\n') != std::string_view::npos) return std::nullopt;
  return std::string{raw};
}

std::optional<ClientAuth> parse_felix_client_auth(std::string_view raw) {
  for (const ClientAuth auth : {ClientAuth::no_client_cert, ClientAuth::verify_if_given,
                                ClientAuth::require_any, ClientAuth::require_and_verify}) {
    if (felix_lower(raw) == to_lower(to_string(auth))) return auth;
  }
  return std::nullopt;
}

}  // namespace catflap
