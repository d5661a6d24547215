#include "kube/plugin.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/json_read.hpp"
#include "base/text.hpp"
#include "kube/base64.hpp"
#include "kube/subprocess.hpp"

namespace catflap::kube {

namespace {

Error bad_answer(std::string what) {
  return Error{.kind = ErrorKind::malformed_input,
               .what = "the credential plugin's answer " + std::move(what),
               .hint = "run the plugin by hand and look at what it prints"};
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
  if (!config.proxy_url.empty()) out["proxy-url"] = config.proxy_url;
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

/// The end of what a plugin says: Python puts the reason on the last line of its traceback.
constexpr std::size_t kKeptStderr = 1024;

void keep_tail(std::string& tail, std::string_view bytes) {
  tail += bytes;
  if (tail.size() > kKeptStderr) tail.erase(0, tail.size() - kKeptStderr);
}

/// In one line: its lines, trimmed, with " / " between them.
std::string shown(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    auto end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    auto first = line.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) continue;
    line = line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
    if (!out.empty()) out += " / ";
    out += printable(line, kKeptStderr);
  }
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
  if (text_at(root, {"kind"}) != "ExecCredential") return bad_answer("is not an ExecCredential");
  if (text_at(root, {"apiVersion"}) != api_version) {
    return bad_answer(fmt::format("has apiVersion \"{}\", the kubeconfig asks for {}",
                                  printable(text_at(root, {"apiVersion"}), 80), api_version));
  }
  const json::object* status = object_at(root, {"status"});
  if (status == nullptr) return bad_answer("has no status");
  PluginAnswer out;
  out.token = Secret(text_at(*status, {"token"}));
  out.certificate_pem = text_at(*status, {"clientCertificateData"});
  out.key_pem = Secret(text_at(*status, {"clientKeyData"}));
  if (out.certificate_pem.empty() != out.key_pem.empty()) {
    return bad_answer("has only one of clientCertificateData and clientKeyData");
  }
  if (out.token.empty() && out.certificate_pem.empty())
    return bad_answer("has neither a token nor a certificate");
  for (char c : out.token.reveal()) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f)
      return bad_answer("has a token with blanks in it");
  }
  if (std::string expires = text_at(*status, {"expirationTimestamp"}); !expires.empty()) {
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
  std::string said;
  Program program{.command = plugin.command,
                  .arguments = plugin.args,
                  .environment = plugin_environment(config, environment),
                  .input = asks ? Program::Input::inherited : Program::Input::none,
                  .timeout = asks ? std::chrono::minutes{5} : std::chrono::seconds{60},
                  .on_stderr = [&](std::string_view bytes) {
                    keep_tail(said, bytes);
                    if (environment.plugin_stderr) environment.plugin_stderr(bytes);
                  }};
  auto output = run_program(program, stop);
  if (!output && output.error().kind == ErrorKind::not_found)
    return not_installed(output.error(), plugin);
  if (!output) {
    if (!said.empty()) output.error().what += "; it said: " + shown(said);
    return std::move(output).error().with_context("running the credential plugin");
  }
  if (output->exit_code != 0) {
    return Error{
        .kind = ErrorKind::unauthenticated,
        .what = fmt::format("the credential plugin failed with exit code {}: {}", output->exit_code,
                            said.empty() ? "it said nothing" : shown(said)),
        .subject = plugin.command,
        .hint = "log in again with your platform's tool, or run the plugin by hand"};
  }
  auto answer = parse_exec_credential(output->stdout_, plugin.api_version);
  if (!answer) {
    answer.error().subject = plugin.command;
    if (!said.empty()) answer.error().what += "; it said: " + shown(said);
  }
  return answer;
}

}  // namespace catflap::kube
