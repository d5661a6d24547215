// The catalogue: every finding (CF0001 …) and every reason code, one row each.
// It feeds text, JSON, docs/findings.md and `catflap explain CODE`. Codes never change their
// meaning.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>

#include "core/model/verdict.hpp"

namespace catflap {

enum class Severity { info, warning, critical };

struct CatalogueRow {
  const char* code;  // CF0001, or a reason such as "node-not-ready"
  Severity severity;
  const char* title;  // one line; {name} stands for a parameter, [ {name}] for an optional one
  const char* explanation;  // why it matters, how catflap knows
  const char* remedy;       // the next action
};

/// Every row, sorted by code (findings first).
[[nodiscard]] std::span<const CatalogueRow> catalogue();
/// Ignoring case; null if there is none.
[[nodiscard]] const CatalogueRow* find_row(std::string_view code);
/// The row's title with the parameters put in ("?" for a missing one). An unknown code gives the
/// code and its parameters.
[[nodiscard]] std::string message_text(const Message& message);
/// The row's remedy with the parameters put in; an unknown code gives "".
[[nodiscard]] std::string remedy_text(const Message& message);
/// The names in braces of a row's text, e.g. {"node", "why"}.
[[nodiscard]] std::set<std::string> params_of(std::string_view text);
[[nodiscard]] const char* to_string(Severity severity);

}  // namespace catflap
