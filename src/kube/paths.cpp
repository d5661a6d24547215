#include "kube/paths.hpp"

#include <fmt/format.h>

#include "kube/endpoint.hpp"

namespace catflap::kube {

namespace {

std::string type_name(const Resource& resource) {
  return resource.group.empty() ? resource.plural : resource.plural + "." + resource.group;
}

}  // namespace

std::string ObjectRef::to_string() const {
  return namespace_.empty() ? fmt::format("{} {}", type_name(resource), name)
                            : fmt::format("{} {}/{}", type_name(resource), namespace_, name);
}

std::string collection_path(const Resource& resource, std::string_view namespace_) {
  std::string out = resource.group.empty()
                        ? fmt::format("/api/{}", percent_encode(resource.version))
                        : fmt::format("/apis/{}/{}", percent_encode(resource.group),
                                      percent_encode(resource.version));
  if (!namespace_.empty()) out += fmt::format("/namespaces/{}", percent_encode(namespace_));
  return out + "/" + percent_encode(resource.plural);
}

std::string object_path(const ObjectRef& ref) {
  return collection_path(ref.resource, ref.namespace_) + "/" + percent_encode(ref.name);
}

std::string query_string(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::string out;
  for (const auto& [name, value] : pairs) {
    if (value.empty()) continue;
    out += fmt::format("{}{}={}", out.empty() ? '?' : '&', name, percent_encode(value));
  }
  return out;
}

std::string describe_collection(const Resource& resource, std::string_view namespace_) {
  return namespace_.empty() ? type_name(resource)
                            : fmt::format("{} in namespace {}", type_name(resource), namespace_);
}

}  // namespace catflap::kube
