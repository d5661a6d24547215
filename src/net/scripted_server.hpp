// For the tests: a listener on loopback whose connections run a script, each on a thread of its
// own.
#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/handle.hpp"
#include "base/ip.hpp"
#include "base/openssl_handles.hpp"
#include "net/throwaway_certificate.hpp"

namespace catflap::net::testing {

/// Many containers have no IPv6, not even ::1.
bool has_ipv6();

/// How many connections to one or several servers the client held open at once. Looked at when one
/// is accepted, by the state of the others: when their scripts end says nothing about when the
/// client hung up.
class Crowd {
 public:
  void add(int socket);
  [[nodiscard]] int most() const { return most_; }

 private:
  std::mutex mutex_;
  std::vector<UniqueFd> sockets_;
  std::atomic<int> most_ = 0;
};

class ScriptedServer {
 public:
  /// Gets the accepted socket (blocking, closed afterwards) and which connection it is, from 0.
  using Script = std::function<void(int socket, int nth)>;

  explicit ScriptedServer(Script script, std::string_view address = "127.0.0.1",
                          Crowd* crowd = nullptr);
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  [[nodiscard]] const HostPort& endpoint() const { return endpoint_; }
  [[nodiscard]] int connections() const { return connections_; }

 private:
  void accept_all();
  void run_script(UniqueFd socket, int nth);

  Script script_;
  Crowd* crowd_;
  UniqueFd listener_;
  HostPort endpoint_;
  std::atomic<int> connections_ = 0;
  std::mutex mutex_;
  std::vector<int> open_;
  std::vector<std::thread> scripts_;
  std::thread acceptor_;
};

/// A bound socket that does not listen: a connection to it is refused, and nobody else can take the
/// port meanwhile.
struct ClosedPort {
  explicit ClosedPort(std::string_view address = "127.0.0.1");
  UniqueFd socket;
  HostPort endpoint;
};

void send_all(int socket, std::string_view bytes);
/// The connection ends with a reset instead of an orderly close.
void reset_on_close(int socket);
/// Blocks until the other end hangs up.
void wait_for_hangup(int socket);

enum class ClientCertificates {
  ignored,
  requested,    // and not needed
  any,          // needed, but any will do
  trusted,      // needed, from an authority that nobody has
  trusted_rsa,  // the same, and only RSA keys will do
};

/// The server side of TLS for a script.
class TlsServer {
 public:
  /// TLS1_2_VERSION, TLS1_3_VERSION; the groups and ciphers as OpenSSL names them, none: its own.
  TlsServer(int only_version, ClientCertificates wanted, const char* only_groups = nullptr,
            const char* only_ciphers = nullptr);
  /// Handshake, then `talk`, then close_notify. An unfinished handshake sends its alert and
  /// returns.
  void serve(int socket, const std::function<void(SSL*)>& talk) const;
  /// Answers every request with these bytes.
  [[nodiscard]] ScriptedServer::Script answering(std::string answer) const;

 private:
  Certificate certificate_;
  SslContextHandle context_;
};

/// "HTTP/1.1 200 OK", a length, and the body.
std::string http(std::string_view body, std::string_view status = "200 OK");
/// As Go's plain HTTP server: 400 to a ClientHello at once, the answer to GET /metrics.
ScriptedServer::Script plain_http(std::string answer);
/// 90 KB in which felix_host stands at byte 5,512, as in a real one.
std::string felix_metrics(std::string_view host = "node-1");

}  // namespace catflap::net::testing
