// What an API server's refusal means: HTTP status and Status object to our Error. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace catflap::kube {

/// The right that a 403 says is missing.
struct Right {
  std::string verb;        // "list"
  std::string resource;    // "daemonsets", "pods/exec"; empty for a path
  std::string group;       // "apps", empty for the core group
  std::string path;        // "/metrics", for non-resource rights
  std::string namespace_;  // empty: at the cluster scope
  /// "list daemonsets.apps in namespace kube-system"
  [[nodiscard]] std::string to_string() const;
  friend bool operator==(const Right&, const Right&) = default;
};

/// Reads the authorizer's sentence (kubernetes,
/// staging/src/k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/ errors.go:
/// forbiddenMessage). nullopt: somebody else refused, an admission webhook for example.
[[nodiscard]] std::optional<Right> parse_missing_right(std::string_view message);

struct HttpAnswer {
  int status = 0;
  std::string_view
      body;  // JSON Status, or plain text (a 429 of API priority and fairness, a proxy's page)
  std::string subject;  // what was asked for
};

/// The Error of an answer that is not 2xx; system_code is the HTTP status. The caller adds who it
/// was for 401.
[[nodiscard]] Error error_of(const HttpAnswer& answer);

/// The same from a Status object that came inside something else (a watch's ERROR event, exec's
/// channel 3).
[[nodiscard]] Error error_of_status(std::string_view status_json, const std::string& subject);

/// Retry-After in seconds, or as an HTTP date; nullopt if absent or unreadable. At most one hour.
[[nodiscard]] std::optional<Duration> parse_retry_after(std::string_view value, TimePoint now);

/// "Sun, 06 Nov 1994 08:49:37 GMT"
[[nodiscard]] std::optional<TimePoint> parse_http_date(std::string_view value);

}  // namespace catflap::kube
