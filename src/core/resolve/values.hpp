// The parameters of the metrics endpoint and how Felix reads their text.
// A parameter has one name in three spellings: PrometheusMetricsEnabled (Go, annotations,
// felix.cfg), prometheusMetricsEnabled (spec field), FELIX_PROMETHEUSMETRICSENABLED (environment).
// Case never matters outside the spec.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "core/model/declared.hpp"

namespace catflap {

enum class SpecType { boolean, integer, string };

struct Parameter {
  std::string_view name;        // as in Felix's Go source
  std::string_view spec_field;  // of a FelixConfiguration
  SpecType spec_type;
};

inline constexpr Parameter kEnabled{"PrometheusMetricsEnabled", "prometheusMetricsEnabled",
                                    SpecType::boolean};
inline constexpr Parameter kPort{"PrometheusMetricsPort", "prometheusMetricsPort",
                                 SpecType::integer};
inline constexpr Parameter kHost{"PrometheusMetricsHost", "prometheusMetricsHost",
                                 SpecType::string};
inline constexpr Parameter kCertFile{"PrometheusMetricsCertFile", "prometheusMetricsCertFile",
                                     SpecType::string};
inline constexpr Parameter kKeyFile{"PrometheusMetricsKeyFile", "prometheusMetricsKeyFile",
                                    SpecType::string};
inline constexpr Parameter kCaFile{"PrometheusMetricsCAFile", "prometheusMetricsCAFile",
                                   SpecType::string};
inline constexpr Parameter kClientAuth{"PrometheusMetricsClientAuth", "prometheusMetricsClientAuth",
                                       SpecType::string};
inline constexpr std::array kParameters{kEnabled, kPort,   kHost,      kCertFile,
                                        kKeyFile, kCaFile, kClientAuth};

/// Ports that Felix listens on for other reasons: not metrics, and not to be taken for them.
inline constexpr Parameter kHealthPort{"HealthPort", "healthPort", SpecType::integer};
inline constexpr Parameter kBpfHealthPort{"BPFKubeProxyHealthzPort", "bpfKubeProxyHealthzPort",
                                          SpecType::integer};
inline constexpr std::array kOtherPorts{kHealthPort, kBpfHealthPort};

/// Lower case as Go's strings.ToLower makes it, as far as it can matter here: ASCII, and the two
/// letters outside ASCII whose lower case is an ASCII letter (U+0130 and U+212A).
[[nodiscard]] std::string felix_lower(std::string_view text);

/// Does a name from a source mean this parameter?
[[nodiscard]] bool names_parameter(std::string_view name, std::string_view parameter);

/// The same for an environment variable: FELIX_ in any case, then the name.
[[nodiscard]] bool env_names_parameter(std::string_view variable, std::string_view parameter);

/// "none" in any case: Felix takes the zero value of the parameter's Go type, not its default.
[[nodiscard]] bool is_none(std::string_view raw);

/// The parsers give nothing for text that Felix refuses; it then uses its compiled default. "none"
/// is the zero value. Source: felix/config/param_types.go, and Go's strconv.ParseInt with base 0.
[[nodiscard]] std::optional<bool> parse_felix_bool(std::string_view raw);
[[nodiscard]] std::optional<int> parse_felix_port(std::string_view raw);  // 0…65535
[[nodiscard]] std::optional<std::string> parse_felix_host(std::string_view raw);
[[nodiscard]] std::optional<std::string> parse_felix_string(std::string_view raw);  // file names

/// "none" is left to the caller: which mode an empty value means depends on the version.
[[nodiscard]] std::optional<ClientAuth> parse_felix_client_auth(std::string_view raw);

}  // namespace catflap
