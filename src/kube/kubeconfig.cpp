// yaml-cpp's exceptions end here.
#include "kube/kubeconfig.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "base/text.hpp"
#include "kube/base64.hpp"

namespace catflap::kube {

namespace {

/// One mapping of the file: reads fields, and keeps the first thing that is wrong with any of them.
class Fields {
 public:
  Fields(YAML::Node node, std::string path, std::optional<Error>& error, std::string_view source)
      : node_(std::move(node)), path_(std::move(path)), error_(error), source_(source) {
    if (present() && !node_.IsMap()) fail("", "must be a mapping");
  }

  [[nodiscard]] bool present() const { return node_.IsDefined() && !node_.IsNull(); }

  std::string text(const char* key) {
    YAML::Node value = find(key);
    if (!value.IsDefined() || value.IsNull()) return {};
    if (!value.IsScalar()) return fail(key, "must be text"), std::string{};
    return value.Scalar();
  }

  bool flag(const char* key) {
    std::string value = to_lower(text(key));
    if (value.empty() || value == "false" || value == "no" || value == "off") return false;
    if (value == "true" || value == "yes" || value == "on") return true;
    fail(key, fmt::format("must be true or false, it is \"{}\"", printable(value, 40)));
    return false;
  }

  std::string base64(const char* key) {
    auto decoded = decode_base64(text(key));
    if (!decoded) fail(key, "is not valid base64");
    return decoded.value_or("");
  }

  /// A path, relative to the folder of the file.
  std::string path(const char* key) { return resolve(text(key)); }

  std::string resolve(std::string path) const {
    auto slash = source_.rfind('/');
    if (path.empty() || path.front() == '/' || slash == std::string_view::npos) return path;
    return fmt::format("{}/{}", source_.substr(0, slash), path);
  }

  std::vector<std::string> texts(const char* key) {
    std::vector<std::string> out;
    YAML::Node list = sequence(key);
    if (!list.IsSequence()) return out;
    for (const YAML::Node& item : list) {
      if (!item.IsScalar()) return fail(key, "must be a list of texts"), out;
      out.push_back(item.Scalar());
    }
    return out;
  }

  Fields child(const char* key) {
    return {find(key), fmt::format("{}.{}", path_, key), error_, source_};
  }

  /// Each element of a list of mappings.
  template <class Each>
  void each(const char* key, Each&& each) {
    YAML::Node list = sequence(key);
    if (!list.IsSequence()) return;
    for (std::size_t i = 0; i < list.size() && !error_; ++i) {
      std::string prefix = path_.empty() ? "" : path_ + ".";
      Fields item(list[i], fmt::format("{}{}[{}]", prefix, key, i), error_, source_);
      each(item);
    }
  }

  /// Each key of this mapping.
  template <class Each>
  void each_key(Each&& each) {
    if (!present() || !node_.IsMap()) return;
    for (const auto& entry : node_) {
      if (entry.first.IsScalar()) each(entry.first.Scalar());
    }
  }

  [[nodiscard]] YAML::Node find(const char* key) const {
    if (!present() || !node_.IsMap()) return YAML::Node(YAML::NodeType::Undefined);
    const YAML::Node& map = node_;  // the non-const operator[] would add the key
    return map[key];
  }

  void fail(std::string_view key, std::string_view why) {
    if (error_) return;
    std::string field = path_;
    if (!key.empty()) field += fmt::format("{}{}", field.empty() ? "" : ".", key);
    if (field.empty()) field = "the document";
    error_ = Error{.kind = ErrorKind::usage,
                   .what = fmt::format("{} {}", field, why),
                   .subject = std::string(source_),
                   .hint = "correct this kubeconfig, or choose another with --kubeconfig"};
  }

 private:
  YAML::Node sequence(const char* key) {
    YAML::Node list = find(key);
    if (list.IsDefined() && !list.IsNull() && !list.IsSequence()) fail(key, "must be a list");
    return list.IsDefined() ? list : YAML::Node();
  }

