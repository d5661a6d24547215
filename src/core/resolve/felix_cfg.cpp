// The dialect: "=" or ":" between key and value, "#" and ";" begin comments also inside a line, a
// value may be quoted with ", ', ` or """ (the last two over several lines), a backslash at the end
// of a line goes on in the next one.
#include "core/resolve/felix_cfg.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>
#include <vector>

namespace catflap {
namespace {

constexpr std::string_view kDelimiters = "=:";
constexpr std::string_view kTripleQuote = "\"\"\"";
constexpr std::string_view kDefaultSection = "DEFAULT";

/// What Go's unicode.IsSpace knows, as UTF-8.
constexpr std::array<std::string_view, 25> kSpaces = {" ",
                                                      "\t",
                                                      "\n",
                                                      "\v",
                                                      "\f",
                                                      "\r",
                                                      "\xC2\x85",
                                                      "\xC2\xA0",
                                                      "\xE1\x9A\x80",
                                                      "\xE2\x80\x80",
                                                      "\xE2\x80\x81",
                                                      "\xE2\x80\x82",
                                                      "\xE2\x80\x83",
                                                      "\xE2\x80\x84",
                                                      "\xE2\x80\x85",
                                                      "\xE2\x80\x86",
                                                      "\xE2\x80\x87",
                                                      "\xE2\x80\x88",
                                                      "\xE2\x80\x89",
                                                      "\xE2\x80\x8A",
                                                      "\xE2\x80\xA8",
                                                      "\xE2\x80\xA9",
                                                      "\xE2\x80\xAF",
                                                      "\xE2\x81\x9F",
                                                      "\xE3\x80\x80"};

bool drop_leading_space(std::string_view& text) {
  for (const std::string_view space : kSpaces) {
    if (!text.starts_with(space)) continue;
    text.remove_prefix(space.size());
    return true;
  }
  return false;
}

bool drop_trailing_space(std::string_view& text) {
  for (const std::string_view space : kSpaces) {
    if (!text.ends_with(space)) continue;
    text.remove_suffix(space.size());
    return true;
  }
  return false;
}

std::string_view trim_left(std::string_view text) {
  while (drop_leading_space(text)) {
  }
  return text;
}

std::string_view trim(std::string_view text) {
  text = trim_left(text);
  while (drop_trailing_space(text)) {
  }
  return text;
}

Error refused(std::string_view what, std::string_view line) {
  return Error{.kind = ErrorKind::malformed_input,
               .what = fmt::format("{}: {}", what, trim(line.substr(0, 100)))};
}

/// Quotes at both ends and nowhere else.
bool is_surrounded(std::string_view text, char quote) {
  return text.size() >= 2 && text.front() == quote && text.find(quote, 1) == text.size() - 1;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) { section(std::string{kDefaultSection}); }

  Result<std::map<std::string, std::string>> run() {
    skip_byte_order_mark();
    while (!rest_.empty()) {
      TRY(take_statement());
    }
    Keys merged;
    for (const Keys& keys : sections_) {
      for (const auto& [key, value] : keys) merged[key] = value;
    }
    return merged;
  }

 private:
  using Keys = std::map<std::string, std::string>;
  struct Key {
    std::string name;
    std::string_view rest;  // of the line, after the delimiter
  };

  void skip_byte_order_mark() {
    for (const std::string_view mark : {"\xEF\xBB\xBF", "\xFE\xFF", "\xFF\xFE"}) {
      if (rest_.starts_with(mark)) return rest_.remove_prefix(mark.size());
    }
  }

  /// The next line with its line feed; "" at the end.
  std::string_view next_line() {
    const auto end = rest_.find('\n');
    const auto line = rest_.substr(0, end == std::string_view::npos ? end : end + 1);
    rest_.remove_prefix(line.size());
    return line;
  }

