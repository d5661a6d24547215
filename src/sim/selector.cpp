#include "sim/selector.hpp"

#include <algorithm>
#include <optional>
#include <vector>

namespace catflap::sim {

namespace json = boost::json;

namespace {

std::string trimmed(std::string text) {
  const auto from = text.find_first_not_of(' ');
  if (from == std::string::npos) return {};
  return text.substr(from, text.find_last_not_of(' ') - from + 1);
}

// Splits at commas that stand outside of parentheses.
std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  std::string part;
  int depth = 0;
  for (const char c : text) {
    if (c == '(') ++depth;
    if (c == ')') --depth;
    if (c == ',' && depth == 0) {
      parts.push_back(trimmed(part));
      part.clear();
    } else {
      part += c;
    }
  }
  if (!trimmed(part).empty()) parts.push_back(trimmed(part));
  return parts;
}

std::optional<std::string> value_at(const json::object& object, const std::string& path) {
  const json::value* at = nullptr;
  const json::object* in = &object;
  std::size_t from = 0;
  while (true) {
    const auto dot = path.find('.', from);
    at = in->if_contains(path.substr(from, dot - from));
    if (at == nullptr || dot == std::string::npos) break;
    in = at->if_object();
    if (in == nullptr) return std::nullopt;
    from = dot + 1;
  }
  if (at == nullptr || !at->is_string()) return std::nullopt;
  return std::string{at->as_string()};
}

using Lookup = std::optional<std::string>;

bool set_matches(const std::string& requirement, std::size_t open, const Lookup& value, bool in) {
  const auto list = split(requirement.substr(open + 1, requirement.rfind(')') - open - 1));
  const bool member = value && std::find(list.begin(), list.end(), *value) != list.end();
  return in == member;
}

template <class Find>
bool requirement_matches(const std::string& requirement, const Find& find) {
  for (const bool in : {false, true}) {
    const std::string word = in ? " in (" : " notin (";
    const auto at = requirement.find(word);
    if (at != std::string::npos)
      return set_matches(requirement, at + word.size() - 1,
                         find(trimmed(requirement.substr(0, at))), in);
  }
  if (const auto at = requirement.find("!="); at != std::string::npos)
    return find(trimmed(requirement.substr(0, at))) != Lookup{trimmed(requirement.substr(at + 2))};
  if (const auto at = requirement.find('='); at != std::string::npos) {
    const auto from = requirement.find_first_not_of('=', at);
    const auto want = from == std::string::npos ? "" : trimmed(requirement.substr(from));
    return find(trimmed(requirement.substr(0, at))) == Lookup{want};
  }
  if (requirement.starts_with('!')) return !find(requirement.substr(1));
  return find(requirement).has_value();
}

}  // namespace

bool labels_match(const json::object& object, const std::string& selector) {
  const json::object* labels = nullptr;
  if (const auto* metadata = object.if_contains("metadata"); metadata && metadata->is_object())
    if (const auto* found = metadata->as_object().if_contains("labels"))
      labels = found->if_object();
  const auto find = [&](const std::string& key) -> Lookup {
    const auto* value = labels == nullptr ? nullptr : labels->if_contains(key);
    return value == nullptr || !value->is_string() ? Lookup{} : std::string{value->as_string()};
  };
  const auto parts = split(selector);
  return std::all_of(parts.begin(), parts.end(),
                     [&](const auto& part) { return requirement_matches(part, find); });
}

bool fields_match(const json::object& object, const std::string& selector) {
  const auto find = [&](const std::string& path) -> Lookup {
    return value_at(object, path).value_or("");
  };
  const auto parts = split(selector);
  return std::all_of(parts.begin(), parts.end(),
                     [&](const auto& part) { return requirement_matches(part, find); });
}

}  // namespace catflap::sim
