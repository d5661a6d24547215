#include "net/scripted_server.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/check.hpp"

namespace catflap::net::testing {
namespace {

/// Bound to a free port of the address.
std::pair<UniqueFd, HostPort> bind_to(std::string_view text) {
  const IpAddress address = *IpAddress::parse(text);
  sockaddr_storage storage{};
  auto* four = reinterpret_cast<sockaddr_in*>(&storage);
  auto* six = reinterpret_cast<sockaddr_in6*>(&storage);
  storage.ss_family = address.is_v6() ? AF_INET6 : AF_INET;
  if (address.is_v6()) {
    std::memcpy(&six->sin6_addr, address.bytes().data(), 16);
  } else {
    std::memcpy(&four->sin_addr, address.bytes().data(), 4);
  }
  socklen_t size = address.is_v6() ? sizeof *six : sizeof *four;
  UniqueFd socket(::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  auto* raw = reinterpret_cast<sockaddr*>(&storage);
  CHECK(socket && ::bind(socket.get(), raw, size) == 0 &&
            ::getsockname(socket.get(), raw, &size) == 0,
        "test listener");
  const Port port = ntohs(address.is_v6() ? six->sin6_port : four->sin_port);
  return {std::move(socket), HostPort{address, port}};
}

}  // namespace

bool has_ipv6() {
  const UniqueFd socket(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  return socket && ::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
}

void Crowd::add(int socket) {
  const std::lock_guard lock(mutex_);
  sockets_.emplace_back(::dup(socket));
  int held = 0;
  for (const UniqueFd& other : sockets_) {
    tcp_info info{};
    socklen_t size = sizeof info;
    ::getsockopt(other.get(), IPPROTO_TCP, TCP_INFO, &info, &size);
    if (info.tcpi_state == TCP_ESTABLISHED) ++held;
  }
  most_ = std::max<int>(most_, held);
}

ScriptedServer::ScriptedServer(Script script, std::string_view address, Crowd* crowd)
    : script_(std::move(script)), crowd_(crowd) {
  std::tie(listener_, endpoint_) = bind_to(address);
  CHECK(::listen(listener_.get(), 1024) == 0, "test listener");
  acceptor_ = std::thread([this] { accept_all(); });
}

ScriptedServer::~ScriptedServer() {
  ::shutdown(listener_.get(), SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int socket : open_) ::shutdown(socket, SHUT_RDWR);
  }
  for (std::thread& script : scripts_) script.join();
}

void ScriptedServer::accept_all() {
  // The code under test must live with SIGPIPE at its default; the scripts, which write to whoever
  // hung up, need not.
  sigset_t pipe;
  ::sigemptyset(&pipe);
  ::sigaddset(&pipe, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  for (;;) {
    UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!socket) return;
    const int nth = connections_++;
    if (crowd_ != nullptr) crowd_->add(socket.get());
    const std::lock_guard lock(mutex_);
    open_.push_back(socket.get());
    scripts_.emplace_back(
        [this, nth, taken = socket.release()] { run_script(UniqueFd(taken), nth); });
  }
}

void ScriptedServer::run_script(UniqueFd socket, int nth) {
  script_(socket.get(), nth);
  // The crowd holds the socket too.
  if (crowd_ != nullptr) ::shutdown(socket.get(), SHUT_RDWR);
  const std::lock_guard lock(mutex_);
  std::erase(open_, socket.get());
  socket.reset();
}

ClosedPort::ClosedPort(std::string_view address) {
  std::tie(socket, endpoint) = bind_to(address);
}

void send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void reset_on_close(int socket) {
  const linger now{1, 0};
  ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

void wait_for_hangup(int socket) {
  std::array<char, 4096> buffer{};
  while (::recv(socket, buffer.data(), buffer.size(), 0) > 0) {
  }
}

TlsServer::TlsServer(int only_version, ClientCertificates wanted, const char* only_groups,
                     const char* only_ciphers)
    : certificate_(*make_throwaway_certificate(RealClock().now())),
      context_(SSL_CTX_new(TLS_server_method())) {
  SSL_CTX* context = context_.get();
  SSL_CTX_set_min_proto_version(context, only_version);
  SSL_CTX_set_max_proto_version(context, only_version);
  if (only_groups != nullptr) SSL_CTX_set1_groups_list(context, only_groups);
  if (only_ciphers != nullptr) SSL_CTX_set_cipher_list(context, only_ciphers);
  SSL_CTX_use_certificate(context, certificate_.leaf.get());
  SSL_CTX_use_PrivateKey(context, certificate_.key.get());
  const auto accept_any = [](int, X509_STORE_CTX*) { return 1; };
  switch (wanted) {
    case ClientCertificates::ignored:
      break;
    case ClientCertificates::requested:
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER, accept_any);
      break;
    case ClientCertificates::any:
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, accept_any);
      break;
    case ClientCertificates::trusted_rsa:
      SSL_CTX_set1_client_sigalgs_list(context, "RSA+SHA256:RSA-PSS+SHA256");
      [[fallthrough]];
    case ClientCertificates::trusted:
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
      break;
  }
}

void TlsServer::serve(int socket, const std::function<void(SSL*)>& talk) const {
  const SslHandle ssl(SSL_new(context_.get()));
  SSL_set_fd(ssl.get(), socket);
  if (SSL_accept(ssl.get()) != 1) return;
  talk(ssl.get());
  SSL_shutdown(ssl.get());
}

ScriptedServer::Script TlsServer::answering(std::string answer) const {
  return [this, answer = std::move(answer)](int socket, int) {
    serve(socket, [&](SSL* ssl) {
      std::array<char, 4096> request{};
      if (SSL_read(ssl, request.data(), static_cast<int>(request.size())) <= 0) return;
      SSL_write(ssl, answer.data(), static_cast<int>(answer.size()));
    });
  };
}

std::string http(std::string_view body, std::string_view status) {
  return fmt::format("HTTP/1.1 {}\r\nContent-Length: {}\r\n\r\n{}", status, body.size(), body);
}

ScriptedServer::Script plain_http(std::string answer) {
  return [answer = std::move(answer)](int socket, int) {
    std::array<char, 4096> bytes{};
    const ssize_t got = ::recv(socket, bytes.data(), bytes.size(), 0);
    const std::string_view request(bytes.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
    const bool asked = request.starts_with("GET /metrics HTTP/1.1\r\n");
    send_all(socket, asked ? answer : http("400 Bad Request", "400 Bad Request"));
  };
}

std::string felix_metrics(std::string_view host) {
  std::string body;
  while (body.size() < 5512)
    body += "# HELP felix_exec_time_micros Summary of time taken to fork/exec child processes\n";
  body.resize(5511);
  body += fmt::format("\nfelix_host{{host=\"{}\"}} 1\n", host);
  while (body.size() < 90'000)
    body += "felix_iptables_lines_executed{ip_version=\"4\",table=\"filter\"} 1234\n";
  return body;
}

TEST(ScriptedServer, PutsFelixHostWhereARealOneHasIt) {
  EXPECT_EQ(felix_metrics("n").find("felix_host{host=\"n\"} 1\n"), 5512u);
}

}  // namespace catflap::net::testing
