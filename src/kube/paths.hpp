// Request paths of the Kubernetes API. Pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kube/api.hpp"

namespace catflap::kube {

/// "/apis/apps/v1/namespaces/kube-system/daemonsets"; an empty namespace is all of them, or a
/// cluster-scoped type.
[[nodiscard]] std::string collection_path(const Resource& resource, std::string_view namespace_);
[[nodiscard]] std::string object_path(const ObjectRef& ref);

/// "?a=1&b=2", encoded, without the pairs whose value is empty; "" if none is left.
[[nodiscard]] std::string query_string(
    const std::vector<std::pair<std::string, std::string>>& pairs);

/// For errors: "daemonsets.apps in namespace kube-system", "nodes".
[[nodiscard]] std::string describe_collection(const Resource& resource,
                                              std::string_view namespace_);

}  // namespace catflap::kube
