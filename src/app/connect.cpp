#include "app/connect.hpp"

#include <ostream>

#include "kube/client.hpp"

namespace catflap::app {

Result<std::unique_ptr<kube::Api>> connect(const ConnectFlags& flags, const Clock& clock,
                                           std::stop_token stop, std::ostream& err) {
  kube::Environment environment = kube::process_environment();
  // "Open this page and type this code": shown while the plugin runs.
  environment.plugin_stderr = [&err](std::string_view text) { err << text << std::flush; };
  TRY_ASSIGN(const kube::ClientConfig config,
             kube::load_client_config({.kubeconfig = flags.kubeconfig,
                                       .context = flags.context,
                                       .cluster = flags.cluster,
                                       .user = flags.user,
                                       .namespace_ = flags.namespace_,
                                       .as = flags.as,
                                       .as_groups = flags.as_groups,
                                       .request_timeout = flags.request_timeout,
                                       .token = flags.token,
                                       .server = flags.server,
                                       .tls_server_name = flags.tls_server_name,
                                       .insecure_skip_tls_verify = flags.insecure_skip_tls_verify},
                                      environment));
  return kube::connect(config, environment, clock, std::move(stop));
}

}  // namespace catflap::app
