// undo for people: what it would take back, and what it did.
#pragma once

#include "core/model/cluster.hpp"
#include "render/change.hpp"
#include "render/style.hpp"

namespace catflap::render {

/// Before the question everything that is agreed to; afterwards what became of it.
[[nodiscard]] std::string undo_text(const UndoView& undo, const ClusterFacts& facts,
                                    const std::string& program, const Style& style);

/// As that of close: nodes that restart without us, how to stop that, and how to go on.
[[nodiscard]] std::string still_running_text(const UndoView& undo, const std::string& program,
                                             const Style& style);

/// "FELIX_X=false becomes FELIX_X=true", "true is removed".
[[nodiscard]] std::string change_words(const Target& target, const json::value& from,
                                       const json::value& to);

}  // namespace catflap::render
