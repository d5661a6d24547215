// $(NAME) in a value of a container's env list, as the kubelet expands it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace catflap {

/// What a name stands for. No value and not unknown: there is no such variable, and the text stays
/// as it is.
struct Reference {
  std::optional<std::string> value;
  bool unknown = false;
};

/// The text with $(NAME) replaced and $$ made $; nothing if a name's value is unknown.
/// An unfinished "$(" and a reference to nothing stay as they are; the replacement is not expanded
/// again. Source: k8s.io/kubernetes third_party/forked/golang/expansion/expand.go.
[[nodiscard]] std::optional<std::string> expand(
    std::string_view text, const std::function<Reference(const std::string& name)>& resolve);

/// Could the kubelet set this name for a Service (FOO_SERVICE_HOST, FOO_PORT_80_TCP_ADDR …)? With
/// service links off only the Service kubernetes has such variables.
[[nodiscard]] bool may_be_service_variable(std::string_view name, bool service_links);

}  // namespace catflap
