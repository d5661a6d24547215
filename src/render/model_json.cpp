#include "render/model_json.hpp"

#include "base/text.hpp"
#include "render/document.hpp"

namespace catflap::render {
namespace {

/// null for empty text: absent and "" are different things in a document that scripts read.
json::value time_or_null(const std::optional<TimePoint>& time) {
  return time ? json::value(to_rfc3339(*time)) : json::value(nullptr);
}

json::value value_of(bool value) {
  return value;
}
json::value value_of(int value) {
  return value;
}
json::value value_of(const std::string& value) {
  return json::value(safe_text(value));
}
json::value value_of(ClientAuth value) {
  return json::value(to_string(value));
}

template <class T>
json::value param(const Param<T>& p) {
  json::value value = nullptr;
  if (p.value) value = value_of(*p.value);
  const bool nowhere = p.layer == Layer::compiled || p.layer == Layer::build;
  return {{"state", to_string(p.state)},
          {"value", std::move(value)},
          {"raw", nowhere ? json::value(nullptr) : json::value(safe_text(p.raw))},
          {"invalid", p.invalid},
          {"layer", to_string(p.layer)},
          {"source", p.source.kind.empty() ? json::value(nullptr) : to_json(p.source)},
          {"masked", to_json_array(p.masked)},
          {"assumed", p.assumed},
          {"why", text_or_null(p.why)}};
}

json::value tls_json(const TlsFacts& tls) {
  return {{"version", text_or_null(tls.version)}, {"cipher", text_or_null(tls.cipher)},
          {"subject", text_or_null(tls.subject)}, {"notAfter", text_or_null(tls.not_after)},
          {"sha256", text_or_null(tls.sha256)},   {"selfSigned", tls.self_signed},
          {"alert", text_or_null(tls.alert)}};
}

json::value stability_json(const Stability& stability) {
  json::array looks;
  for (TimePoint look : stability.looks) looks.emplace_back(to_rfc3339(look));
  return {{"looks", std::move(looks)},
          {"settled", stability.settled},
          {"ownerCycleCovered", stability.owner_cycle_covered},
          {"ownerCycle", text_or_null(stability.owner_cycle)}};
}

json::value population_json(const Population& population) {
  return {{"source", population.source},
          {"total", population.total},
          {"tested", population.tested},
          {"excluded", to_json_array(population.excluded)},
          {"joined", to_json_array(population.joined)},
          {"left", to_json_array(population.left)}};
}

}  // namespace

std::string safe_text(std::string_view bytes) {
  const auto ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
  if (std::all_of(bytes.begin(), bytes.end(), ascii)) return std::string(bytes);
  json::error_code bad;
  // A JSON parse of the quoted text is the one UTF-8 check at hand; printable() makes anything
  // valid.
  const std::string quoted = json::serialize(json::string_view(bytes.data(), bytes.size()));
  (void)json::parse(quoted, bad);
  return bad ? printable(bytes, bytes.size()) : std::string(bytes);
}

json::value to_json(const std::string& text) {
  return json::value(safe_text(text));
}

json::value to_json(const Masked& masked) {
  return {{"layer", to_string(masked.layer)},
          {"source", to_json(masked.source)},
          {"raw", safe_text(masked.raw)}};
}

json::value to_json(const NodeAddress& address) {
  return {{"address", address.address.to_string()}, {"type", address.type}};
}

json::value to_json(const HostPort& endpoint) {
  return {{"address", endpoint.address.to_string()}, {"port", endpoint.port}};
}

json::value to_json(const PodVerdict& pod) {
  return {{"namespace", pod.namespace_},
          {"name", pod.name},
          {"uid", pod.uid},
          {"ready", pod.ready},
          {"stale", pod.stale},
          {"terminating", pod.terminating},
          {"declared", to_json(pod.declared)}};
}

json::value to_json(const Policy::Exception& exception) {
  return {{"node", exception.node},
          {"verdict", to_string(exception.verdict)},
          {"why", exception.why},
          {"until", time_or_null(exception.until)}};
}

json::value to_json(const Message& message) {
  json::object params;
  for (const auto& [name, value] : message.params) params[name] = safe_text(value);
  return {{"code", message.code}, {"params", std::move(params)}};
}

json::value to_json(const Source& source) {
  return {{"kind", source.kind},
          {"namespace", text_or_null(source.namespace_)},
          {"name", text_or_null(source.name)},
          {"field", text_or_null(source.field)}};
}

json::value to_json(const Declared& declared) {
  return {{"enabled", param(declared.enabled)},
          {"port", param(declared.port)},
          {"host", param(declared.host)},
          {"tls", param(declared.tls)},
          {"clientAuth", param(declared.client_auth)}};
}

json::value to_json(const Listener& listener) {
  json::value pid = nullptr;
  if (listener.pid) pid = *listener.pid;
  return {{"address", listener.endpoint.address.to_string()},
          {"port", listener.endpoint.port},
          {"owner",
           {{"pid", pid},
            {"comm", text_or_null(listener.comm)},
            {"container", text_or_null(listener.container)},
            {"felix", listener.felix}}}};
}

json::value to_json(const Reach& reach) {
  json::value tls = nullptr;
  if (reach.tls) tls = tls_json(*reach.tls);
  json::value status = nullptr;
  if (reach.http_status != 0) status = reach.http_status;
  return {{"vantage", reach.vantage},
          {"address", reach.endpoint.address.to_string()},
          {"port", reach.endpoint.port},
          {"outcome", to_string(reach.outcome)},
          {"detail", text_or_null(reach.detail)},
          {"tls", std::move(tls)},
          {"clientCert", to_string(reach.client_cert)},
          {"throwaway", to_string(reach.throwaway)},
          {"identity", to_string(reach.identity)},
          {"felixHost", text_or_null(reach.felix_host)},
          {"httpStatus", std::move(status)},
          {"bytes", reach.bytes},
          {"at", to_rfc3339(reach.at)},
          {"tookMs", reach.took.count()}};
}

json::value to_json(const NodeVerdict& node) {
  json::value declared = nullptr;
  if (node.declared) declared = to_json(*node.declared);
  return {{"name", node.name},
          {"addresses", to_json_array(node.addresses)},
          {"verdict", to_string(node.verdict)},
          {"basis", text_or_null(to_string(node.basis))},
          {"by", text_or_null(node.by)},
          {"accepted", node.accepted},
          {"reasons", to_json_array(node.reasons)},
          {"declared", std::move(declared)},
          {"pods", to_json_array(node.pods)},
          {"listening", to_json_array(node.listening)},
          {"reachable", to_json_array(node.reachable)},
          {"coverage",
           {{"tested", to_json_array(node.coverage.tested)},
            {"untested", to_json_array(node.coverage.untested)}}},
          {"findings", to_json_array(node.findings)}};
}

json::value cluster_json(const ClusterVerdict& verdict) {
  json::object counts;
  for (const auto& [which, count] : verdict.counts) {
    if (count != 0) counts[to_string(which)] = count;
  }
  return {{"verdict", to_string(verdict.verdict)},
          {"counts", std::move(counts)},
          {"population", population_json(verdict.population)},
          {"stability", stability_json(verdict.stability)},
          {"findings", to_json_array(verdict.findings)}};
}

json::value to_json(const Policy& policy) {
  json::array want{"closed"};
  for (Verdict verdict : policy.accept) want.emplace_back(to_string(verdict));
  json::value max_age = nullptr;
  if (policy.max_age) max_age = json::value(to_string(*policy.max_age));
  return {{"want", std::move(want)},
          {"scope", policy.scope == Policy::Scope::felix ? "felix" : "port"},
          {"exceptions", to_json_array(policy.exceptions)},
          {"requireBasis", text_or_null(to_string(policy.require_basis))},
          {"maxAge", std::move(max_age)}};
}

}  // namespace catflap::render
