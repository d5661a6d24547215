// The journal as the texts of a ConfigMap's data, and back (docs/journal.md). Private to src/act.
// Reading is strict: what catflap did not write itself is an error, because undo and recovery trust
// every word of it.
#pragma once

#include <boost/json.hpp>
#include <string>

#include "act/journal.hpp"

namespace catflap::act {

/// `data` of the ConfigMap. History that does not fit is dropped, oldest first.
/// Errors: the latest run alone is larger than a ConfigMap may be (refused).
[[nodiscard]] Result<json::object> journal_data(const Journal& journal);

/// Errors: malformed_input naming the key.
[[nodiscard]] Result<Journal> parse_journal(const json::object& data);

}  // namespace catflap::act
