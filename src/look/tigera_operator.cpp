#include "look/tigera_operator.hpp"

#include <algorithm>
#include <optional>

#include "base/json_read.hpp"
#include "base/text.hpp"
#include "core/plan/tigera_operator.hpp"
#include "look/calico.hpp"
#include "look/managed_fields.hpp"

namespace catflap::look {
namespace {

const kube::Resource kInstallationKind{"operator.tigera.io", "v1", "installations"};
const kube::ObjectRef kStatus{{"operator.tigera.io", "v1", "tigerastatuses"}, "", "calico"};
const kube::ObjectRef kDeployment{
    {"apps", "v1", "deployments"}, "tigera-operator", "tigera-operator"};
constexpr std::size_t kMaxMessage = 200;
constexpr std::int64_t kMaxReplicas = 1000;

/// Of a big object what a plan rests on: who owns it, and the one field.
json::object reduced(json::object installation) {
  keep_writers(installation);
  json::object kept{{"apiVersion", "operator.tigera.io/v1"}, {"kind", "Installation"}};
  if (auto* metadata = installation.if_contains("metadata"))
    kept["metadata"] = std::move(*metadata);
  json::object spec;
  if (auto port = node_metrics_port(installation); !port.is_null())
    spec["nodeMetricsPort"] = std::move(port);
  kept["spec"] = std::move(spec);
  return kept;
}

/// Nothing: it may not be read, and `state` says why.
Result<std::optional<json::object>> read(kube::Api& api, const kube::ObjectRef& ref,
                                         ReadState& state) {
  auto object = api.get(ref);
  if (object.has_value()) return std::optional{std::move(object).value()};
  if (ends_the_run(object.error())) return std::move(object).error();
  state = {.readable = false, .why = to_string(object.error())};
  return std::optional<json::object>{};
}

Result<void> read_installations(kube::Api& api, OperatorFacts& facts) {
  for (const char* name : kInstallations) {
    auto object = api.get({kInstallationKind, "", name});
    if (object.has_value()) {
      facts.installations.push_back(reduced(std::move(object).value()));
    } else if (object.error().kind != ErrorKind::not_found) {
      if (ends_the_run(object.error())) return std::move(object).error();
      facts.installations_state = {.readable = false, .why = to_string(object.error())};
    }
  }
  if (facts.installations.empty() && facts.installations_state.readable) {
    facts.installations_state = {.readable = false,
                                 .why = "there is none of the name default or overlay"};
  }
  return {};
}

std::string degraded(const json::object& status) {
  for (const auto* condition : objects_at(status, {"status", "conditions"})) {
    if (text_at(*condition, {"type"}) != "Degraded" || text_at(*condition, {"status"}) != "True")
      continue;
    auto text = text_at(*condition, {"reason"});
    const auto message = text_at(*condition, {"message"});
    if (!message.empty()) text += (text.empty() ? "" : ": ") + message;
    return text.empty() ? "without a message" : printable(text, kMaxMessage);
  }
  return "";
}

int count_at(const json::object& object, JsonPath path) {
  return static_cast<int>(std::clamp<std::int64_t>(number_at(object, path), 0, kMaxReplicas));
}

}  // namespace

Result<OperatorFacts> read_operator(kube::Api& api) {
  OperatorFacts facts;
  TRY(read_installations(api, facts));
  TRY_ASSIGN(const auto deployment, read(api, kDeployment, facts.deployment_state));
  if (deployment) {
    // The server fills in 1; an object without the number is no reason to say that it is off.
    const bool said = value_at(*deployment, {"spec", "replicas"}) != nullptr;
    facts.wanted = said ? count_at(*deployment, {"spec", "replicas"}) : 1;
    facts.available = count_at(*deployment, {"status", "availableReplicas"});
  }
  TRY_ASSIGN(const auto status, read(api, kStatus, facts.status_state));
  if (status) facts.degraded = degraded(*status);
  return facts;
}

}  // namespace catflap::look
