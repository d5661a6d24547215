// The decision, parameter by parameter. The layers come from sources.cpp, the choice between them
// is in layers.hpp.
#include "core/resolve/resolve.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/resolve/felix_cfg.hpp"
#include "core/resolve/notes.hpp"
#include "core/resolve/sources.hpp"

namespace catflap {
namespace {

constexpr Version kHostSince{3, 9, 0};
constexpr Version kTlsSince{3, 32, 0};
// The release after the one whose compiled mode was RequireAndVerifyClientCert
// (projectcalico/calico#13072). Releases in between may or may not carry the change.
constexpr Version kNoClientCertSince{3, 33, 0};

Param<std::string> decide_text(const Sources& sources, const Parameter& parameter) {
  return decide<std::string>(sources.layers(parameter), "", parse_felix_string);
}

/// Before 3.9 Felix listened on every address whatever this said.
Param<std::string> decide_host(const Sources& sources) {
  auto host = decide<std::string>(sources.layers(kHost), "", parse_felix_host);
  if (host.layer != Layer::compiled && sources.since(kHostSince) == Support::no) {
    host.state = ParamState::unsupported;
    host.value.reset();
  }
  return host;
}

/// The one of the two files that says more: a set one, else one that is not certain, else the
/// higher layer.
const Param<std::string>& telling(const Param<std::string>& cert, const Param<std::string>& key) {
  if (!cert.value.value_or("").empty()) return cert;
  if (!key.value.value_or("").empty()) return key;
  if (cert.state != ParamState::set) return cert;
  if (key.state != ParamState::set) return key;
  return key.layer < cert.layer ? key : cert;
}

/// Felix serves TLS if either file is named. A version without the parameters may still be a
/// vendor's build that has them: what somebody wrote is reported, only silence is unsupported.
Param<bool> decide_tls(const Sources& sources) {
  const auto cert = decide_text(sources, kCertFile);
  const auto key = decide_text(sources, kKeyFile);
  const Param<std::string>& text = telling(cert, key);
  Param<bool> tls{.state = text.state,
                  .raw = text.raw,
                  .invalid = text.invalid,
                  .layer = text.layer,
                  .source = text.source,
                  .masked = text.masked,
                  .assumed = cert.assumed && key.assumed,
                  .why = text.why};
  if (text.value) tls.value = !text.value->empty();
  if (sources.since(kTlsSince) != Support::no) return tls;
  if (tls.layer == Layer::compiled) {
    tls.state = ParamState::unsupported;
    tls.value.reset();
    tls.assumed = false;
  } else if (tls.state == ParamState::set) {
    tls.why = fmt::format("Calico {} has no TLS here, a vendor's build of it may",
                          sources.input().calico_version);
  }
  return tls;
}

Param<ClientAuth> decide_auth_with(const Sources& sources, ClientAuth fallback) {
  return decide<ClientAuth>(
      sources.layers(kClientAuth), fallback, [fallback](const std::string& raw) {
        // Felix maps "none" to the empty text, and the server that to its own default.
        return is_none(raw) ? std::optional{fallback} : parse_felix_client_auth(raw);
      });
}

/// A mode that would protect is only said to be in force where it is certain that this Felix knows
/// the parameter.
Param<ClientAuth> decide_client_auth(const Sources& sources) {
  auto open = decide_auth_with(sources, ClientAuth::no_client_cert);
  const Support known = sources.since(kTlsSince);
  if (known == Support::no && open.layer == Layer::compiled) {
    open.state = ParamState::unsupported;
    open.value.reset();
    open.assumed = false;
    return open;
  }
  if (open.state != ParamState::set) return open;
  if (known != Support::yes) {
    open.state = ParamState::ambiguous;
    open.value.reset();
    open.why = known == Support::no
                   ? fmt::format("Calico {} does not know it, a vendor's build of it may",
                                 sources.input().calico_version)
                   : "Calico's version is not known, and it decides";
    return open;
  }
  if (sources.since(kNoClientCertSince) == Support::yes) return open;
  auto strict = decide_auth_with(sources, ClientAuth::require_and_verify);
  if (strict.value == open.value || parse_version(sources.input().calico_version) == kTlsSince) {
    return strict;
  }
  strict.state = ParamState::ambiguous;
  strict.value.reset();
  strict.why = "the compiled default changed after 3.32.0, and not in which release is known";
  return strict;
}

}  // namespace

std::string agreed_version(const std::string& image_tag, const std::string& cluster_version) {
  const auto own = parse_version(image_tag);
  if (!own) return cluster_version;
  const auto cluster = parse_version(cluster_version);
  if (!cluster) return image_tag;
  // Where this code asks for a version; after 3.32.0 exactly, the mode of client certificates
  // changed.
  constexpr std::array kGates{kHostSince, kTlsSince, Version{3, 32, 1}, kNoClientCertSince};
  const bool alike = std::ranges::all_of(
      kGates, [&](const Version& gate) { return (*own < gate) == (*cluster < gate); });
  return alike ? image_tag : "";
}

bool sets_metrics(std::string_view felix_cfg) {
  const auto file = parse_felix_cfg(std::string{felix_cfg});
  return !file || std::ranges::any_of(*file, [](const auto& entry) {
    return std::ranges::any_of(kParameters, [&](const Parameter& parameter) {
      return names_parameter(entry.first, parameter.name);
    });
  });
}

Declared resolve(const ResolveInput& input) {
  const Sources sources{input};
  Declared declared;
  declared.enabled = decide<bool>(sources.layers(kEnabled), false, parse_felix_bool);
  declared.port = decide<int>(sources.layers(kPort), int{kDefaultMetricsPort}, parse_felix_port);
  declared.host = decide_host(sources);
  declared.tls = decide_tls(sources);
  declared.client_auth = decide_client_auth(sources);
  if (const auto ca = decide_text(sources, kCaFile); ca.value) {
    declared.ca_file_set = !ca.value->empty();
  }
  for (const Parameter& parameter : kOtherPorts) {
    const auto port = decide<int>(sources.layers(parameter), 0, parse_felix_port);
    if (port.value.value_or(0) != 0) declared.other_ports.push_back(*port.value);
  }
  for (const EnvVariable& variable : sources.environment().variables) {
    if (variable.from_outside && env_names_parameter(variable.name, kEnabled.name)) {
      declared.enabled_from_outside.push_back(variable.name);
    }
  }
  declared.notes = notes_of(sources, declared);
  return declared;
}

}  // namespace catflap
