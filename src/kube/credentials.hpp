// Credentials: what each request shows, kept fresh. A kubeconfig's user, a service account's
// rotated token file and a credential plugin all look the same from outside: current(), and
// refresh() once after a 401.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "kube/client_config.hpp"

namespace catflap::kube {

struct Identity {
  Secret authorization;  // the header's value; empty: none
  std::string certificate_pem;
  Secret key_pem;
  std::string kind;  // for errors: "the token of user "bot"", "the client certificate of user
                     // "admin" (valid until …)"
  int generation =
      0;  // grows when the certificate changes: connections made with the old one are to be closed
};

class Credentials {
 public:
  Credentials(const ClientConfig& config, const Environment& environment, const Clock& clock,
              std::stop_token stop);
  ~Credentials();

  /// Reads files or runs the plugin if what is known has expired (token files are read again after
  /// 10 s, a plugin's answer at its expirationTimestamp). Blocks while a plugin runs. Errors name
  /// the file or the plugin; the next call tries again.
  [[nodiscard]] Result<Identity> current();
  /// After a 401 to `used`: forgets what is cached. False if nothing can change: the same would be
  /// refused again.
  [[nodiscard]] bool refresh(const Identity& used);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace catflap::kube
