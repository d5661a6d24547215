// The certificate that whoever listens on a node shows, as DER.
#include <openssl/err.h>

#include <algorithm>

#include "base/openssl_handles.hpp"
#include "net/tls_facts.hpp"
#include "planted.hpp"

namespace {

/// A name of 256 bytes, each of them as \xNN, with its kind before it and "…" behind it.
void require_short_line(std::string_view text) {
  constexpr std::string_view kKind = "email:", kCut = "…";
  require(text.size() <= kKind.size() + 256 * 4 + kCut.size());
  for (const char c : text) require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const catflap::X509Handle leaf(d2i_X509(nullptr, &data, static_cast<long>(size)));
  ERR_clear_error();
  if (!leaf) return 0;
  const auto facts = catflap::net::read_certificate(leaf.get());
  ERR_clear_error();
  for (const auto* text :
       {&facts.subject, &facts.issuer, &facts.not_before, &facts.not_after, &facts.key})
    require_short_line(*text);
  require(facts.names.size() <= 16 && facts.sha256.size() == 64);
  for (const auto& name : facts.names) {
    require_short_line(name);
    require(name.starts_with("DNS:") || name.starts_with("IP:") || name.starts_with("URI:") ||
            name.starts_with("email:"));
  }
  planted(facts.names.size() == 2 && facts.names[1].starts_with("IP:") &&
          facts.names[1] != "IP:10.0.0.1");
  return 0;
}
