#include "kube/client_config.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/text.hpp"

namespace catflap::kube {

namespace {

constexpr const char* kServiceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

Error usage(std::string what, std::string subject, std::string hint) {
  return Error{.kind = ErrorKind::usage,
               .what = std::move(what),
               .subject = std::move(subject),
               .hint = std::move(hint)};
}

std::string variable_or(const Environment& environment, const char* name,
                        const char* other = nullptr) {
  auto value = environment.variable(name);
  if ((!value || value->empty()) && other != nullptr) value = environment.variable(other);
  return value.value_or("");
}

std::vector<std::string> kubeconfig_paths(const Flags& flags, const Environment& environment) {
  if (!flags.kubeconfig.empty()) return {flags.kubeconfig};
  std::string list = variable_or(environment, "KUBECONFIG");
  std::vector<std::string> out;
  for (std::size_t start = 0; start < list.size();) {
    std::size_t end = std::min(list.find(':', start), list.size());
    std::string path = list.substr(start, end - start);
    if (!path.empty() && std::find(out.begin(), out.end(), path) == out.end()) out.push_back(path);
    start = end + 1;
  }
  std::string home = variable_or(environment, "HOME");
  if (list.empty() && !home.empty()) out.push_back(home + "/.kube/config");
  return out;
}

Result<Kubeconfig> read_kubeconfigs(const std::vector<std::string>& paths, const Flags& flags,
                                    const Environment& environment) {
  std::vector<Kubeconfig> files;
  for (const std::string& path : paths) {
    auto bytes = environment.read_file(path);
    if (!bytes) {
      bool may_be_missing = flags.kubeconfig.empty();
      if (bytes.error().kind == ErrorKind::not_found && may_be_missing) continue;
      return usage("the kubeconfig " + bytes.error().what, path,
                   "check the path and its permissions");
    }
    TRY_ASSIGN(Kubeconfig file, parse_kubeconfig(*bytes, path));
    files.push_back(std::move(file));
  }
  return merge_kubeconfigs(std::move(files));
}

template <class Entry>
Error no_such(const char* what, const std::string& name,
              const std::map<std::string, Entry>& known) {
  std::vector<std::string> names;
  for (const auto& [key, entry] : known) names.push_back(key);
  std::string near = nearest(name, names);
  if (names.size() > 12) names.resize(12);
  std::string hint = names.empty() ? fmt::format("the kubeconfig has no {}", what)
                     : !near.empty()
                         ? fmt::format("did you mean \"{}\"?", near)
                         : fmt::format("the kubeconfig has: {}", fmt::join(names, ", "));
  return usage(fmt::format("there is no {} \"{}\"", what, printable(name, 80)), "kubeconfig", hint);
}

/// The PEM of a field and of its …-data twin, which wins (as in client-go).
Result<std::string> pem_of(const std::string& path, const std::string& data,
                           const std::string& field, const Environment& environment) {
  if (!data.empty() || path.empty()) return data;
  auto bytes = environment.read_file(path);
  if (!bytes)
    return usage(fmt::format("{} {}", field, bytes.error().what), path,
                 "check the path and its permissions");
  return bytes;
}

Result<void> check_header_text(const std::string& value, const std::string& what) {
  bool clean = std::none_of(value.begin(), value.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  if (!clean) return usage(what + " has control characters", "", "write it without line breaks");
  return {};
}

Result<ContextEntry> select_context(const Kubeconfig& file, const Flags& flags) {
  std::string name = flags.context.empty() ? file.current_context : flags.context;
  ContextEntry context;
  if (auto found = file.contexts.find(name); found != file.contexts.end()) {
    context = found->second;
  } else if (!name.empty()) {
    return no_such("context", name, file.contexts);
  }
  if (!flags.cluster.empty()) context.cluster = flags.cluster;
  if (!flags.user.empty()) context.user = flags.user;
  if (!flags.namespace_.empty()) context.namespace_ = flags.namespace_;
  if (context.namespace_.empty()) context.namespace_ = "default";
  return context;
}

Result<ClusterEntry> select_cluster(const Kubeconfig& file, const ContextEntry& context,
                                    const Flags& flags) {
  ClusterEntry cluster;
  if (auto found = file.clusters.find(context.cluster); found != file.clusters.end()) {
    cluster = found->second;
  } else if (!context.cluster.empty()) {
    return no_such("cluster", context.cluster, file.clusters);
  }
  if (flags.insecure_skip_tls_verify) {
    // The flag also clears the CA: both together would be refused below.
    cluster.insecure_skip_tls_verify = true;
    cluster.certificate_authority.clear();
    cluster.certificate_authority_data.clear();
  }
  // A server given by hand is not the one that the file's tls-server-name was written for.
  if (!flags.server.empty() || !flags.tls_server_name.empty())
    cluster.tls_server_name = flags.tls_server_name;
  if (!flags.server.empty()) cluster.server = flags.server;
  return cluster;
}

Result<UserEntry> select_user(const Kubeconfig& file, const ContextEntry& context,
                              const Flags& flags) {
  UserEntry user;
  if (auto found = file.users.find(context.user); found != file.users.end()) {
    user = found->second;
  } else if (!context.user.empty()) {
    return no_such("user", context.user, file.users);
  }
  if (!flags.as.empty()) user.as.user = flags.as;
  if (!flags.as_groups.empty()) user.as.groups = flags.as_groups;
  if (!flags.token.empty()) {
    user.token = flags.token;
    user.token_file.clear();
    user.exec.reset();
    user.username.clear();
    user.password = Secret();
    user.auth_provider.clear();
  }
  return user;
}

Result<void> check_user(const UserEntry& user, const std::string& name) {
  std::string subject = fmt::format("user \"{}\"", name);
  if (!user.auth_provider.empty() && !user.exec) {
    return Error{.kind = ErrorKind::unsupported,
                 .what = fmt::format(
                     "the legacy auth-provider \"{}\" was removed from Kubernetes clients in 1.26",
                     printable(user.auth_provider, 40)),
                 .subject = subject,
                 .hint = "use the exec credential plugin of your platform, or --token"};
  }
  bool basic = !user.username.empty() || !user.password.empty();
  if (basic && !user.token.empty()) {
    return usage("has both a token and a user name; only one is allowed", subject,
                 "remove one of them");
  }
  bool certificate = !user.client_certificate.empty() || !user.client_certificate_data.empty();
  bool key = !user.client_key.empty() || !user.client_key_data.empty();
  if (certificate != key) {
    return usage(certificate
                     ? "has a client certificate but no client-key or client-key-data"
                     : "has a client key but no client-certificate or client-certificate-data",
                 subject, "give both");
  }
  if (user.as.user.empty() && !user.as.empty()) {
    return usage("groups, uid or extra are to be impersonated without a user", subject,
                 "add --as USER");
  }
  TRY(check_header_text(user.token.reveal(), "the token"));
  TRY(check_header_text(user.as.user, "--as"));
  TRY(check_header_text(user.as.uid, "as-uid"));
  for (const auto& group : user.as.groups) TRY(check_header_text(group, "--as-group"));
  for (const auto& [key_name, values] : user.as.extra) {
    TRY(check_header_text(key_name, "as-user-extra"));
    for (const auto& value : values) TRY(check_header_text(value, "as-user-extra"));
  }
  return {};
}

Result<void> choose_proxy(ClientConfig& config, const std::string& proxy_url,
                          const std::string& cluster, const Environment& environment) {
  std::string url = proxy_url;
  std::string subject = fmt::format("proxy-url of cluster \"{}\"", cluster);
  if (url.empty()) {
    bool tls = config.server.scheme == Scheme::https;
    url = tls ? variable_or(environment, "HTTPS_PROXY", "https_proxy")
              : variable_or(environment, "HTTP_PROXY", "http_proxy");
    subject = tls ? "HTTPS_PROXY" : "HTTP_PROXY";
    if (url.empty() || passes_by_proxy(variable_or(environment, "NO_PROXY", "no_proxy"),
                                       config.server.host, config.server.port)) {
      return {};
    }
    if (url.find("://") == std::string::npos) url = "http://" + url;
  }
  TRY_ASSIGN(config.proxy, parse_endpoint(url, subject));
  return {};
}

Result<void> choose_trust(ClientConfig& config, const ClusterEntry& cluster,
                          const std::string& name, const Environment& environment) {
  std::string subject = fmt::format("cluster \"{}\"", name);
  bool data = !cluster.certificate_authority_data.empty();
  if (cluster.insecure_skip_tls_verify && (data || !cluster.certificate_authority.empty())) {
    return usage("has a certificate authority and insecure-skip-tls-verify", subject,
                 "remove one of them (the second trusts anybody)");
  }
  config.server_check = cluster.insecure_skip_tls_verify ? ServerCheck::skip : ServerCheck::verify;
  TRY_ASSIGN(config.ca_pem,
             pem_of(cluster.certificate_authority, cluster.certificate_authority_data,
                    "certificate-authority of " + subject, environment));
  if (data) {
    config.ca_origin = "certificate-authority-data of " + subject;
  } else if (!cluster.certificate_authority.empty()) {
    config.ca_origin =
        fmt::format("certificate-authority of {} ({})", subject, cluster.certificate_authority);
  }
  return {};
}

std::optional<ClusterEntry> in_cluster(const Environment& environment) {
  std::string host = variable_or(environment, "KUBERNETES_SERVICE_HOST");
  std::string port = variable_or(environment, "KUBERNETES_SERVICE_PORT");
  if (host.empty() || port.empty()) return std::nullopt;
  ClusterEntry out;
  bool bare_v6 = host.find(':') != std::string::npos && !host.starts_with('[');
  out.server = bare_v6 ? fmt::format("https://[{}]:{}", host, port)
                       : fmt::format("https://{}:{}", host, port);
  out.certificate_authority = fmt::format("{}/ca.crt", kServiceAccountFolder);
  return out;
}

/// A kubeconfig's shape for the pod's own service account; the kubelet rotates the token in its
/// file.
Kubeconfig service_account(ClusterEntry cluster, const Environment& environment) {
  Kubeconfig out;
  out.clusters["in-cluster"] = std::move(cluster);
  UserEntry user;
  user.token_file = fmt::format("{}/token", kServiceAccountFolder);
  out.users["service account"] = std::move(user);
  auto namespace_ = environment.read_file(fmt::format("{}/namespace", kServiceAccountFolder));
  out.contexts["in-cluster"] = {"in-cluster", "service account", namespace_ ? *namespace_ : ""};
  out.current_context = "in-cluster";
  return out;
}

Error no_kubeconfig(const std::vector<std::string>& paths) {
  return usage(paths.empty() ? "no kubeconfig was found"
                             : fmt::format("no kubeconfig was found at {}", fmt::join(paths, ", ")),
               "kubeconfig", "set KUBECONFIG, or give --kubeconfig FILE");
}

std::string shown_user(const std::string& name, const Impersonation& as) {
  return as.user.empty() ? name : fmt::format("{} as {}", name, as.user);
}

Result<ClientConfig> select(const Kubeconfig& file, const Flags& flags,
                            const Environment& environment) {
  TRY_ASSIGN(ContextEntry context, select_context(file, flags));
  TRY_ASSIGN(ClusterEntry cluster, select_cluster(file, context, flags));
  TRY_ASSIGN(UserEntry user, select_user(file, context, flags));
  TRY(check_user(user, context.user));
  if (cluster.server.empty()) {
    if (context.cluster.empty()) {
      return usage("no current-context is set, so no server is known", "kubeconfig",
                   "choose one with --context NAME, or give --server URL");
    }
    return usage("has no server", fmt::format("cluster \"{}\"", context.cluster),
                 "add its server field");
  }
  ClientConfig config;
  std::string where =
      flags.server.empty() ? fmt::format("server of cluster \"{}\"", context.cluster) : "--server";
  TRY_ASSIGN(config.server, parse_endpoint(cluster.server, where));
  TRY(choose_trust(config, cluster, context.cluster, environment));
  TRY(choose_proxy(config, cluster.proxy_url, context.cluster, environment));
  config.proxy_url = cluster.proxy_url;
  config.tls_server_name = cluster.tls_server_name;
  config.disable_compression = cluster.disable_compression;
  config.exec_config = cluster.exec_config;
  if (flags.request_timeout && flags.request_timeout->count() > 0)
    config.request_timeout = flags.request_timeout;
  config.info = ServerInfo{.server = config.server.to_string(),
                           .cluster_name = context.cluster,
                           .user_name = shown_user(context.user, user.as),
                           .namespace_ = context.namespace_};
  config.user = std::move(user);
  return config;
}

}  // namespace

Result<ClientConfig> load_client_config(const Flags& flags, const Environment& environment) {
  std::vector<std::string> paths = kubeconfig_paths(flags, environment);
  TRY_ASSIGN(Kubeconfig file, read_kubeconfigs(paths, flags, environment));
  if (file.empty()) {
    auto cluster = in_cluster(environment);
    if (cluster && flags.kubeconfig.empty()) {
      file = service_account(*std::move(cluster), environment);
    } else if (flags.server.empty()) {
      return no_kubeconfig(paths);
    }
  }
  return select(file, flags, environment);
}

}  // namespace catflap::kube
