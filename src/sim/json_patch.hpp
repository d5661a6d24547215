// RFC 6902 (add, replace, remove, test) and RFC 7386, as the API server applies them. catflap
// itself never applies a patch, so a mistake here cannot agree with a mistake there.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace catflap::sim {

/// "/a/b~1c" -> {"a", "b/c"}.
[[nodiscard]] std::vector<std::string> pointer_tokens(std::string_view pointer);

/// Applies every operation or none. An operation that does not fit is an error with system_code
/// 422.
[[nodiscard]] Result<boost::json::value> apply_json_patch(boost::json::value document,
                                                          const boost::json::value& patch);

[[nodiscard]] boost::json::value apply_merge_patch(boost::json::value target,
                                                   const boost::json::value& patch);

}  // namespace catflap::sim