  void section(std::string name) {
    const auto [found, is_new] = index_.emplace(std::move(name), sections_.size());
    if (is_new) sections_.emplace_back();
    current_ = found->second;
  }

  Result<void> take_statement() {
    const std::string_view line = trim_left(next_line());
    if (line.empty() || line.front() == '#' || line.front() == ';') return {};
    if (line.front() == '[') return take_section(line);
    TRY_ASSIGN(Key key, read_key(line));
    TRY_ASSIGN(std::string value, read_value(key.rest));
    if (key.name.empty()) return refused("empty key name", line);
    if (key.name == "-") key.name = fmt::format("#{}", ++unnamed_);
    sections_[current_][key.name] = std::move(value);
    return {};
  }

  Result<void> take_section(std::string_view line) {
    const auto close = line.rfind(']');
    if (close == std::string_view::npos) return refused("unclosed section", line);
    if (close == 1) return refused("empty section name", line);
    section(std::string{line.substr(1, close - 1)});
    unnamed_ = 0;
    return {};
  }

  static std::string_view key_quote(std::string_view line) {
    if (line.size() > 6 && line.starts_with(kTripleQuote)) return kTripleQuote;
    if (line.starts_with('"')) return "\"";
    return line.starts_with('`') ? "`" : "";
  }

  static Result<Key> read_key(std::string_view line) {
    const std::string_view quote = key_quote(line);
    if (quote.empty()) {
      const auto end = line.find_first_of(kDelimiters);
      if (end == std::string_view::npos) return refused("no = or : in the line", line);
      if (end == 0) return refused("empty key name", line);
      return Key{std::string{trim(line.substr(0, end))}, line.substr(end + 1)};
    }
    const auto close = line.find(quote, quote.size());
    if (close == std::string_view::npos) return refused("missing closing quote", line);
    const auto end = line.find_first_of(kDelimiters, close + quote.size());
    if (end == std::string_view::npos) return refused("no = or : in the line", line);
    return Key{std::string{trim(line.substr(quote.size(), close - quote.size()))},
               line.substr(end + 1)};
  }

  Result<std::string> read_value(std::string_view line) {
    line = trim_left(line);
    if (line.empty()) return std::string{};
    if (line.size() > 3 && line.starts_with(kTripleQuote)) return read_quoted(line, kTripleQuote);
    if (line.front() == '`') return read_quoted(line, "`");

    line = trim(line);
    if (line.ends_with('\\')) return read_continued(std::string{line.substr(0, line.size() - 1)});
    line = trim(line.substr(0, line.find_first_of("#;")));
    if (is_surrounded(line, '\'') || is_surrounded(line, '"')) {
      line = line.substr(1, line.size() - 2);
    }
    return std::string{line};
  }

  /// Up to the last closing quote of the line, or of the first later line that has one.
  Result<std::string> read_quoted(std::string_view line, std::string_view quote) {
    std::string value;
    std::string_view part = line.substr(quote.size());
    for (auto close = part.rfind(quote); close == std::string_view::npos;
         close = part.rfind(quote)) {
      value += part;
      if (rest_.empty()) return refused("missing closing quote", line);
      part = next_line();
    }
    value += part.substr(0, part.rfind(quote));
    return value;
  }

  /// Comments and quotes mean nothing in lines that a backslash joined.
  std::string read_continued(std::string value) {
    for (std::string_view next = trim(next_line()); !next.empty(); next = trim(next_line())) {
      value += next;
      if (!value.ends_with('\\')) break;
      value.pop_back();
    }
    return value;
  }

  std::string_view rest_;
  std::vector<Keys> sections_;  // in the order of their first appearance
  std::map<std::string, std::size_t> index_;
  std::size_t current_ = 0;
  int unnamed_ = 0;  // keys written as "-" are numbered
};

}  // namespace

Result<std::map<std::string, std::string>> parse_felix_cfg(std::string_view text) {
  return Parser{text}.run();
}

}  // namespace catflap