  YAML::Node node_;
  std::string path_;
  std::optional<Error>& error_;
  std::string_view source_;
};

constexpr int kMaxExtensionDepth = 32;

/// Plain scalars get their YAML core type, quoted ones stay text: what a plugin expects to find in
/// its JSON.
boost::json::value to_json(const YAML::Node& node, int depth) {
  if (!node.IsDefined() || node.IsNull() || depth > kMaxExtensionDepth) return nullptr;
  if (node.IsSequence()) {
    boost::json::array out;
    for (const YAML::Node& item : node) out.push_back(to_json(item, depth + 1));
    return out;
  }
  if (node.IsMap()) {
    boost::json::object out;
    for (const auto& entry : node) {
      if (entry.first.IsScalar()) out[entry.first.Scalar()] = to_json(entry.second, depth + 1);
    }
    return out;
  }
  const std::string& text = node.Scalar();
  if (node.Tag() == "!") return boost::json::value(text);
  if (text == "true" || text == "false") return text == "true";
  boost::json::error_code error;
  auto number = boost::json::parse(text, error);
  if (!error && number.is_number()) return number;
  return boost::json::value(text);
}

ClusterEntry read_cluster(Fields fields) {
  ClusterEntry out;
  out.server = fields.text("server");
  out.tls_server_name = fields.text("tls-server-name");
  out.insecure_skip_tls_verify = fields.flag("insecure-skip-tls-verify");
  out.certificate_authority = fields.path("certificate-authority");
  out.certificate_authority_data = fields.base64("certificate-authority-data");
  out.proxy_url = fields.text("proxy-url");
  out.disable_compression = fields.flag("disable-compression");
  fields.each("extensions", [&](Fields& extension) {
    if (extension.text("name") != "client.authentication.k8s.io/exec") return;
    out.exec_config = to_json(extension.find("extension"), 0);
  });
  return out;
}

ExecPlugin read_exec(Fields fields) {
  ExecPlugin out;
  out.api_version = fields.text("apiVersion");
  if (out.api_version != "client.authentication.k8s.io/v1" &&
      out.api_version != "client.authentication.k8s.io/v1beta1") {
    fields.fail("apiVersion",
                fmt::format("must be client.authentication.k8s.io/v1 or v1beta1, it is \"{}\"",
                            printable(out.api_version, 80)));
  }
  out.command = fields.text("command");
  if (out.command.empty()) fields.fail("command", "is missing");
  if (out.command.find('/') != std::string::npos) out.command = fields.resolve(out.command);
  out.args = fields.texts("args");
  fields.each("env", [&](Fields& variable) {
    std::string name = variable.text("name");
    if (name.empty() || name.find('=') != std::string::npos) variable.fail("name", "is not a name");
    out.env.emplace_back(std::move(name), variable.text("value"));
  });
  out.install_hint = fields.text("installHint");
  out.provide_cluster_info = fields.flag("provideClusterInfo");
  std::string mode = fields.text("interactiveMode");
  if (mode.empty() && out.api_version.ends_with("/v1beta1")) mode = "IfAvailable";
  if (mode == "Never") {
    out.interactive = ExecPlugin::Interactive::never;
  } else if (mode == "Always") {
    out.interactive = ExecPlugin::Interactive::always;
  } else if (mode != "IfAvailable") {
    fields.fail("interactiveMode", "must be Never, IfAvailable or Always");
  }
  return out;
}

UserEntry read_user(Fields fields) {
  UserEntry out;
  out.client_certificate = fields.path("client-certificate");
  out.client_certificate_data = fields.base64("client-certificate-data");
  out.client_key = fields.path("client-key");
  out.client_key_data = Secret(fields.base64("client-key-data"));
  out.token = Secret(fields.text("token"));
  out.token_file = fields.path("tokenFile");
  out.username = fields.text("username");
  out.password = Secret(fields.text("password"));
  out.as.user = fields.text("as");
  out.as.uid = fields.text("as-uid");
  out.as.groups = fields.texts("as-groups");
  Fields extra = fields.child("as-user-extra");
  extra.each_key([&](const std::string& key) { out.as.extra[key] = extra.texts(key.c_str()); });
  out.auth_provider = fields.child("auth-provider").text("name");
  if (Fields exec = fields.child("exec"); exec.present()) out.exec = read_exec(exec);
  return out;
}

template <class Entry, class Read>
void read_named(Fields& root, const char* list, const char* inner,
                std::map<std::string, Entry>& out, Read&& read) {
  root.each(list, [&](Fields& item) {
    std::string name = item.text("name");
    Entry entry = read(item.child(inner));
    if (!out.emplace(name, std::move(entry)).second) {
      item.fail("name", fmt::format("\"{}\" is there twice", printable(name, 80)));
    }
  });
}

}  // namespace

Result<Kubeconfig> parse_kubeconfig(std::string_view yaml, std::string_view source_path) {
  std::optional<Error> error;
  Kubeconfig out;
  if (yaml.size() > kMaxKubeconfigBytes) {
    Fields(YAML::Node(), "", error, source_path).fail("", "is larger than 4 MiB");
    return *std::move(error);
  }
  try {
    Fields root(YAML::Load(std::string(yaml)), "", error, source_path);
    out.current_context = root.text("current-context");
    read_named(root, "clusters", "cluster", out.clusters, read_cluster);
    read_named(root, "users", "user", out.users, read_user);
    read_named(root, "contexts", "context", out.contexts, [](Fields fields) {
      return ContextEntry{fields.text("cluster"), fields.text("user"), fields.text("namespace")};
    });
  } catch (const YAML::Exception& exception) {
    error = Error{.kind = ErrorKind::usage,
                  .what = fmt::format("line {}, column {}: {}", exception.mark.line + 1,
                                      exception.mark.column + 1, printable(exception.msg, 200)),
                  .subject = std::string(source_path),
                  .hint = "correct this kubeconfig, or choose another with --kubeconfig"};
  }
  if (error) return *std::move(error);
  return out;
}

Kubeconfig merge_kubeconfigs(std::vector<Kubeconfig> files) {
  Kubeconfig out;
  for (Kubeconfig& file : files) {
    out.clusters.merge(file.clusters);  // map::merge keeps what is already there
    out.users.merge(file.users);
    out.contexts.merge(file.contexts);
    if (out.current_context.empty()) out.current_context = std::move(file.current_context);
  }
  return out;
}

}  // namespace catflap::kube
