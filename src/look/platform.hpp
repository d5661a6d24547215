// Alauda Container Platform (ACP): its objects say that Calico is the platform's, and that an edit
// is kept apart from it. Their API group is found by discovery; their schema is not public.
#pragma once

#include <set>
#include <string>

#include "base/result.hpp"
#include "core/model/cluster.hpp"
#include "kube/api.hpp"

namespace catflap::look {

/// `groups`: the API groups that are served. Nothing more is asked where there is no namespace
/// cpaas-system and no group of the platform. Only what ends the run is an error.
[[nodiscard]] Result<Platform> read_platform(kube::Api& api, const std::set<std::string>& groups,
                                             const ClusterFacts& facts);

/// Does the name stand in the text as a word of its own? "calico-node" does not in
/// "calico-node-windows".
[[nodiscard]] bool names_object(std::string_view text, std::string_view name);

}  // namespace catflap::look
