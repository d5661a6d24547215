#include "render/error_text.hpp"

#include "base/text.hpp"

namespace catflap::render {
namespace {

/// Control characters from a server's message must not reach the terminal; line breaks may stay.
std::string safe_lines(const std::string& text) {
  std::string out;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    out += printable(std::string_view(text).substr(at, end - at), 2000);
    if (end < text.size()) out += '\n';
    at = end + 1;
  }
  return out;
}

std::string indented(const std::string& text, const std::string& indent) {
  std::string out;
  for (char c : text) out += c == '\n' ? "\n" + indent : std::string(1, c);
  return out;
}

std::string next_line(const Error& error, const Style& style, const std::string& indent) {
  if (error.hint.empty()) return "";
  return fmt::format("{}{} {}\n", indent, style.paint(Tone::strong, "next:"),
                     indented(safe_lines(error.hint), indent + "      "));
}

}  // namespace

std::string error_text(const std::vector<Error>& errors, const Style& style) {
  const std::string name = style.paint(Tone::bad, "catflap:");
  if (errors.size() == 1) {
    return fmt::format("{} {}\n{}", name, indented(safe_lines(to_string(errors[0])), "  "),
                       next_line(errors[0], style, "  "));
  }
  std::string text = fmt::format("{} {} problems\n", name, errors.size());
  for (const Error& error : errors) {
    text += fmt::format("  - {}\n{}", indented(safe_lines(to_string(error)), "    "),
                        next_line(error, style, "    "));
  }
  return text;
}

}  // namespace catflap::render
