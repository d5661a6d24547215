// The columns that kubectl get shows. The server makes them; kubectl only prints.
#pragma once

#include <boost/json.hpp>
#include <string>

#include "base/clock.hpp"
#include "kube/api.hpp"

namespace catflap::sim {

namespace json = boost::json;

/// columnDefinitions of a Table of that type: its own for nodes, pods, daemonsets, namespaces,
/// configmaps and secrets, else name and age.
[[nodiscard]] json::array table_columns(const kube::Resource& resource);
[[nodiscard]] json::array table_cells(const kube::Resource& resource, const json::object& object,
                                      TimePoint now);

/// "42s", "3m20s", "5h", "2d4h", as kubectl shows an age.
[[nodiscard]] std::string short_age(Duration age);

}  // namespace catflap::sim
