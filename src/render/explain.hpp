// A row of the catalogue, explained.
#pragma once

#include <span>
#include <string>

#include "core/catalogue.hpp"
#include "render/document.hpp"
#include "render/style.hpp"

namespace catflap::render {

[[nodiscard]] std::string explanation(const CatalogueRow& row, const Style& style);
/// Code, severity and title, a line each.
[[nodiscard]] std::string code_list(std::span<const CatalogueRow* const> rows, const Style& style);
[[nodiscard]] std::string code_names(std::span<const CatalogueRow* const> rows);
/// kind Explanation: {codes[]: {code, severity, title, explanation, remedy}}
[[nodiscard]] json::object explanation_document(std::span<const CatalogueRow* const> rows,
                                                const RunInfo& run);

/// A row's text without the parts in [] that a message may leave out.
[[nodiscard]] std::string without_options(std::string_view text);

[[nodiscard]] Tone tone_of(Severity severity);

}  // namespace catflap::render
