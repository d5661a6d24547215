#include "net/metrics_sample.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

namespace catflap::net {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

bool is_name_character(char c, bool first) {
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
  return letter || (!first && c >= '0' && c <= '9');
}

/// Takes a sample's parts off the front of a line, with the blanks before each.
class Reader {
 public:
  explicit Reader(std::string_view line) : rest_(line) {}

  bool take(char wanted) {
    skip_blanks();
    if (!rest_.starts_with(wanted)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool at_end() {
    skip_blanks();
    return rest_.empty();
  }
  /// Bare or in quotes.
  std::optional<std::string> name() {
    skip_blanks();
    if (rest_.starts_with('"')) return quoted();
    std::size_t size = 0;
    while (size < rest_.size() && is_name_character(rest_[size], size == 0)) ++size;
    if (size == 0) return std::nullopt;
    return std::string(cut(size));
  }
  /// Escapes are \\, \" and \n.
  std::optional<std::string> quoted() {
    if (!take('"')) return std::nullopt;
    std::string value;
    while (!rest_.empty()) {
      char c = cut(1).front();
      if (c == '"') return value;
      if (c == '\\') {
        if (rest_.empty()) return std::nullopt;
        c = cut(1).front();
        if (c == 'n') c = '\n';
      }
      value += c;
    }
    return std::nullopt;
  }
  /// Up to the next blank.
  std::string_view word() {
    skip_blanks();
    return cut(std::min(rest_.find_first_of(" \t"), rest_.size()));
  }

 private:
  void skip_blanks() {
    while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
  }
  std::string_view cut(std::size_t size) {
    const auto piece = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return piece;
  }

  std::string_view rest_;
};

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  Number value{};
  const char* end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, value);
  if (text.empty() || problem != std::errc{} || stop != end) return std::nullopt;
  return value;
}

/// Behind the brace. A quoted name without a value is the sample's own.
bool take_labels(Reader& reader, MetricsSample& sample) {
  while (!reader.take('}')) {
    auto name = reader.name();
    if (!name) return false;
    if (reader.take('=')) {
      auto value = reader.quoted();
      if (!value) return false;
      sample.labels.push_back({*std::move(name), *std::move(value)});
    } else if (sample.name.empty()) {
      sample.name = *std::move(name);
    } else {
      return false;
    }
    if (reader.take(',')) continue;
    return reader.take('}');
  }
  return true;
}

}  // namespace

std::optional<MetricsSample> parse_sample(std::string_view line) {
  Reader reader(line);
  MetricsSample sample;
  if (!reader.take('{')) {
    auto name = reader.name();
    if (!name) return std::nullopt;
    sample.name = *std::move(name);
    if (reader.take('{') && !take_labels(reader, sample)) return std::nullopt;
  } else if (!take_labels(reader, sample) || sample.name.empty()) {
    return std::nullopt;
  }
  const auto value = parse_number<double>(reader.word());
  if (!value) return std::nullopt;
  sample.value = *value;
  if (reader.at_end()) return sample;
  sample.has_time = parse_number<std::int64_t>(reader.word()).has_value();
  if (!sample.has_time || !reader.at_end()) return std::nullopt;
  return sample;
}

}  // namespace catflap::net
