// TLS over a Wire, as a client that verifies nobody and notices whether it is asked for a
// certificate. In TLS 1.3 a demanded certificate shows only after the handshake, as an alert on the
// first read; in TLS 1.2 the handshake fails. Either way OpenSSL's certificate callback runs when
// the server's CertificateRequest arrives, and that is what we watch.
#pragma once

#include <openssl/ssl.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/openssl_handles.hpp"
#include "base/result.hpp"
#include "net/throwaway_certificate.hpp"
#include "net/wire.hpp"

namespace catflap::net {

/// What to show when the server asks for a client certificate.
enum class Credential { none, throwaway };

/// What the connections of a batch share, the throw-away credentials included, on one thread. Made
/// once (SSL_CTX_new takes a millisecond); must outlive them.
class TlsContext {
 public:
  [[nodiscard]] static Result<TlsContext> create(TimePoint now);

  [[nodiscard]] SSL_CTX* get() const { return context_.get(); }
  [[nodiscard]] const BIO_METHOD* wire_method() const { return wire_method_.get(); }
  [[nodiscard]] const Certificate& throwaway() const { return throwaway_; }
  [[nodiscard]] const std::string& throwaway_token() const { return throwaway_token_; }

 private:
  TlsContext() = default;
  SslContextHandle context_;
  BioMethodHandle wire_method_;
  Certificate throwaway_;
  std::string throwaway_token_;
};

class TlsStream {
 public:
  TlsStream(const TlsContext& context, Wire& wire, Credential credential);
  TlsStream(const TlsStream&) = delete;  // OpenSSL holds its address
  TlsStream& operator=(const TlsStream&) = delete;

  enum class Step {
    done,
    wait,
    closed,  // close_notify: the other end says that this was all
    failed,  // everything else: an alert, bytes that are no TLS, a broken connection; see problem()
             // and the Wire
  };
  struct Count {
    Step step = Step::done;
    std::size_t bytes = 0;
  };
  [[nodiscard]] Step handshake();
  [[nodiscard]] Count write(std::string_view bytes);
  [[nodiscard]] Count read(std::span<char> into);

  [[nodiscard]] SSL* ssl() const { return ssl_.get(); }
  [[nodiscard]] bool certificate_asked() const { return certificate_asked_; }
  /// The throw-away certificate went out. OpenSSL sends none that the server says it cannot read
  /// (one that takes RSA keys only).
  [[nodiscard]] bool certificate_shown() const { return certificate_shown_; }
  /// The alert that the other end sent to end the connection.
  [[nodiscard]] std::optional<int> alert() const { return alert_; }
  /// OpenSSL's own word for a failure that was neither an alert nor the Wire's.
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  friend class TlsCallbacks;
  [[nodiscard]] Step after(int result);

  const TlsContext& context_;
  Wire& wire_;
  Credential credential_;
  SslHandle ssl_;
  bool certificate_asked_ = false;
  bool certificate_shown_ = false;
  int messages_ = 0;  // of handshakes, received; those that come after one too
  std::optional<int> alert_;
  std::string problem_;
};

}  // namespace catflap::net
