#include "render/explain.hpp"

#include "base/text.hpp"

namespace catflap::render {

Tone tone_of(Severity severity) {
  switch (severity) {
    case Severity::info:
      return Tone::faint;
    case Severity::warning:
      return Tone::caution;
    case Severity::critical:
      return Tone::bad;
  }
  return Tone::plain;
}

std::string without_options(std::string_view text) {
  std::string plain;
  int depth = 0;
  for (const char c : text) {
    if (c == '[') ++depth;
    if (depth == 0) plain += c;
    if (c == ']') --depth;
  }
  return plain;
}

std::string explanation(const CatalogueRow& row, const Style& style) {
  std::string text = fmt::format("{} ({})\n", style.paint(Tone::strong, row.code),
                                 style.paint(tone_of(row.severity), to_string(row.severity)));
  text += paragraph(without_options(row.title), 2);
  if (*row.explanation != '\0') text += "\n" + paragraph(without_options(row.explanation), 0);
  if (*row.remedy != '\0') text += "\n" + field(style, "Next", without_options(row.remedy));
  return text;
}

std::string code_list(std::span<const CatalogueRow* const> rows, const Style& style) {
  std::size_t widest = 0;
  for (const CatalogueRow* row : rows) widest = std::max(widest, display_width(row->code));
  std::string text;
  for (const CatalogueRow* row : rows) {
    const std::string severity = pad_right(to_string(row->severity), 8);
    text += fmt::format("{}  {}  {}\n", pad_right(row->code, widest),
                        style.paint(tone_of(row->severity), severity),
                        cut(without_options(row->title), kWidth - widest - 12));
  }
  return text;
}

std::string code_names(std::span<const CatalogueRow* const> rows) {
  std::string text;
  for (const CatalogueRow* row : rows) text += fmt::format("{}\n", row->code);
  return text;
}

json::object explanation_document(std::span<const CatalogueRow* const> rows, const RunInfo& run) {
  json::object document = envelope("Explanation", run);
  json::array codes;
  for (const CatalogueRow* row : rows) {
    codes.push_back({{"code", row->code},
                     {"severity", to_string(row->severity)},
                     {"title", without_options(row->title)},
                     {"explanation", without_options(row->explanation)},
                     {"remedy", without_options(row->remedy)}});
  }
  document["codes"] = std::move(codes);
  return document;
}

}  // namespace catflap::render
