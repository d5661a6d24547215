#include "look/surroundings.hpp"

#include <set>

#include "base/json_read.hpp"
#include "core/plan/owner.hpp"
#include "look/calico.hpp"
#include "look/consumers.hpp"
#include "look/platform.hpp"

namespace catflap::look {
namespace {

constexpr std::size_t kMostApplications = 8;  // names asked for, and objects kept of each

const kube::Resource kApplications{"argoproj.io", "v1alpha1", "applications"};

/// Argo CD writes an edit back without a new commit only where automated sync heals itself
/// (Argo CD's documentation, Automated Sync Policy).
bool heals_itself(const json::object& application) {
  const auto* automated = object_at(application, {"spec", "syncPolicy", "automated"});
  if (automated == nullptr) return false;
  const auto* enabled = automated->if_contains("enabled");
  const bool off = enabled != nullptr && *enabled == json::value(false);
  return !off && true_at(*automated, {"selfHeal"});
}

/// An Application of the same name may deploy to another cluster, while another Argo CD keeps ours.
bool deploys_here(const json::object& application) {
  const auto server = text_at(application, {"spec", "destination", "server"});
  const auto name = text_at(application, {"spec", "destination", "name"});
  return (server.empty() || server == "https://kubernetes.default.svc") &&
         (name.empty() || name == "in-cluster");
}

std::set<std::string> application_names(const ClusterFacts& facts) {
  std::set<std::string> names;
  const auto add = [&](const json::object& object) {
    for (const auto& name : applications_of(object)) {
      if (names.size() < kMostApplications) names.insert(name.substr(name.rfind('/') + 1));
    }
  };
  for (const auto& daemon_set : facts.daemon_sets) add(daemon_set.object);
  for (const auto& configuration : facts.felix_configurations) add(configuration);
  if (facts.tigera_operator)
    for (const auto& installation : facts.tigera_operator->installations) add(installation);
  return names;
}

Result<void> read_applications(kube::Api& api, const ClusterFacts& facts, Surroundings& around) {
  for (const auto& name : application_names(facts)) {
    std::vector<ArgoApplication> found;
    const auto listed = api.list(
        {.resource = kApplications, .field_selector = "metadata.name=" + name},
        [&] { found.clear(); },
        [&](json::object&& object) {
          if (text_at(object, {"metadata", "name"}) != name || !deploys_here(object) ||
              found.size() == kMostApplications)
            return;
          found.push_back({.namespace_ = text_at(object, {"metadata", "namespace"}),
                           .name = name,
                           .heals_itself = heals_itself(object)});
        });
    if (listed.has_value()) {
      std::ranges::move(found, std::back_inserter(around.applications));
      continue;
    }
    if (ends_the_run(listed.error())) return listed.error();
    // Not served: Argo CD runs in another cluster.
    if (listed.error().kind == ErrorKind::not_found) return {};
    around.applications_state = {.readable = false, .why = to_string(listed.error())};
    return {};
  }
  return {};
}

}  // namespace

Result<std::set<std::string>> read_groups(kube::Api& api) {
  TRY_ASSIGN(const auto groups, api.get_raw("/apis"));
  std::set<std::string> names;
  if (!groups.is_object()) return names;
  for (const auto* group : objects_at(groups.get_object(), {"groups"}))
    names.insert(text_at(*group, {"name"}));
  return names;
}

Result<Surroundings> read_surroundings(kube::Api& api, const ClusterFacts& facts) {
  Surroundings around{.read = true};
  if (facts.daemon_sets.empty()) return around;
  auto groups = read_groups(api);
  if (!groups.has_value()) {
    if (ends_the_run(groups.error())) return groups.error();
    around.consumers_not_known.push_back({"monitoring objects", to_string(groups.error())});
    groups = std::set<std::string>{};
  }
  TRY(read_applications(api, facts, around));
  TRY_ASSIGN(around.platform, read_platform(api, *groups, facts));
  TRY(read_consumers(api, *groups, facts, around));
  return around;
}

}  // namespace catflap::look
