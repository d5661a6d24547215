// A kubeconfig as somebody was handed it.
#include "kube/kubeconfig.hpp"

#include "planted.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto config =
      catflap::kube::parse_kubeconfig(text_of(data, size), "/home/user/.kube/config");
  if (!config) {
    require(!config.error().what.empty());
    return 0;
  }
  for (const auto& [name, user] : config->users)
    planted(user.exec.has_value() && user.exec->command != "plugin");
  return 0;
}
