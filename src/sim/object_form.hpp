// Is an object what its type says: objects, lists and maps of texts where the played cluster reads
// them?
#pragma once

#include <optional>
#include <string>

#include "sim/kinds.hpp"

namespace catflap::sim {

/// The first member that is something else than its type says, in the API server's words; nothing:
/// all are what they should be, or are not there. Of types that are not built in only the metadata
/// are looked at.
[[nodiscard]] std::optional<std::string> malformed_member(const Kind& kind,
                                                          const json::object& object);

/// Drops what the API server leaves out of its answers: the value of a variable that is empty.
void drop_empty_values(json::value& value);

}  // namespace catflap::sim
