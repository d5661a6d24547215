#include "sim/kubeconfig_text.hpp"

#include <fmt/format.h>

#include "kube/base64.hpp"

namespace catflap::sim {

std::string kubeconfig_text(const std::string& url, const std::string& ca_pem,
                            const std::vector<KubeconfigUser>& users, const std::string& current) {
  auto text = fmt::format(
      "apiVersion: v1\nkind: Config\ncurrent-context: {}\nclusters:\n- name: sim\n  cluster:\n"
      "    server: {}\n    certificate-authority-data: {}\n",
      current, url, kube::encode_base64(ca_pem));
  text += "users:\n";
  for (const auto& user : users)
    text += fmt::format("- name: {}\n  user:\n    token: {}\n", user.name, user.token);
  text += "contexts:\n";
  for (const auto& user : users)
    text += fmt::format("- name: {0}\n  context:\n    cluster: sim\n    user: {0}\n", user.name);
  return text;
}

}  // namespace catflap::sim
