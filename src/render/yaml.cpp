// A small YAML emitter for JSON values. Only what JSON has is needed; when in doubt a string is
// quoted as JSON does, which YAML 1.2 reads the same.
#include "base/text.hpp"
#include "render/document.hpp"

namespace catflap::render {
namespace {

/// Letters, digits and a few marks that mean nothing to YAML, starting with a letter, and no word
/// that YAML reads as another type.
bool is_plain(std::string_view text) {
  if (text.empty() || text.size() > 200) return false;
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (!letter(text.front()) && text.front() != '/') return false;
  for (char c : text) {
    if (!letter(c) && !(c >= '0' && c <= '9') &&
        std::string_view("-_./").find(c) == std::string_view::npos) {
      return false;
    }
  }
  const std::string lower = to_lower(text);
  for (std::string_view word : {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}) {
    if (lower == word) return false;
  }
  return true;
}

std::string scalar(const json::value& value) {
  if (const auto* text = value.if_string(); text != nullptr && is_plain(*text))
    return std::string(*text);
  return json::serialize(value);
}

bool is_block(const json::value& value) {
  return (value.is_object() && !value.get_object().empty()) ||
         (value.is_array() && !value.get_array().empty());
}

void write_block(const json::value& value, std::size_t indent, std::string& out);

/// `first` is the indent of the first line: nothing after "- ".
void write_members(const json::object& object, std::size_t indent, std::string first,
                   std::string& out) {
  for (const auto& [key, member] : object) {
    out += std::exchange(first, std::string(indent, ' '));
    out += (is_plain(key) ? std::string(key) : json::serialize(key)) + ":";
    if (is_block(member)) {
      out += "\n";
      write_block(member, indent + (member.is_object() ? 2 : 0), out);
    } else {
      out += " " + scalar(member) + "\n";
    }
  }
}

void write_block(const json::value& value, std::size_t indent, std::string& out) {
  if (const auto* object = value.if_object()) {
    write_members(*object, indent, std::string(indent, ' '), out);
    return;
  }
  for (const json::value& item : value.as_array()) {
    out += std::string(indent, ' ') + "-";
    if (const auto* object = item.if_object(); object != nullptr && !object->empty()) {
      out += " ";
      write_members(*object, indent + 2, "", out);
    } else if (is_block(item)) {
      out += "\n";
      write_block(item, indent + 2, out);
    } else {
      out += " " + scalar(item) + "\n";
    }
  }
}

}  // namespace

std::string to_yaml_text(const json::value& value) {
  if (!is_block(value)) return scalar(value) + "\n";
  std::string out;
  write_block(value, 0, out);
  return out;
}

}  // namespace catflap::render
