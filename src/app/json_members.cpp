#include "app/json_members.hpp"

#include <boost/json.hpp>

namespace catflap::app {
namespace {

constexpr std::string_view kBlank = " \t\r\n";

/// Behind the string that begins at `at`.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  for (++at; text[at] != '"'; ++at)
    if (text[at] == '\\') ++at;
  return at + 1;
}

/// Behind the value that begins at `at`.
std::size_t end_of_value(std::string_view text, std::size_t at) {
  int depth = 0;
  for (;;) {
    const char c = text[at];
    if (c == '"') {
      at = end_of_string(text, at);
    } else if (c == '[' || c == '{') {
      ++depth;
      ++at;
    } else if (c == ']' || c == '}') {
      --depth;
      ++at;
    } else if (depth > 0) {
      ++at;
    } else {
      return text.find_first_of(std::string(kBlank) + ",}", at);  // a number or a word
    }
    if (depth == 0) return at;
  }
}

}  // namespace

Result<std::vector<std::pair<std::string, std::string_view>>> json_members(std::string_view text) {
  boost::system::error_code problem;
  const auto whole = boost::json::parse({text.data(), text.size()}, problem);
  if (problem || !whole.is_object())
    return Error{.kind = ErrorKind::usage, .what = "is not a JSON object"};
  // What follows relies on it.
  std::vector<std::pair<std::string, std::string_view>> members;
  const auto skip = [&](std::size_t from) { return text.find_first_not_of(kBlank, from); };
  std::size_t at = skip(skip(0) + 1);
  while (text[at] == '"') {
    const std::size_t key_end = end_of_string(text, at);
    const auto key = boost::json::parse({text.data() + at, key_end - at}, problem);
    const std::size_t value = skip(skip(key_end) + 1);  // behind the colon
    const std::size_t value_end = end_of_value(text, value);
    members.emplace_back(std::string(key.get_string()), text.substr(value, value_end - value));
    at = skip(value_end);
    if (text[at] == ',') at = skip(at + 1);
  }
  return members;
}

}  // namespace catflap::app
