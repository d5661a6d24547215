// A document: what -o json and -o yaml print. Every document has the same envelope; its fields
// never change with the language.
#pragma once

#include <boost/json.hpp>
#include <string>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "core/model/cluster.hpp"

namespace catflap::render {

namespace json = boost::json;

/// The version of the verdict table and of the resolver's rules; a new one may judge the same
/// observations differently.
inline constexpr const char* kRules = "1";
inline constexpr const char* kApiVersion = "catflap/v1alpha1";

/// When the run was and on which cluster. `facts` is null while there is no connection yet.
struct RunInfo {
  const ClusterFacts* facts = nullptr;
  TimePoint started{};
  TimePoint finished{};
};

/// {apiVersion, kind, metadata}; the caller adds the rest.
[[nodiscard]] json::object envelope(const char* kind, const RunInfo& run);

/// Null for "": a field that does not apply.
[[nodiscard]] json::value text_or_null(const std::string& text);

/// {kind, what, subject, hint, context[]}
[[nodiscard]] json::value error_json(const Error& error);

/// kind Error: {error: {kind, what, subject, hint, context[]}}, and problems[] with the same fields
/// if there are several.
[[nodiscard]] json::object error_document(const std::vector<Error>& errors, const RunInfo& run);

/// Indented by two blanks, with a final line break.
[[nodiscard]] std::string to_json_text(const json::value& value);
/// The same value as YAML 1.2, block style, with a final line break. Strings that YAML would read
/// as something else are quoted.
[[nodiscard]] std::string to_yaml_text(const json::value& value);

}  // namespace catflap::render
