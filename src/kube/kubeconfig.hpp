// kubeconfig: the file as data. Parsing takes bytes, so that tests and fuzzers need no file system.
// A newcomer's surprise: files are merged by whole named entries. The first file that has a user
// "red" owns it; what a later file says about "red" is dropped, as kubectl does (client-go,
// tools/clientcmd/loader.go).
#pragma once

#include <boost/json.hpp>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/secret.hpp"

namespace catflap::kube {

/// A credential plugin (client.authentication.k8s.io).
struct ExecPlugin {
  enum class Interactive { never, if_available, always };
  std::string api_version;
  std::string
      command;  // with a slash: already relative to its kubeconfig; without: looked up in PATH
  std::vector<std::string> args;
  std::vector<std::pair<std::string, std::string>> env;
  std::string install_hint;
  Interactive interactive = Interactive::if_available;
  bool provide_cluster_info = false;
};

struct ClusterEntry {
  std::string server;
  std::string tls_server_name;
  bool insecure_skip_tls_verify = false;
  std::string certificate_authority;       // a path
  std::string certificate_authority_data;  // PEM, decoded
  std::string proxy_url;
  bool disable_compression = false;
  boost::json::value exec_config;  // extension client.authentication.k8s.io/exec; null if absent
};

struct Impersonation {
  std::string user;
  std::string uid;
  std::vector<std::string> groups;
  std::map<std::string, std::vector<std::string>> extra;
  [[nodiscard]] bool empty() const {
    return user.empty() && uid.empty() && groups.empty() && extra.empty();
  }
};

struct UserEntry {
  std::string client_certificate;       // a path
  std::string client_certificate_data;  // PEM, decoded
  std::string client_key;               // a path
  Secret client_key_data;               // PEM, decoded
  Secret token;
  std::string token_file;
  std::string username;
  Secret password;
  Impersonation as;
  std::optional<ExecPlugin> exec;
  std::string auth_provider;  // the removed legacy kind, by name; only to say so
};

struct ContextEntry {
  std::string cluster;
  std::string user;
  std::string namespace_;
};

struct Kubeconfig {
  std::map<std::string, ClusterEntry> clusters;
  std::map<std::string, UserEntry> users;
  std::map<std::string, ContextEntry> contexts;
  std::string current_context;
  [[nodiscard]] bool empty() const {
    return clusters.empty() && users.empty() && contexts.empty() && current_context.empty();
  }
};

constexpr std::size_t kMaxKubeconfigBytes = 4u << 20;

/// YAML (or JSON) bytes to data. Relative paths become relative to the folder of `source_path`.
/// Unknown fields are ignored, as kubectl does. Errors are of kind usage; subject is the file, what
/// names the field.
[[nodiscard]] Result<Kubeconfig> parse_kubeconfig(std::string_view yaml,
                                                  std::string_view source_path);

/// In order of precedence: per named entry, and for current-context, the first file that has it
/// wins.
[[nodiscard]] Kubeconfig merge_kubeconfigs(std::vector<Kubeconfig> files);

}  // namespace catflap::kube
