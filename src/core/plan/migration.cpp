#include "core/plan/migration.hpp"

#include "core/model/cluster.hpp"

namespace catflap {

std::optional<Refusal> migration_refusal(const ClusterFacts& facts) {
  if (!facts.migration) return std::nullopt;
  const DatastoreMigration& migration = *facts.migration;
  const std::vector<std::string> look{
      "kubectl get datastoremigrations.migration.projectcalico.org v1-to-v3 -o yaml"};
  if (!migration.state.readable)
    return Refusal{{"CF0075", {{"why", migration.state.why}}},
                   {"kubectl auth can-i get datastoremigrations.migration.projectcalico.org"}};
  Message message{"CF0074", {{"phase", migration.phase.empty() ? "not begun" : migration.phase}}};
  if (!migration.message.empty()) message.params["message"] = migration.message;
  return Refusal{std::move(message), look};
}

}  // namespace catflap
