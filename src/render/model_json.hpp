// The records of core/model as JSON, field by field as schemas/ has them.
#pragma once

#include <boost/json.hpp>

#include "core/model/verdict.hpp"

namespace catflap::render {

namespace json = boost::json;

[[nodiscard]] json::value to_json(const Message& message);  // {code, params{}}
[[nodiscard]] json::value to_json(const Source& source);    // {kind, namespace, name, field}
[[nodiscard]] json::value to_json(const Declared& declared);
[[nodiscard]] json::value to_json(const Masked& masked);
[[nodiscard]] json::value to_json(const NodeAddress& address);
[[nodiscard]] json::value to_json(const HostPort& endpoint);  // {address, port}
[[nodiscard]] json::value to_json(const PodVerdict& pod);
[[nodiscard]] json::value to_json(const Listener& listener);
[[nodiscard]] json::value to_json(const Reach& reach);
[[nodiscard]] json::value to_json(const NodeVerdict& node);
/// {verdict, counts{}, population{}, stability{}, findings[]}
[[nodiscard]] json::value cluster_json(const ClusterVerdict& verdict);
[[nodiscard]] json::value to_json(const Policy::Exception& exception);
[[nodiscard]] json::value to_json(const Policy& policy);
[[nodiscard]] json::value to_json(const std::string& text);  // through safe_text

/// Bytes from outside as JSON text: bad UTF-8 is replaced by \xNN, so that a document is always
/// valid UTF-8.
[[nodiscard]] std::string safe_text(std::string_view bytes);

template <class List>
[[nodiscard]] json::array to_json_array(const List& list) {
  json::array array;
  for (const auto& item : list) array.push_back(to_json(item));
  return array;
}

}  // namespace catflap::render
