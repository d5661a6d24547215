// A Pod object reduced to PodFacts: what runs there and what stands in its way.
#pragma once

#include <string>

#include "core/model/cluster.hpp"

namespace catflap::look {

/// All of PodFacts that the pod itself tells; daemon_set, stale and declared need more than that.
/// `felix_container` is the name of the container that runs Felix.
[[nodiscard]] PodFacts read_pod(const json::object& pod, const std::string& felix_container);

/// The uid of the owner that controls the object (ownerReferences with controller: true), "" if
/// none does.
[[nodiscard]] std::string controller_uid(const json::object& object);

}  // namespace catflap::look
