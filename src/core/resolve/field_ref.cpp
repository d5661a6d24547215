#include "core/resolve/field_ref.hpp"

#include "base/json_read.hpp"

namespace catflap {
namespace {

constexpr std::string_view kCloseSubscript = "']";

std::optional<std::string> text_in(const json::object& pod, std::string_view part,
                                   std::string_view key) {
  const std::string text = text_at(pod, {part, key});
  return text.empty() ? std::nullopt : std::optional{text};
}

/// status.hostIPs and podIPs are lists of {"ip": …}; the kubelet joins them with commas.
std::optional<std::string> addresses(const json::object& pod, std::string_view list,
                                     std::string_view single) {
  std::string joined;
  for (const auto* entry : objects_at(pod, {"status", list})) {
    if (!joined.empty()) joined += ',';
    joined += text_at(*entry, {"ip"});
  }
  return joined.empty() ? text_in(pod, "status", single) : std::optional{joined};
}

/// metadata.labels['key'], metadata.annotations['key'].
std::optional<std::string> subscripted(const json::object& pod, std::string_view path) {
  constexpr std::string_view kMetadata = "metadata.";
  path.remove_suffix(kCloseSubscript.size());
  const auto open = path.find("['");
  if (open == std::string_view::npos || !path.starts_with(kMetadata)) return std::nullopt;
  const std::string_view map = path.substr(kMetadata.size(), open - kMetadata.size());
  if (map != "labels" && map != "annotations") return std::nullopt;
  return text_at(pod, {"metadata", map, path.substr(open + 2)});
}

}  // namespace

std::optional<std::string> read_field(const json::object& pod, std::string_view path) {
  if (path.ends_with(kCloseSubscript)) return subscripted(pod, path);
  if (path == "metadata.name") return text_in(pod, "metadata", "name");
  if (path == "metadata.namespace") return text_in(pod, "metadata", "namespace");
  if (path == "metadata.uid") return text_in(pod, "metadata", "uid");
  if (path == "spec.nodeName" || path == "spec.host") return text_in(pod, "spec", "nodeName");
  if (path == "spec.serviceAccountName") return text_in(pod, "spec", "serviceAccountName");
  if (path == "status.hostIP") return text_in(pod, "status", "hostIP");
  if (path == "status.hostIPs") return addresses(pod, "hostIPs", "hostIP");
  if (path == "status.podIP") return text_in(pod, "status", "podIP");
  if (path == "status.podIPs") return addresses(pod, "podIPs", "podIP");
  return std::nullopt;
}

}  // namespace catflap
