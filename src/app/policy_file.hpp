// The policy file: what is wanted, as YAML (schemas/policy.schema.json). An unknown key is an
// error: a policy with a mistyped key would quietly want something else.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "core/model/verdict.hpp"

namespace catflap::app {

/// `name` is the file's name for messages. Errors are usage and name file, line and key.
[[nodiscard]] Result<Policy> parse_policy(const std::string& text, const std::string& name);

/// A verdict that --accept and `want` may name: protected, local-only, not-felix, filtered.
[[nodiscard]] Result<Verdict> parse_acceptable(std::string_view word);

}  // namespace catflap::app
