// Where evidence is kept, and how: whole or not at all, readable by its owner only.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>

#include "app/options.hpp"
#include "app/runtime.hpp"
#include "app/session.hpp"
#include "render/documents.hpp"

namespace catflap::app {

/// --evidence, or ${XDG_STATE_HOME:-~/.local/state}/catflap/evidence-TIME.json, whose folder is
/// made if it is missing. Asked before anything is changed: a folder that cannot be written is an
/// error (usage), and so is a folder in place of the file.
[[nodiscard]] Result<std::string> evidence_path(const Runtime& runtime, const Options& options);

/// Writes the bundle: a temporary file beside it, then a rename; mode 0600. Errors: internal.
[[nodiscard]] Result<void> keep_evidence(const render::EvidenceInput& input,
                                         const render::RunInfo& run);

/// Writes a document the same way. Errors: internal.
[[nodiscard]] Result<void> keep_document(const boost::json::value& document,
                                         const std::string& file);

/// Lower-case hex.
[[nodiscard]] std::string sha256_hex(std::string_view bytes);

}  // namespace catflap::app
