// Credential plugins: client.authentication.k8s.io/v1 and v1beta1. The two pure halves, and the
// call between them.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "kube/client_config.hpp"

namespace catflap::kube {

struct PluginAnswer {
  Secret token;
  std::string certificate_pem;
  Secret key_pem;
  std::optional<TimePoint> expires;
};

/// KUBERNETES_EXEC_INFO for this configuration.
[[nodiscard]] std::string exec_info(const ClientConfig& config, Environment::Stdin standard_input);

/// The ExecCredential on a plugin's stdout; its apiVersion must be the one asked for.
[[nodiscard]] Result<PluginAnswer> parse_exec_credential(std::string_view text,
                                                         const std::string& api_version);

/// Runs the plugin of config.user.exec: 60 s, or 5 minutes if it may ask a person.
[[nodiscard]] Result<PluginAnswer> run_plugin(const ClientConfig& config,
                                              const Environment& environment,
                                              const std::stop_token& stop);

}  // namespace catflap::kube
