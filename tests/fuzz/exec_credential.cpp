// What a credential plugin prints.
#include "kube/plugin.hpp"
#include "planted.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto answer =
      catflap::kube::parse_exec_credential(text_of(data, size), "client.authentication.k8s.io/v1");
  if (!answer) {
    require(!answer.error().what.empty());
    return 0;
  }
  // The token goes into a header as it is.
  for (const char c : answer->token.reveal())
    require(static_cast<unsigned char>(c) > 0x20 && c != 0x7f);
  require(answer->certificate_pem.empty() == answer->key_pem.empty());
  require(!answer->token.empty() || !answer->certificate_pem.empty());
  planted(!answer->token.empty() && answer->token.reveal() != "abc" && answer->expires.has_value());
  return 0;
}
