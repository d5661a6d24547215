#include "core/catalogue.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <vector>

#include "base/text.hpp"
#include "core/catalogue_rows.hpp"

namespace catflap {
namespace {

std::vector<CatalogueRow> joined_rows() {
  std::vector<CatalogueRow> all;
  for (const auto part :
       {finding_rows(), cluster_rows(), operator_rows(), plan_rows(), reason_rows()}) {
    std::ranges::copy(part, std::back_inserter(all));
  }
  std::ranges::sort(all, {}, [](const CatalogueRow& row) { return std::string_view{row.code}; });
  return all;
}

/// All parameters, for a code that has no text: " (node: n1, why: forbidden)".
std::string listed(const std::map<std::string, std::string>& params) {
  std::string text;
  for (const auto& [name, value] : params) {
    text += (text.empty() ? " (" : ", ") + name + ": " + value;
  }
  return text.empty() ? text : text + ")";
}

/// The parameters put in; a missing one is "?".
std::string fill_in(std::string_view text, const Message& message) {
  std::string filled;
  while (!text.empty()) {
    const auto open = text.find('{');
    const auto close = open == text.npos ? text.npos : text.find('}', open);
    filled += text.substr(0, close == text.npos ? text.npos : open);
    if (close == text.npos) break;
    const auto value = message.params.find(std::string{text.substr(open + 1, close - open - 1)});
    filled += value == message.params.end() ? "?" : value->second;
    text.remove_prefix(close + 1);
  }
  return filled;
}

bool has_all(const Message& message, const std::set<std::string>& names) {
  return std::ranges::all_of(names,
                             [&](const auto& name) { return message.params.contains(name); });
}

/// As fill_in; what stands in [] is left out if a parameter of it is missing.
std::string render(std::string_view text, const Message& message) {
  std::string out;
  while (!text.empty()) {
    const auto open = text.find('[');
    const auto close = open == text.npos ? text.npos : text.find(']', open);
    out += fill_in(text.substr(0, close == text.npos ? text.npos : open), message);
    if (close == text.npos) break;
    const auto optional = text.substr(open + 1, close - open - 1);
    if (has_all(message, params_of(optional))) out += fill_in(optional, message);
    text.remove_prefix(close + 1);
  }
  return out;
}

}  // namespace

std::span<const CatalogueRow> catalogue() {
  static const std::vector<CatalogueRow> rows = joined_rows();
  return rows;
}

const CatalogueRow* find_row(std::string_view code) {
  const auto rows = catalogue();
  const auto row = std::ranges::find_if(
      rows, [code](const CatalogueRow& r) { return equal_ignoring_case(r.code, code); });
  return row == rows.end() ? nullptr : &*row;
}

std::set<std::string> params_of(std::string_view text) {
  std::set<std::string> names;
  for (auto open = text.find('{'); open != text.npos; open = text.find('{', open + 1)) {
    const auto close = text.find('}', open);
    if (close == text.npos) break;
    names.emplace(text.substr(open + 1, close - open - 1));
  }
  return names;
}

std::string message_text(const Message& message) {
  const CatalogueRow* row = find_row(message.code);
  return row == nullptr ? message.code + listed(message.params) : render(row->title, message);
}

std::string remedy_text(const Message& message) {
  const CatalogueRow* row = find_row(message.code);
  return row == nullptr ? "" : render(row->remedy, message);
}

const char* to_string(Severity severity) {
  switch (severity) {
    case Severity::info:
      return "info";
    case Severity::warning:
      return "warning";
    case Severity::critical:
      return "critical";
  }
  return "info";
}

}  // namespace catflap
