// The annotation projectcalico.org/metadata: Calico's own object metadata as JSON inside the stored
// object. Annotations in it override those outside, and kubectl annotate does not show them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace catflap {

inline constexpr std::string_view kMetadataAnnotation = "projectcalico.org/metadata";

struct EmbeddedMetadata {
  std::map<std::string, std::string> annotations;
  std::optional<TimePoint> created;
};

/// malformed_input for JSON that Calico's client refuses (it then cannot use the object at all),
/// and for keys that stand twice, where Calico merges in ways that depend on its JSON library.
/// Field names ignore case, as in Go. Source: libcalico-go/lib/backend/k8s/resources/resources.go
/// ConvertK8sResourceToCalicoResource.
[[nodiscard]] Result<EmbeddedMetadata> parse_embedded_metadata(std::string_view text);

}  // namespace catflap
