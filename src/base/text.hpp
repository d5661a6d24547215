// Text as a terminal and a hostile peer make it: widths, padding, suggestions, safe excerpts.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace catflap {

/// Columns that UTF-8 text takes on a terminal: 2 for East Asian wide characters, 0 for combining
/// marks. Bad bytes count 1.
[[nodiscard]] std::size_t display_width(std::string_view utf8);

/// Text padded with blanks to `width` columns (never cut).
[[nodiscard]] std::string pad_right(std::string_view utf8, std::size_t width);

/// Text broken at blanks (or between wide characters) into lines of at most `width` columns, which
/// include `indent`, put before every line. A wider word stands alone, uncut. A line feed in the
/// text stays one.
[[nodiscard]] std::string wrap(std::string_view utf8, std::size_t width,
                               std::string_view indent = "");

/// Bytes from outside as one printable line: control characters and bad UTF-8 as \xNN, at most
/// `max_bytes` of input.
[[nodiscard]] std::string printable(std::string_view bytes, std::size_t max_bytes = 512);

/// The candidate nearest to a mistyped word, or "" if none is near (Levenshtein distance over a
/// third of its length).
[[nodiscard]] std::string nearest(std::string_view word, std::span<const std::string> candidates);

/// ASCII only, independent of the locale.
[[nodiscard]] std::string to_lower(std::string_view text);
[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b);

}  // namespace catflap
