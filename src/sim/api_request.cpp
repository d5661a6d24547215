#include "sim/api_request.hpp"

#include <charconv>

namespace catflap::sim {

namespace {

std::optional<std::string> decoded(std::string_view text, bool plus_is_blank) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_blank) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      unsigned char byte = 0;
      if (i + 2 >= text.size()) return std::nullopt;
      const auto* from = text.data() + i + 1;
      const auto [end, failed] = std::from_chars(from, from + 2, byte, 16);
      if (failed != std::errc{} || end != from + 2) return std::nullopt;
      out += static_cast<char>(byte);
      i += 2;
    }
  }
  return out;
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const auto end = text.find(at);
    if (end != 0) parts.push_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  return parts;
}

}  // namespace

std::string ApiRequest::header(const std::string& lower_name) const {
  const auto found = headers.find(lower_name);
  return found == headers.end() ? std::string{} : found->second;
}

std::string ApiRequest::option(std::string_view name) const {
  for (const auto& [key, value] : query)
    if (key == name) return value;
  return {};
}

bool ApiRequest::is_set(std::string_view name) const {
  const auto value = option(name);
  return value == "true" || value == "1";
}

bool read_target(std::string_view target, ApiRequest& request) {
  const auto mark = target.find('?');
  const auto path = target.substr(0, mark);
  if (!path.starts_with('/')) return false;
  request.path = path;
  for (const auto part : split(path, '/')) {
    auto segment = decoded(part, false);
    if (!segment) return false;
    request.segments.push_back(*std::move(segment));
  }
  if (mark == std::string_view::npos) return true;
  for (const auto pair : split(target.substr(mark + 1), '&')) {
    const auto equals = pair.find('=');
    auto name = decoded(pair.substr(0, equals), true);
    auto value = decoded(equals == std::string_view::npos ? "" : pair.substr(equals + 1), true);
    if (!name || !value) return false;
    request.query.emplace_back(*std::move(name), *std::move(value));
  }
  return true;
}

std::optional<ApiTarget> object_target(const std::vector<std::string>& segments) {
  ApiTarget target;
  std::size_t at = 2;
  if (segments.size() > 2 && segments[0] == "api") {
    target.version = segments[1];
  } else if (segments.size() > 3 && segments[0] == "apis") {
    target.group = segments[1];
    target.version = segments[2];
    at = 3;
  } else {
    return std::nullopt;
  }
  const auto left = segments.size() - at;
  const bool in_namespace = left > 2 && segments[at] == "namespaces" &&
                            segments[at + 2] != "status" && segments[at + 2] != "finalize";
  if (in_namespace) {
    target.namespace_ = segments[at + 1];
    at += 2;
  }
  const auto next = [&] { return at < segments.size() ? segments[at++] : std::string{}; };
  target.plural = next();
  target.name = next();
  target.subresource = next();
  for (; target.subresource == "proxy" && at < segments.size(); ++at)
    target.rest += "/" + segments[at];
  if (at < segments.size()) return std::nullopt;
  if (target.group.empty() && target.plural == "namespaces") target.namespace_ = target.name;
  return target;
}

}  // namespace catflap::sim
