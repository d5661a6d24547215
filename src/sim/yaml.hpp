// YAML as JSON values, as Kubernetes reads it.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace catflap::sim {

/// Every document of the text; empty ones are left out. Plain scalars become null, booleans and
/// numbers where they look like it; quoted ones stay text. `usage` for what does not parse, or is
/// nested more than 100 deep.
[[nodiscard]] Result<std::vector<boost::json::value>> parse_yaml(const std::string& text,
                                                                 const std::string& file);

}  // namespace catflap::sim
