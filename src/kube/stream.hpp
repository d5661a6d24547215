// Stream: bytes both ways over TCP, or over TLS over another Stream (so TLS works inside a proxy's
// tunnel, too). The virtual calls keep Asio's and OpenSSL's templates in one file each.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "kube/endpoint.hpp"
#include "kube/loop.hpp"
#include "kube/tls.hpp"

namespace catflap::kube {

class Stream : public Abortable {
 public:
  virtual ~Stream() = default;
  /// 0 when the peer has closed. One read and one write at a time, never both.
  [[nodiscard]] virtual Task<Result<std::size_t>> read_some(std::span<char> into) = 0;
  [[nodiscard]] virtual Task<Result<void>> write_all(std::string_view bytes) = 0;
  /// True if nothing has come in since: an idle keep-alive connection that the peer closed is not.
  [[nodiscard]] virtual bool quiet() = 0;
};

/// Tries the host's addresses in order, each for at most `per_address`.
[[nodiscard]] Task<Result<std::unique_ptr<Stream>>> connect_tcp(Scope& scope, std::string host,
                                                                Port port, Duration per_address);

/// The handshake as client. `name`: what the certificate must be for (a DNS name or an address).
[[nodiscard]] Task<Result<std::unique_ptr<Stream>>> connect_tls(Scope& scope,
                                                                std::unique_ptr<Stream> lower,
                                                                const TlsContext& context,
                                                                std::string name);

}  // namespace catflap::kube
