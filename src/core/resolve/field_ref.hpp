// The downward API: fields of the pod itself as values of environment variables.
#pragma once

#include <boost/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace catflap {

/// The value that a fieldRef has in a pod, or nothing if the pod does not show it (a template has
/// no node and no addresses yet; whole label maps are not supported). A label or annotation that
/// does not exist is "". Source: pkg/kubelet/kubelet_pods.go podFieldSelectorRuntimeValue,
/// pkg/fieldpath.
[[nodiscard]] std::optional<std::string> read_field(const boost::json::object& pod,
                                                    std::string_view path);

}  // namespace catflap
