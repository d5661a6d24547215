#include "core/plan/ownership.hpp"

#include <sstream>

#include "core/plan/owner.hpp"

namespace catflap {

Ownership ownership_of(const json::object& object, const std::string& object_name,
                       const Surroundings& surroundings, bool override_owner) {
  Ownership ownership;
  for (const Owner& owner : owners_of(object, surroundings)) {
    Message finding = owner_finding(owner, object_name);
    if (!refuses_edits(owner)) {
      ownership.findings.push_back(std::move(finding));
    } else if (!override_owner) {
      ownership.refusals.push_back(std::move(finding));
    } else {
      ownership.warnings.push_back(std::move(finding));
      Message overridden{"plan-owner-overridden", {{"object", object_name}, {"owner", owner.name}}};
      if (!owner.cycle.empty()) overridden.params["cycle"] = owner.cycle;
      ownership.warnings.push_back(std::move(overridden));
    }
  }
  return ownership;
}

std::vector<std::string> remedy_lines_of(const Message& owner_finding) {
  const auto& params = owner_finding.params;
  const auto paste = params.find("paste");
  if (paste == params.end()) return {};
  std::vector<std::string> lines;
  std::istringstream text{paste->second};
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

}  // namespace catflap
