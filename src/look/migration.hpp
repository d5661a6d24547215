// Calico's migration of its configuration from crd.projectcalico.org/v1 to projectcalico.org/v3:
// while it is under way, writes may be lost (Calico: kube-controllers/pkg/apis/migration/v1).
#pragma once

#include <optional>

#include "base/result.hpp"
#include "core/model/surroundings.hpp"
#include "kube/api.hpp"

namespace catflap::look {

/// None: there is no migration, or it is complete. One that may not be read is unreadable, unless
/// its API is not even served. Only what ends the run is an error.
[[nodiscard]] Result<std::optional<DatastoreMigration>> read_migration(kube::Api& api);

}  // namespace catflap::look
