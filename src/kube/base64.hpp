// Base64 (RFC 4648, standard alphabet): the …-data fields of a kubeconfig and the WebSocket key.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace catflap::kube {

/// Strict as Go's StdEncoding: padding is needed, line breaks and blanks are skipped, anything else
/// is nullopt.
[[nodiscard]] std::optional<std::string> decode_base64(std::string_view text);
[[nodiscard]] std::string encode_base64(std::string_view bytes);

}  // namespace catflap::kube
