// The kubeconfig that leads to the embedded API server.
#pragma once

#include <string>
#include <vector>

namespace catflap::sim {

struct KubeconfigUser {
  std::string name;  // of the user and of the context: "admin", "user"
  std::string token;
};

/// YAML with the cluster "sim", the CA inline, one context a user; `current` is one of their names.
[[nodiscard]] std::string kubeconfig_text(const std::string& url, const std::string& ca_pem,
                                          const std::vector<KubeconfigUser>& users,
                                          const std::string& current);

}  // namespace catflap::sim
