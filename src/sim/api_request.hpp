// A request as it came over HTTP, and what it asks for in the API's words. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace catflap::sim {

struct ApiRequest {
  std::string method;                                      // "GET"
  std::string path;                                        // as sent, without the query
  std::vector<std::string> segments;                       // of the path, decoded
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in order
  std::map<std::string, std::string> headers;              // by name in lower case
  std::string body;

  [[nodiscard]] std::string header(const std::string& lower_name) const;  // else ""
  [[nodiscard]] std::string option(std::string_view name) const;  // the query's first, else ""
  [[nodiscard]] bool is_set(std::string_view name) const;         // the option is true
};

/// Fills path, segments and query; false: the target is not one ("%zz", no slash in front).
[[nodiscard]] bool read_target(std::string_view target, ApiRequest& request);

/// Where in the API a path leads: /api/v1/…, /apis/GROUP/VERSION/….
struct ApiTarget {
  std::string group, version, plural;
  std::string namespace_;  // of a Namespace object, its own name
  std::string name;
  std::string subresource;
  std::string rest;  // of a proxy: the path behind it, "/metrics"
};

/// Nothing: the path has no place for objects.
[[nodiscard]] std::optional<ApiTarget> object_target(const std::vector<std::string>& segments);

}  // namespace catflap::sim
