// Style: colours where a terminal shows them, and the small words that every text view shares.
// Widgets return strings.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/verdict.hpp"

namespace catflap::render {

inline constexpr std::size_t kWidth = 100;  // columns that no line of ours exceeds

enum class Colours { off, on };
enum class Tone { plain, good, bad, caution, faint, strong };

class Style {
 public:
  explicit Style(Colours colours) : colours_(colours) {}
  [[nodiscard]] std::string paint(Tone tone, std::string_view text) const;

 private:
  Colours colours_;
};

[[nodiscard]] Tone tone_of(Verdict verdict);

/// "1 node", "3 nodes", "5,000 nodes".
[[nodiscard]] std::string count_of(std::size_t count, std::string_view noun);
[[nodiscard]] std::string with_thousands(std::size_t count);

/// "n1, n2, n3 and 4,997 more"; at most `columns` wide, at least one name.
[[nodiscard]] std::string name_list(std::span<const std::string> names, std::size_t columns);

/// "10s", "2 min", "1 h 5 min": for people, rounded.
[[nodiscard]] std::string about(Duration duration);

/// "2026-11-21 10:57 UTC"
[[nodiscard]] std::string clock_text(TimePoint time);

/// Text cut to `columns` with "…" at its end.
[[nodiscard]] std::string cut(std::string_view text, std::size_t columns);

/// A label in the left column and text beside it, wrapped under itself. Ends with a line break.
[[nodiscard]] std::string field(const Style& style, std::string_view label, std::string_view text,
                                Tone tone = Tone::plain);

/// Text wrapped to kWidth behind `indent` blanks, the first line too. Ends with a line break.
[[nodiscard]] std::string paragraph(std::string_view text, std::size_t indent);

/// Lines to be copied from the screen: indented, never wrapped.
[[nodiscard]] std::string pasted(std::string_view lines);

/// Lines of cells; columns as wide as their widest cell, the last one cut at kWidth... unless
/// `max_width` is larger.
[[nodiscard]] std::string table(const std::vector<std::vector<std::string>>& rows,
                                std::size_t max_width);

}  // namespace catflap::render
