// One UTF-8 decoder under everything here, because widths, wrapping and escaping must agree on what
// a bad byte is.
#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <vector>

#include "base/width_table.hpp"

namespace catflap {
namespace {

struct Decoded {
  char32_t code_point = 0;
  std::size_t bytes = 1;
  bool valid = false;  // false: one byte that belongs to no character
};

struct Lead {
  unsigned char mask;
  unsigned char pattern;
  std::size_t bytes;
  char32_t smallest;  // anything below is an overlong form
};
constexpr Lead kLeads[] = {
    {0x80, 0x00, 1, 0}, {0xe0, 0xc0, 2, 0x80}, {0xf0, 0xe0, 3, 0x800}, {0xf8, 0xf0, 4, 0x10000}};

Decoded decode(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  for (const Lead& lead : kLeads) {
    if ((first & lead.mask) != lead.pattern) continue;
    if (text.size() < lead.bytes) return {};
    char32_t code_point = first & static_cast<unsigned char>(~lead.mask);
    for (std::size_t i = 1; i < lead.bytes; ++i) {
      const auto next = static_cast<unsigned char>(text[i]);
      if ((next & 0xc0) != 0x80) return {};
      code_point = code_point << 6 | (next & 0x3f);
    }
    const bool surrogate = code_point >= 0xd800 && code_point <= 0xdfff;
    if (code_point < lead.smallest || code_point > 0x10ffff || surrogate) return {};
    return {code_point, lead.bytes, true};
  }
  return {};
}

template <std::size_t N>
bool contains(const width::CodePointRange (&table)[N], char32_t code_point) {
  const auto* next =
      std::upper_bound(std::begin(table), std::end(table), code_point,
                       [](char32_t c, const auto& range) { return c < range.first; });
  return next != std::begin(table) && code_point <= std::prev(next)->last;
}

std::size_t columns_of(const Decoded& character) {
  if (!character.valid || character.code_point < 0x300) return 1;
  if (contains(width::kZero, character.code_point)) return 0;
  return contains(width::kWide, character.code_point) ? 2 : 1;
}

/// Closing marks that Chinese typesetting keeps off the start of a line.
bool sticks_to_the_left(char32_t code_point) {
  constexpr std::u32string_view kClosing = U"、。，．：；！？）】》〉」』〕”’…％";
  return kClosing.find(code_point) != std::u32string_view::npos;
}

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

/// A piece of text that a line break may stand before, and whether blanks did.
struct Chunk {
  std::string_view text;
  std::size_t columns = 0;
  std::size_t blanks_before = 0;
};

std::vector<Chunk> split_chunks(std::string_view line) {
  std::vector<Chunk> chunks;
  std::size_t blanks = 0;
  bool open = false;       // the last chunk may still grow
  bool last_wide = false;  // a break may follow it
  for (std::size_t at = 0; at < line.size();) {
    if (is_blank(line[at])) {
      ++blanks;
      ++at;
      open = false;
      continue;
    }
    const Decoded character = decode(line.substr(at));
    const std::size_t columns = columns_of(character);
    const bool joins =
        columns == 0 || sticks_to_the_left(character.code_point) || (columns == 1 && !last_wide);
    if (open && joins) {
      Chunk& chunk = chunks.back();
      chunk.text = {chunk.text.data(), chunk.text.size() + character.bytes};
      chunk.columns += columns;
    } else {
      chunks.push_back({line.substr(at, character.bytes), columns, blanks});
      blanks = 0;
      open = true;
    }
    if (columns != 0) last_wide = columns == 2;
    at += character.bytes;
  }
  return chunks;
}

void wrap_line(std::string_view line, std::size_t width, std::string_view indent,
               std::string& out) {
  const std::size_t margin = display_width(indent);
  std::size_t used = margin;
  bool line_start = true;
  out += indent;
  for (const Chunk& chunk : split_chunks(line)) {
    if (!line_start && used + chunk.blanks_before + chunk.columns > width) {
      out += '\n';
      out += indent;
      used = margin;
      line_start = true;
    }
    if (!line_start) {
      out.append(chunk.blanks_before, ' ');
      used += chunk.blanks_before;
    }
    out += chunk.text;
    used += chunk.columns;
    line_start = false;
  }
}

/// Would move the cursor, hide text or change its direction on a terminal.
bool is_unsafe(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || (c >= 0x200b && c <= 0x200f) ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
         (c >= 0xe0000 && c <= 0xe0fff);
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({substituted, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::size_t display_width(std::string_view utf8) {
  std::size_t columns = 0;
  while (!utf8.empty()) {
    const Decoded character = decode(utf8);
    columns += columns_of(character);
    utf8.remove_prefix(character.bytes);
  }
  return columns;
}

std::string pad_right(std::string_view utf8, std::size_t width) {
  std::string text(utf8);
  const std::size_t columns = display_width(utf8);
  if (columns < width) text.append(width - columns, ' ');
  return text;
}

std::string wrap(std::string_view utf8, std::size_t width, std::string_view indent) {
  std::string out;
  for (;;) {
    const auto end = utf8.find('\n');
    wrap_line(utf8.substr(0, end), width, indent, out);
    if (end == std::string_view::npos) return out;
    out += '\n';
    utf8.remove_prefix(end + 1);
  }
}

std::string printable(std::string_view bytes, std::size_t max_bytes) {
  bytes = bytes.substr(0, max_bytes);
  std::string text;
  while (!bytes.empty()) {
    const Decoded character = decode(bytes);
    const std::string_view raw = bytes.substr(0, character.bytes);
    if (character.valid && !is_unsafe(character.code_point)) {
      text += raw;
    } else {
      for (const char c : raw) text += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
    bytes.remove_prefix(character.bytes);
  }
  return text;
}

std::string nearest(std::string_view word, std::span<const std::string> candidates) {
  std::string best;
  std::size_t best_distance = word.size() / 3 + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance >= best_distance) continue;
    best_distance = distance;
    best = candidate;
  }
  return best;
}

std::string to_lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), lower);
  return result;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace catflap
