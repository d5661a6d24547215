#include "look/calico.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "base/json_read.hpp"
#include "base/text.hpp"
#include "look/managed_fields.hpp"
#include "look/match.hpp"
#include "look/migration.hpp"

namespace catflap::look {
namespace {

constexpr const char* kV1Group = "crd.projectcalico.org";
constexpr const char* kV3Group = "projectcalico.org";

/// The literal value of an environment variable, "" if it has none; of duplicates the last one.
std::string environment_value(const json::object& container, std::string_view name) {
  std::string value;
  for (const auto& entry : array_at(container, {"env"})) {
    if (!entry.is_object()) continue;
    const auto key = text_at(entry.get_object(), {"name"});
    const bool same = name.starts_with("FELIX_") ? equal_ignoring_case(key, name) : key == name;
    if (same) value = text_at(entry.get_object(), {"value"});
  }
  return value;
}

bool has_variable(const json::object& container, std::string_view name) {
  return named(array_at(container, {"env"}), name) != nullptr;
}

bool serves(const json::value& groups, std::string_view name) {
  const auto* object = groups.if_object();
  return object != nullptr && named(array_at(*object, {"groups"}), name) != nullptr;
}

struct ApiChoice {
  CalicoApi api = CalicoApi::none;
  std::string doubt;  // why it is only a guess; "" if it is not
};

/// CALICO_API_GROUP on the container decides; then v3 only if it alone is served. When Felix's own
/// discovery fails it takes v1; when ours fails, that is a guess.
Result<ApiChoice> pick_api(kube::Api& api, const std::vector<DaemonSetFacts>& daemon_sets) {
  for (const auto& daemon_set : daemon_sets) {
    const auto* container = template_container(daemon_set);
    if (container == nullptr) continue;
    const auto group = environment_value(*container, "CALICO_API_GROUP");
    if (group.empty()) continue;
    return ApiChoice{
        equal_ignoring_case(group, "projectcalico.org/v3") ? CalicoApi::v3_crd : CalicoApi::v1_crd,
        ""};
  }
  auto groups = api.get_raw("/apis");
  if (!groups.has_value()) {
    if (ends_the_run(groups.error())) return std::move(groups).error();
    return ApiChoice{CalicoApi::v1_crd,
                     "the API groups are not known: " + to_string(groups.error())};
  }
  if (serves(*groups, kV1Group)) return ApiChoice{CalicoApi::v1_crd, ""};
  return ApiChoice{serves(*groups, kV3Group) ? CalicoApi::v3_crd : CalicoApi::none, ""};
}

kube::Resource calico_resource(CalicoApi calico_api, const char* plural) {
  return calico_api == CalicoApi::v3_crd ? kube::Resource{kV3Group, "v3", plural}
                                         : kube::Resource{kV1Group, "v1", plural};
}

Result<void> read_configurations(kube::Api& api, const ApiChoice& choice, ClusterFacts& facts) {
  const auto resource = calico_resource(choice.api, "felixconfigurations");
  auto listed = api.list(
      {.resource = resource},
      [&] {
        facts.felix_configurations.clear();
        facts.felix_configurations_changed.reset();
      },
      [&](json::object&& object) {
        auto& newest = facts.felix_configurations_changed;
        const auto changed = changed_at(object);
        if (changed && (!newest || *changed > *newest)) newest = changed;
        keep_writers(object);
        object["apiVersion"] = resource.api_version();
        object["kind"] = "FelixConfiguration";
        facts.felix_configurations.push_back(std::move(object));
      });
  if (listed.has_value()) return {};
  if (ends_the_run(listed.error())) {
    return std::move(listed).error().with_context("reading the FelixConfigurations");
  }
  facts.felix_configurations.clear();
  facts.felix_configurations_changed.reset();
  // Not served: then there are no such objects, and Felix has none either. Unless they are in the
  // other group.
  if (listed.error().kind == ErrorKind::not_found && choice.doubt.empty()) {
    facts.calico_api = CalicoApi::none;
    return {};
  }
  facts.felix_configurations_state = {
      .readable = false, .why = choice.doubt.empty() ? to_string(listed.error()) : choice.doubt};
  return {};
}

std::string read_version(kube::Api& api, const ClusterFacts& facts) {
  if (facts.calico_api != CalicoApi::none) {
    const auto information = api.get(
        {.resource = calico_resource(facts.calico_api, "clusterinformations"), .name = "default"});
    if (information.has_value()) {
      const auto version = text_at(*information, {"spec", "calicoVersion"});
      if (parse_version(version)) return version;
    }
  }
  for (const auto& daemon_set : facts.daemon_sets) {
    const auto tag = image_tag(daemon_set.image);
    if (parse_version(tag)) return tag;
  }
  return {};
}

bool uses_etcd(const DaemonSetFacts& daemon_set) {
  const auto* container = template_container(daemon_set);
  return container != nullptr && datastore_of(*container) == Datastore::etcd;
}

}  // namespace

Datastore datastore_of(const json::object& container) {
  for (const auto* name : {"DATASTORE_TYPE", "FELIX_DATASTORETYPE"}) {
    const auto type = environment_value(container, name);
    if (!type.empty()) {
      return equal_ignoring_case(type, "etcdv3") ? Datastore::etcd : Datastore::kubernetes;
    }
  }
  const bool etcd =
      has_variable(container, "ETCD_ENDPOINTS") || has_variable(container, "FELIX_ETCDENDPOINTS");
  return etcd ? Datastore::etcd : Datastore::kubernetes;
}

const json::object* template_container(const DaemonSetFacts& daemon_set) {
  return named(array_at(daemon_set.object, {"spec", "template", "spec", "containers"}),
               daemon_set.felix_container);
}

bool ends_the_run(const Error& error) {
  return error.kind == ErrorKind::unreachable || error.kind == ErrorKind::unauthenticated ||
         error.kind == ErrorKind::timed_out || error.kind == ErrorKind::interrupted;
}

Result<void> read_calico(kube::Api& api, ClusterFacts& facts) {
  const auto etcd = std::ranges::find_if(facts.daemon_sets, uses_etcd);
  const bool all_etcd =
      etcd != facts.daemon_sets.end() && std::ranges::all_of(facts.daemon_sets, uses_etcd);
  if (!all_etcd) {
    TRY_ASSIGN(const ApiChoice choice, pick_api(api, facts.daemon_sets));
    facts.calico_api = choice.api;
    if (choice.api != CalicoApi::none) TRY(read_configurations(api, choice, facts));
  }
  if (etcd != facts.daemon_sets.end()) {
    facts.felix_configurations_state = configurations_state_for(facts, *etcd);
  }
  facts.calico_version = read_version(api, facts);
  TRY_ASSIGN(facts.migration, read_migration(api));
  return {};
}

ReadState configurations_state_for(const ClusterFacts& facts, const DaemonSetFacts& daemon_set) {
  if (!uses_etcd(daemon_set)) return facts.felix_configurations_state;
  return {.readable = false,
          .why = fmt::format("Felix of {}/{} keeps its configuration in etcd, not in Kubernetes",
                             daemon_set.namespace_, daemon_set.name)};
}

}  // namespace catflap::look
