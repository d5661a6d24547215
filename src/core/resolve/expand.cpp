#include "core/resolve/expand.hpp"

#include <algorithm>

namespace catflap {

std::optional<std::string> expand(
    std::string_view text, const std::function<Reference(const std::string& name)>& resolve) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '$' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    ++i;
    if (text[i] == '$') {
      out += '$';
      continue;
    }
    const std::size_t end = text[i] == '(' ? text.find(')', i + 1) : std::string_view::npos;
    if (end == std::string_view::npos) {
      out += '$';
      out += text[i];
      continue;
    }
    const std::string name{text.substr(i + 1, end - i - 1)};
    const Reference reference = resolve(name);
    if (reference.unknown) return std::nullopt;
    out += reference.value ? *reference.value : "$(" + name + ")";
    i = end;
  }
  return out;
}

bool may_be_service_variable(std::string_view name, bool service_links) {
  if (!service_links && !name.starts_with("KUBERNETES_")) return false;
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
  const auto has = [name](std::string_view part) { return name.find(part, 1) != name.npos; };
  return plain && !name.empty() &&
         (name.ends_with("_SERVICE_HOST") || has("_SERVICE_PORT") || name.ends_with("_PORT") ||
          has("_PORT_"));
}

}  // namespace catflap
