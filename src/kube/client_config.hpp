// ClientConfig: which server, how to trust it and who to be, decided once from flags, kubeconfigs
// and environment. kubectl's order holds: a flag, then the kubeconfig, then (only if there is no
// kubeconfig at all) the pod's own service account.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "kube/api.hpp"
#include "kube/endpoint.hpp"
#include "kube/kubeconfig.hpp"

namespace catflap::kube {

/// The command line's part, as kubectl spells it. Empty: not given.
struct Flags {
  std::string kubeconfig;
  std::string context;
  std::string cluster;
  std::string user;
  std::string namespace_;
  std::string as;
  std::vector<std::string> as_groups;
  std::optional<Duration> request_timeout;  // 0 is "not given", as for kubectl
  Secret token;
  std::string server;
  std::string tls_server_name;
  bool insecure_skip_tls_verify = false;
};

/// What the process has around it, injected so that tests need none of it.
struct Environment {
  std::function<std::optional<std::string>(const std::string& name)> variable;
  /// Whole file; not_found if there is none. Bounded by the implementation.
  std::function<Result<std::string>(const std::string& path)> read_file;
  /// NAME=value, for the credential plugins.
  std::vector<std::string> variables;
  enum class Stdin { terminal, other } standard_input = Stdin::other;
  /// What a plugin writes to stderr while it runs ("open this page and type this code"); may be
  /// empty.
  std::function<void(std::string_view)> plugin_stderr;
};

/// The real one. Files over 4 MiB are refused.
[[nodiscard]] Environment process_environment();

enum class ServerCheck { verify, skip };

struct ClientConfig {
  Endpoint server;
  std::string tls_server_name;  // empty: the server's host
  ServerCheck server_check = ServerCheck::verify;
  std::string ca_pem;     // empty: the system's
  std::string ca_origin;  // for errors: "certificate-authority-data of cluster "prod""
  std::optional<Endpoint> proxy;
  std::string proxy_url;  // the cluster's, as written, for credential plugins
  bool disable_compression = false;

  /// Paths are resolved. Of several credentials the order is client-go's: a token, a user name, a
  /// plugin; a client certificate goes with each of them.
  UserEntry user;
  boost::json::value exec_config;
  std::optional<Duration> request_timeout;  // bounds one call with its repetitions
  ServerInfo info;
};

/// Reads what it needs through `environment`; no network. Errors are of kind usage (or what
/// read_file said) and name the file and the field.
[[nodiscard]] Result<ClientConfig> load_client_config(const Flags& flags,
                                                      const Environment& environment);

}  // namespace catflap::kube
