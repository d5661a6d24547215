// The catalogue's parts. One array a topic, so that each file stays short; catalogue.cpp joins and
// sorts them.
#pragma once

#include <span>

#include "core/catalogue.hpp"

namespace catflap {

[[nodiscard]] std::span<const CatalogueRow> finding_rows();  // CF0001 …: seen, configured
[[nodiscard]] std::span<const CatalogueRow>
cluster_rows();  // CF0030 …: owners, the cluster, the run
[[nodiscard]] std::span<const CatalogueRow> operator_rows();  // CF0060 …: the tigera operator
[[nodiscard]] std::span<const CatalogueRow> plan_rows();      // step titles and what a plan says
[[nodiscard]] std::span<const CatalogueRow> reason_rows();    // why a node has its verdict

}  // namespace catflap
