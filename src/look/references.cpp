#include "look/references.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "base/json_read.hpp"
#include "base/text.hpp"
#include "kube/base64.hpp"
#include "look/managed_fields.hpp"

namespace catflap::look {
namespace {

/// Read by calico/node's start scripts or by libcalico-go before Felix's own configuration.
constexpr std::string_view kOtherNames[] = {"CALICO_DISABLE_FELIX", "NODENAME", "DATASTORE_TYPE",
                                            "CALICO_API_GROUP"};

bool matters(std::string_view name) {
  return equal_ignoring_case(name.substr(0, 6), "felix_") ||
         std::ranges::find(kOtherNames, name) != std::end(kOtherNames);
}

bool expands_others(const json::array& environment) {
  return std::ranges::any_of(environment, [](const json::value& entry) {
    return entry.is_object() && matters(text_at(entry.get_object(), {"name"})) &&
           text_at(entry.get_object(), {"value"}).find("$(") != std::string::npos;
  });
}

void add(std::set<Ref>& refs, RefKind kind, const std::string& namespace_, std::string name) {
  if (!name.empty()) refs.insert({kind, namespace_, std::move(name)});
}

Lookup read_config_map(const json::object& object) {
  Lookup lookup{.state = Lookup::State::found};
  if (const auto* data = object_at(object, {"data"})) {
    for (const auto& entry : *data) lookup.data.emplace(entry.key(), text_at(*data, {entry.key()}));
  }
  return lookup;
}

Lookup read_secret(const json::object& object) {
  Lookup lookup{.state = Lookup::State::found};
  const auto* data = object_at(object, {"data"});
  if (data == nullptr) return lookup;
  for (const auto& entry : *data) {
    auto value = kube::decode_base64(text_at(*data, {entry.key()}));
    if (!value) return {.state = Lookup::State::unreadable, .why = "its data is not base64"};
    lookup.data.emplace(entry.key(), std::move(*value));
  }
  return lookup;
}

}  // namespace

std::set<Ref> environment_refs(const json::object& container, const std::string& namespace_) {
  std::set<Ref> refs;
  for (const auto& entry : array_at(container, {"envFrom"})) {
    if (!entry.is_object()) continue;
    const auto& source = entry.get_object();
    add(refs, RefKind::config_map, namespace_, text_at(source, {"configMapRef", "name"}));
    add(refs, RefKind::secret, namespace_, text_at(source, {"secretRef", "name"}));
  }
  const auto& environment = array_at(container, {"env"});
  const bool all = expands_others(environment);
  for (const auto& entry : environment) {
    if (!entry.is_object()) continue;
    const auto& variable = entry.get_object();
    if (!all && !matters(text_at(variable, {"name"}))) continue;
    add(refs, RefKind::config_map, namespace_,
        text_at(variable, {"valueFrom", "configMapKeyRef", "name"}));
    add(refs, RefKind::secret, namespace_,
        text_at(variable, {"valueFrom", "secretKeyRef", "name"}));
  }
  return refs;
}

void References::fetch(const std::set<Ref>& refs) {
  for (const auto& ref : refs) {
    if (!entries_.contains(ref)) entries_.emplace(ref, read(ref));
  }
}

References::Entry References::read(const Ref& ref) {
  const bool secret = ref.kind == RefKind::secret;
  const auto got = api_.get({.resource = secret ? kube::kSecrets : kube::kConfigMaps,
                             .namespace_ = ref.namespace_,
                             .name = ref.name});
  if (got.has_value())
    return {secret ? read_secret(*got) : read_config_map(*got), changed_at(*got)};
  if (got.error().kind == ErrorKind::not_found) return {{.state = Lookup::State::absent}, {}};
  return {{.state = Lookup::State::unreadable, .why = to_string(got.error())}, {}};
}

Lookup References::lookup(const Ref& ref, std::optional<TimePoint> started) const {
  const auto it = entries_.find(ref);
  if (it == entries_.end()) {
    return {.state = Lookup::State::unreadable, .why = "it was not read"};
  }
  const auto& changed = it->second.changed;
  if (started && changed && *changed > *started) {
    return {.state = Lookup::State::unreadable,
            .why = fmt::format("it changed at {}, after the container had started at {}",
                               to_rfc3339(*changed), to_rfc3339(*started))};
  }
  return it->second.lookup;
}

}  // namespace catflap::look
