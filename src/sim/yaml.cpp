#include "sim/yaml.hpp"

#include <yaml-cpp/yaml.h>

#include <charconv>

namespace catflap::sim {
namespace {

namespace json = boost::json;

constexpr int kDeepest = 100;

struct TooDeep {};

template <class Number>
bool is_number(const std::string& text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

json::value scalar(const YAML::Node& node) {
  const auto& text = node.Scalar();
  if (node.Tag() == "!") return json::value(text);  // quoted
  if (text == "~" || text == "null" || text == "Null" || text == "NULL") return nullptr;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  std::int64_t whole = 0;
  if (is_number(text, whole)) return whole;
  double broken = 0;
  const bool starts_like_one =
      !text.empty() && (text[0] == '-' || (text[0] >= '0' && text[0] <= '9'));
  if (starts_like_one && is_number(text, broken)) return broken;
  return json::value(text);
}

json::value converted(const YAML::Node& node, int depth) {
  if (depth > kDeepest) throw TooDeep{};
  if (node.IsScalar()) return scalar(node);
  if (node.IsSequence()) {
    json::array all;
    for (const auto& one : node) all.push_back(converted(one, depth + 1));
    return all;
  }
  if (!node.IsMap()) return nullptr;
  json::object object;
  for (const auto& entry : node) {
    if (entry.first.Scalar() == "<<" && entry.second.IsMap()) {
      const auto merged = converted(entry.second, depth + 1);
      for (const auto& [key, value] : merged.as_object())
        if (!object.contains(key)) object[key] = value;
      continue;
    }
    object[entry.first.Scalar()] = converted(entry.second, depth + 1);
  }
  return object;
}

}  // namespace

Result<std::vector<json::value>> parse_yaml(const std::string& text, const std::string& file) {
  std::vector<json::value> documents;
  try {
    for (const auto& document : YAML::LoadAll(text))
      if (!document.IsNull()) documents.push_back(converted(document, 0));
  } catch (const YAML::Exception& error) {
    return Error{.kind = ErrorKind::usage, .what = error.what(), .subject = file};
  } catch (const TooDeep&) {
    return Error{.kind = ErrorKind::usage, .what = "nested too deep", .subject = file};
  }
  return documents;
}

}  // namespace catflap::sim
