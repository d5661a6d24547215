// The before-evidence: who answered as Felix before the change, kept where a run after a crash
// finds it. Private to src/act; journal.hpp has the reading side. One line of JSON per answer,
// split over ConfigMaps catflap-journal-1, -2, …
#pragma once

#include <string>
#include <vector>

#include "act/context.hpp"
#include "act/journal.hpp"
#include "core/model/observation.hpp"

namespace catflap::act {

/// Only the answers that carry felix_host, each (vantage point, node, endpoint) once: what is
/// recorded already stays.
[[nodiscard]] std::vector<Reach> merge_before(std::vector<Reach> recorded,
                                              const std::vector<Reach>& reached);

/// Writes the parts; their number is the run's evidence_parts. Parts of an older run are
/// overwritten.
[[nodiscard]] Result<int> write_before_evidence(const Context& context,
                                                const std::string& namespace_,
                                                const std::string& run_id,
                                                const std::vector<Reach>& answers);

/// Deletes parts first … last. A right that is missing for it is no failure: old parts say which
/// run they belong to.
void remove_before_evidence(const Context& context, const std::string& namespace_, int first,
                            int last);

}  // namespace catflap::act
