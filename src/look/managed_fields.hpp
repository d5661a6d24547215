// metadata.managedFields: who wrote which field when.
#pragma once

#include <optional>

#include "base/json_read.hpp"

namespace catflap::look {

/// The newest of metadata.managedFields[].time and creationTimestamp: when somebody last changed
/// the object.
[[nodiscard]] std::optional<TimePoint> changed_at(const json::object& object);
/// managedFields are 40 % of an object. Of them only who writes its spec is kept, as
/// {manager, operation}, at most 20: a mark of its owner.
void keep_writers(json::object& object);

}  // namespace catflap::look
