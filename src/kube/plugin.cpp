#include "kube/plugin.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/text.hpp"
#include "kube/base64.hpp"
#include "kube/subprocess.hpp"

namespace catflap::kube {

namespace {

namespace json = boost::json;

Error bad_answer(std::string what) {
  return Error{.kind = ErrorKind::malformed_input,
               .what = "the credential plugin's answer " + std::move(what),
               .hint = "run the plugin by hand and look at what it prints"};
}

std::string text_of(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

bool interactive(const ExecPlugin& plugin, Environment::Stdin standard_input) {
  return plugin.interactive != ExecPlugin::Interactive::never &&
         standard_input == Environment::Stdin::terminal;
}

json::object cluster_info(const ClientConfig& config) {
  json::object out;
  out["server"] = config.server.to_string();
  if (!config.tls_server_name.empty()) out["tls-server-name"] = config.tls_server_name;
  if (config.server_check == ServerCheck::skip) out["insecure-skip-tls-verify"] = true;
  if (!config.ca_pem.empty()) out["certificate-authority-data"] = encode_base64(config.ca_pem);
  if (config.proxy) out["proxy-url"] = config.proxy->to_string();
  if (!config.exec_config.is_null()) out["config"] = config.exec_config;
  return out;
}

std::string name_of(const std::string& variable) {
  return variable.substr(0, variable.find('='));
}

std::vector<std::string> plugin_environment(const ClientConfig& config,
                                            const Environment& environment) {
  auto wanted = config.user.exec->env;
  wanted.emplace_back("KUBERNETES_EXEC_INFO", exec_info(config, environment.standard_input));
  std::vector<std::string> out;
  for (const std::string& variable : environment.variables) {
    bool replaced = std::any_of(wanted.begin(), wanted.end(), [&](const auto& entry) {
      return entry.first == name_of(variable);
    });
    if (!replaced) out.push_back(variable);
  }
  for (const auto& [name, value] : wanted) out.push_back(name + "=" + value);
  return out;
}

Error not_installed(Error error, const ExecPlugin& plugin) {
  error.kind = ErrorKind::unauthenticated;
  error.what = "the credential plugin is not installed (or not in PATH)";
  error.hint = plugin.install_hint.empty()
                   ? "install it, or correct users[].user.exec.command in the kubeconfig"
                   : printable(plugin.install_hint, 1024);
  return error;
}

}  // namespace

std::string exec_info(const ClientConfig& config, Environment::Stdin standard_input) {
  const ExecPlugin& plugin = *config.user.exec;
  json::object spec{{"interactive", interactive(plugin, standard_input)}};
  if (plugin.provide_cluster_info) spec["cluster"] = cluster_info(config);
  return json::serialize(json::object{
      {"kind", "ExecCredential"}, {"apiVersion", plugin.api_version}, {"spec", std::move(spec)}});
}

Result<PluginAnswer> parse_exec_credential(std::string_view text, const std::string& api_version) {
  json::error_code error;
  json::value document = json::parse(json::string_view(text.data(), text.size()), error);
  if (error || !document.is_object()) return bad_answer("is not a JSON object");
  const json::object& root = document.get_object();
  if (text_of(root, "kind") != "ExecCredential") return bad_answer("is not an ExecCredential");
  if (text_of(root, "apiVersion") != api_version) {
    return bad_answer(fmt::format("has apiVersion \"{}\", the kubeconfig asks for {}",
                                  printable(text_of(root, "apiVersion"), 80), api_version));
  }
  const json::value* status = root.if_contains("status");
  if (status == nullptr || !status->is_object()) return bad_answer("has no status");
  const json::object& fields = status->get_object();
  PluginAnswer out;
  out.token = Secret(text_of(fields, "token"));
  out.certificate_pem = text_of(fields, "clientCertificateData");
  out.key_pem = Secret(text_of(fields, "clientKeyData"));
  if (out.certificate_pem.empty() != out.key_pem.empty()) {
    return bad_answer("has only one of clientCertificateData and clientKeyData");
  }
  if (out.token.empty() && out.certificate_pem.empty())
    return bad_answer("has neither a token nor a certificate");
  for (char c : out.token.reveal()) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f)
      return bad_answer("has a token with blanks in it");
  }
  if (std::string expires = text_of(fields, "expirationTimestamp"); !expires.empty()) {
    out.expires = parse_rfc3339(expires);
    if (!out.expires) return bad_answer("has an expirationTimestamp that is not a time");
  }
  return out;
}

Result<PluginAnswer> run_plugin(const ClientConfig& config, const Environment& environment,
                                const std::stop_token& stop) {
  const ExecPlugin& plugin = *config.user.exec;
  bool asks = interactive(plugin, environment.standard_input);
  if (plugin.interactive == ExecPlugin::Interactive::always && !asks) {
    return Error{
        .kind = ErrorKind::unauthenticated,
        .what = "the credential plugin must ask a person, and standard input is not a terminal",
        .subject = plugin.command,
        .hint = "run this on a terminal, or use other credentials"};
  }
  Program program{.command = plugin.command,
                  .arguments = plugin.args,
                  .environment = plugin_environment(config, environment),
                  .input = asks ? Program::Input::inherited : Program::Input::none,
                  .timeout = asks ? std::chrono::minutes{5} : std::chrono::seconds{60},
                  .on_stderr = environment.plugin_stderr};
  auto output = run_program(program, stop);
  if (!output && output.error().kind == ErrorKind::not_found)
    return not_installed(output.error(), plugin);
  if (!output) return std::move(output).error().with_context("running the credential plugin");
  if (output->exit_code != 0) {
    return Error{
        .kind = ErrorKind::unauthenticated,
        .what = fmt::format(
            "the credential plugin failed with exit code {}: {}", output->exit_code,
            output->stderr_.empty() ? "it said nothing" : printable(output->stderr_, 1024)),
        .subject = plugin.command,
        .hint = "log in again with your platform's tool, or run the plugin by hand"};
  }
  auto answer = parse_exec_credential(output->stdout_, plugin.api_version);
  if (!answer) answer.error().subject = plugin.command;
  return answer;
}

}  // namespace catflap::kube
