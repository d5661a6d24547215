#include "sim/json_patch.hpp"

#include <charconv>
#include <optional>
#include <span>

namespace catflap::sim {

namespace json = boost::json;

namespace {

Error unprocessable(std::string what) {
  return Error{.kind = ErrorKind::internal, .what = std::move(what), .system_code = 422};
}

std::optional<std::size_t> index_of(const std::string& token) {
  std::size_t index = 0;
  const auto [end, failed] = std::from_chars(token.data(), token.data() + token.size(), index);
  if (failed != std::errc{} || end != token.data() + token.size()) return std::nullopt;
  return index;
}

json::value* child(json::value& parent, const std::string& token) {
  if (auto* object = parent.if_object()) return object->if_contains(token);
  if (auto* array = parent.if_array()) {
    const auto index = index_of(token);
    if (index && *index < array->size()) return &(*array)[*index];
  }
  return nullptr;
}

json::value* walk(json::value& document, std::span<const std::string> tokens) {
  json::value* at = &document;
  for (const auto& token : tokens) {
    at = child(*at, token);
    if (at == nullptr) return nullptr;
  }
  return at;
}

bool insert(json::value& parent, const std::string& token, const json::value& what) {
  if (auto* object = parent.if_object()) {
    object->insert_or_assign(token, what);
    return true;
  }
  auto* array = parent.if_array();
  if (array == nullptr) return false;
  if (token == "-") {
    array->push_back(what);
    return true;
  }
  const auto index = index_of(token);
  if (!index || *index > array->size()) return false;
  array->insert(array->begin() + static_cast<std::ptrdiff_t>(*index), what);
  return true;
}

void erase(json::value& parent, const std::string& token) {
  if (auto* object = parent.if_object()) {
    object->erase(token);
  } else if (auto* array = parent.if_array()) {
    array->erase(array->begin() + static_cast<std::ptrdiff_t>(*index_of(token)));
  }
}

Result<void> apply_one(json::value& document, const json::object& operation) {
  const std::string op{operation.at("op").as_string()};
  const std::string path{operation.at("path").as_string()};
  const auto tokens = pointer_tokens(path);
  if (tokens.empty()) return unprocessable("a patch of the whole document");
  auto* parent = walk(document, std::span{tokens}.first(tokens.size() - 1));
  if (parent == nullptr)
    return unprocessable(op + " operation does not apply: doc is missing path " + path);
  auto* at = child(*parent, tokens.back());
  if (op == "add") {
    if (insert(*parent, tokens.back(), operation.at("value"))) return {};
    return unprocessable("add operation does not apply: " + path);
  }
  if (at == nullptr)
    return unprocessable(op + " operation does not apply: doc is missing key " + path);
  if (op == "replace") {
    *at = operation.at("value");
  } else if (op == "remove") {
    erase(*parent, tokens.back());
  } else if (op != "test") {
    return unprocessable("unexpected kind: " + op);
  } else if (*at != operation.at("value")) {
    return unprocessable("testing value " + path + " failed");
  }
  return {};
}

}  // namespace

std::vector<std::string> pointer_tokens(std::string_view pointer) {
  std::vector<std::string> tokens;
  for (std::size_t i = 0; i < pointer.size(); ++i) {
    if (pointer[i] == '/') {
      tokens.emplace_back();
    } else if (pointer[i] == '~' && i + 1 < pointer.size()) {
      tokens.back() += pointer[++i] == '1' ? '/' : '~';
    } else if (!tokens.empty()) {
      tokens.back() += pointer[i];
    }
  }
  return tokens;
}

Result<json::value> apply_json_patch(json::value document, const json::value& patch) {
  for (const auto& operation : patch.as_array()) TRY(apply_one(document, operation.as_object()));
  return document;
}

json::value apply_merge_patch(json::value target, const json::value& patch) {
  const auto* changes = patch.if_object();
  if (changes == nullptr) return patch;
  if (!target.is_object()) target = json::object{};
  auto& object = target.as_object();
  for (const auto& [key, value] : *changes) {
    if (value.is_null()) {
      object.erase(key);
    } else {
      auto merged = apply_merge_patch(object[key], value);
      object[key] = std::move(merged);
    }
  }
  return target;
}

}  // namespace catflap::sim
