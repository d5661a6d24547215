#include "act/json_read.hpp"

#include <limits>
#include <vector>

namespace catflap::act {

const json::value* find_path(const json::object& object,
                             std::initializer_list<std::string_view> path) {
  const json::object* in = &object;
  const json::value* at = nullptr;
  for (const auto key : path) {
    if (in == nullptr) return nullptr;
    at = in->if_contains(key);
    if (at == nullptr) return nullptr;
    in = at->if_object();
  }
  return at;
}

std::string text_at(const json::object& object, std::initializer_list<std::string_view> path) {
  const auto* at = find_path(object, path);
  const auto* text = at == nullptr ? nullptr : at->if_string();
  return text == nullptr ? std::string{} : std::string{*text};
}

std::int64_t integer_at(const json::object& object, std::initializer_list<std::string_view> path) {
  const auto* at = find_path(object, path);
  if (at == nullptr) return 0;
  if (const auto* number = at->if_int64()) return *number;
  if (const auto* number = at->if_uint64()) {
    constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
    return *number > static_cast<std::uint64_t>(kMax) ? kMax : static_cast<std::int64_t>(*number);
  }
  return 0;
}

bool flag_at(const json::object& object, std::initializer_list<std::string_view> path) {
  const auto* at = find_path(object, path);
  const auto* flag = at == nullptr ? nullptr : at->if_bool();
  return flag != nullptr && *flag;
}

std::vector<const json::object*> objects_at(const json::object& object,
                                            std::initializer_list<std::string_view> path) {
  std::vector<const json::object*> found;
  const auto* at = find_path(object, path);
  const auto* array = at == nullptr ? nullptr : at->if_array();
  if (array == nullptr) return found;
  for (const auto& element : *array)
    if (const auto* one = element.if_object()) found.push_back(one);
  return found;
}

}  // namespace catflap::act
