// Declared: what the configuration says, per Felix pod and parameter, with the layer that decides.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ip.hpp"

namespace catflap {

/// Where Felix serves its metrics unless somebody says otherwise.
inline constexpr Port kDefaultMetricsPort = 9091;

/// Where a value can come from, highest priority first (Calico: felix/config/config_params.go,
/// SourcesInDescendingOrder). `build` is not a place in the configuration: nothing sets the value,
/// and yet the build behaves as if it were set (a vendor's compiled default, or ENV in the image,
/// which no object shows).
enum class Layer { env, file, fc_node, fc_selector, fc_default, compiled, build };

/// The object and field that a value was read from. `name` is empty for compiled.
struct Source {
  std::string kind;        // DaemonSet, Pod, ConfigMap, Secret, FelixConfiguration, File
  std::string namespace_;  // empty for cluster-scoped objects
  std::string name;
  std::string field;  // env FELIX_PROMETHEUSMETRICSENABLED, spec.prometheusMetricsEnabled,
                      // metadata.annotations[…]
  friend bool operator==(const Source&, const Source&) = default;
};

/// A value of a lower layer that the deciding one hides.
struct Masked {
  Layer layer = Layer::compiled;
  Source source;
  std::string raw;
  friend bool operator==(const Masked&, const Masked&) = default;
};

enum class ParamState {
  set,          // value is known
  ambiguous,    // Felix itself picks at random (names that differ in case only)
  unreadable,   // a source that could decide could not be read
  unsupported,  // this version of Felix does not have the parameter
};

/// One parameter, decided.
template <class T>
struct Param {
  ParamState state = ParamState::set;
  std::optional<T> value;  // empty unless state is set
  std::string raw;         // as written in the source; empty for compiled
  bool invalid =
      false;  // raw does not parse: Felix takes the compiled default and still masks lower layers
  Layer layer = Layer::compiled;
  Source source;
  std::vector<Masked> masked;  // highest first
  bool assumed =
      false;  // nothing sets it; the compiled default is assumed until Felix answers otherwise
  std::string why;  // for ambiguous and unreadable: what stands in the way
  friend bool operator==(const Param&, const Param&) = default;
};

/// A code with its parameters; texts are in core/catalogue and render.
struct Message {
  std::string code;  // findings: CF0001; reasons: timeout, node-not-ready, …
  std::map<std::string, std::string> params;
  friend bool operator==(const Message&, const Message&) = default;
};

enum class ClientAuth { no_client_cert, verify_if_given, require_any, require_and_verify };

struct Declared {
  Param<bool> enabled;
  Param<int> port;          // 0 means that Felix picks a random port, not off
  Param<std::string> host;  // "" means every address
  Param<bool> tls;          // a certificate or key file is set
  Param<ClientAuth> client_auth;
  std::optional<bool> ca_file_set;  // with tls and without it Felix does not listen (armed); none:
                                    // not known
  std::vector<int> other_ports;     // set for Felix's health and eBPF health endpoints
  /// Spellings of PrometheusMetricsEnabled that sources of envFrom set, also where the env list
  /// hides them: what has to be outranked name by name.
  std::vector<std::string> enabled_from_outside;
  std::vector<Message> notes;  // findings met on the way (core/catalogue.hpp), e.g. CF0011 for
                               // names that differ in case
  friend bool operator==(const Declared&, const Declared&) = default;
};

/// Is the endpoint off for certain / on for certain / neither.
enum class Switch { off, on, undecided };
[[nodiscard]] Switch enabled_switch(const Declared& declared);

/// Is the value only what the source code has as default? A vendor's build may have another one.
template <class T>
[[nodiscard]] bool rests_on_default(const Param<T>& param) {
  return param.assumed || param.invalid;
}

/// Can `host` be reached from outside the node? Loopback hosts are 127.0.0.0/8, ::1 and localhost.
/// What Felix may resolve by name counts as reachable.
[[nodiscard]] bool host_is_loopback(const std::string& host);

[[nodiscard]] const char* to_string(
    Layer layer);  // env, file, fc-node, fc-selector, fc-default, compiled, build
[[nodiscard]] const char* to_string(ParamState state);
[[nodiscard]] const char* to_string(
    ClientAuth auth);  // Felix's own words: RequireAndVerifyClientCert …

/// One line for tests and `-o wide`: "enabled=true <- env FELIX_X (masks fc-default:false)".
[[nodiscard]] std::string dump(const Declared& declared);

}  // namespace catflap
