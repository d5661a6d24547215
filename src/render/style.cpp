#include "render/style.hpp"

#include "base/text.hpp"

namespace catflap::render {
namespace {

constexpr std::size_t kLabelWidth = 11;

const char* escape_of(Tone tone) {
  switch (tone) {
    case Tone::plain:
      return "";
    case Tone::good:
      return "\x1b[32m";
    case Tone::bad:
      return "\x1b[1;31m";
    case Tone::caution:
      return "\x1b[33m";
    case Tone::faint:
      return "\x1b[2m";
    case Tone::strong:
      return "\x1b[1m";
  }
  return "";
}

}  // namespace

std::string Style::paint(Tone tone, std::string_view text) const {
  if (colours_ == Colours::off || tone == Tone::plain || text.empty()) return std::string(text);
  return fmt::format("{}{}\x1b[0m", escape_of(tone), text);
}

Tone tone_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::exposed:
    case Verdict::armed:
      return Tone::bad;
    case Verdict::closed:
      return Tone::good;
    case Verdict::no_felix:
      return Tone::faint;
    case Verdict::protected_:
    case Verdict::local_only:
    case Verdict::filtered:
    case Verdict::not_felix:
    case Verdict::unknown:
      return Tone::caution;
  }
  return Tone::plain;
}

std::string with_thousands(std::size_t count) {
  std::string digits = std::to_string(count);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string count_of(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", with_thousands(count), noun, count == 1 ? "" : "s");
}

std::string name_list(std::span<const std::string> names, std::size_t columns) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::size_t left = names.size() - i - 1;
    const std::string next = (i == 0 ? "" : ", ") + names[i];
    const std::string rest = left == 0 ? "" : fmt::format(" and {} more", with_thousands(left));
    if (i > 0 && display_width(text + next + rest) > columns) {
      return text + fmt::format(" and {} more", with_thousands(left + 1));
    }
    text += next;
  }
  return text;
}

std::string clock_text(TimePoint time) {
  const std::string text = to_rfc3339(time);
  return text.substr(0, 10) + " " + text.substr(11, 5) + " UTC";
}

std::string about(Duration duration) {
  const auto seconds = std::chrono::round<std::chrono::seconds>(duration).count();
  if (seconds < 90) return fmt::format("{} s", seconds);
  const auto minutes = (seconds + 30) / 60;
  if (minutes < 90) return fmt::format("{} min", minutes);
  return fmt::format("{} h {} min", minutes / 60, minutes % 60);
}

std::string cut(std::string_view text, std::size_t columns) {
  if (display_width(text) <= columns) return std::string(text);
  std::string_view shorter = text;
  while (!shorter.empty() && display_width(shorter) + 1 > columns) {
    do shorter.remove_suffix(1);
    while (!shorter.empty() && (static_cast<unsigned char>(text[shorter.size()]) & 0xC0) == 0x80);
  }
  return std::string(shorter) + "…";
}

std::string field(const Style& style, std::string_view label, std::string_view text, Tone tone) {
  std::string body = wrap(text, kWidth, std::string(kLabelWidth, ' '));
  body.erase(0, std::min(kLabelWidth, body.size()));
  while (body.ends_with('\n')) body.pop_back();
  return pad_right(label, kLabelWidth) + style.paint(tone, body) + "\n";
}

std::string paragraph(std::string_view text, std::size_t indent) {
  std::string body = wrap(text, kWidth, std::string(indent, ' '));
  while (body.ends_with('\n')) body.pop_back();
  return body + "\n";
}

std::string pasted(std::string_view lines) {
  std::string text;
  while (!lines.empty()) {
    const auto end = std::min(lines.find('\n'), lines.size());
    text += "     " + std::string{lines.substr(0, end)} + "\n";
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  return text;
}

std::string table(const std::vector<std::vector<std::string>>& rows, std::size_t max_width) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], display_width(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += i + 1 < row.size() ? pad_right(row[i], widths[i]) + "  " : row[i];
    }
    text += cut(line, max_width) + "\n";
  }
  return text;
}

}  // namespace catflap::render
