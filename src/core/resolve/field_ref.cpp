#include "core/resolve/field_ref.hpp"

#include "core/resolve/json_read.hpp"

namespace catflap {
namespace {

constexpr std::string_view kCloseSubscript = "']";

std::optional<std::string> text_in(const json::object& pod, std::string_view part,
                                   std::string_view key) {
  const json::object* parent = object_at(pod, part);
  const std::string text = parent ? string_at(*parent, key) : "";
  return text.empty() ? std::nullopt : std::optional{text};
}

/// status.hostIPs and podIPs are lists of {"ip": …}; the kubelet joins them with commas.
std::optional<std::string> addresses(const json::object& pod, std::string_view list,
                                     std::string_view single) {
  std::string joined;
  if (const json::object* status = object_at(pod, "status")) {
    for_each_object(*status, list, [&joined](const json::object& entry) {
      if (!joined.empty()) joined += ',';
      joined += string_at(entry, "ip");
    });
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
  const json::object* metadata = object_at(pod, "metadata");
  const json::object* entries = metadata ? object_at(*metadata, map) : nullptr;
  return entries ? string_at(*entries, path.substr(open + 2)) : "";
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
