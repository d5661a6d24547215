#include "support/http_test_server.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include <cctype>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <utility>

namespace catflap::test {

namespace {

constexpr int kPollMilliseconds = 20;

void must(bool condition, const char* what) {
  if (!condition) throw std::runtime_error(std::string("TestServer: ") + what);
}

std::string pem_of(const std::function<int(BIO*)>& write) {
  BIO* bio = BIO_new(BIO_s_mem());
  write(bio);
  char* data = nullptr;
  long size = BIO_get_mem_data(bio, &data);
  std::string out(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return out;
}

void add_extension(X509* certificate, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  must(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1, "extension");
  X509_EXTENSION_free(extension);
}

struct Pair {
  X509* certificate;
  EVP_PKEY* key;
};

Pair make_certificate(long valid_seconds, const std::string& address) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -7200);
  X509_gmtime_adj(X509_getm_notAfter(certificate), valid_seconds);
  X509_NAME* name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
  X509_set_issuer_name(certificate, name);
  X509_set_pubkey(certificate, key);
  std::string names = fmt::format("IP:{},DNS:test.invalid", address);
  add_extension(certificate, NID_subject_alt_name, names.c_str());
  add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
  must(X509_sign(certificate, key, EVP_sha256()) > 0, "signature");
  return {certificate, key};
}

/// A loopback address as the sockets take it.
struct Loopback {
  sockaddr_storage storage{};
  socklen_t size = 0;

  Loopback(const std::string& address, int port) {
    auto* four = reinterpret_cast<sockaddr_in*>(&storage);
    auto* six = reinterpret_cast<sockaddr_in6*>(&storage);
    bool v6 = ::inet_pton(AF_INET6, address.c_str(), &six->sin6_addr) == 1;
    storage.ss_family = v6 ? AF_INET6 : AF_INET;
    // The port stands at the same place in both.
    four->sin_port = htons(static_cast<std::uint16_t>(port));
    if (!v6) must(::inet_pton(AF_INET, address.c_str(), &four->sin_addr) == 1, "address");
    size = v6 ? sizeof *six : sizeof *four;
  }
  [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  [[nodiscard]] int port() const {
    return ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
  }
};

class Connection final : public TestConnection {
 public:
  Connection(int fd, SSL_CTX* context, const std::atomic<bool>& stopping)
      : fd_(fd), stopping_(stopping) {
    if (context == nullptr) return;
    ssl_ = SSL_new(context);
    SSL_set_fd(ssl_, fd_);
  }
  ~Connection() override {
    if (ssl_ != nullptr && fd_ >= 0 && shaken_) SSL_shutdown(ssl_);
    if (ssl_ != nullptr) SSL_free(ssl_);
    if (fd_ >= 0) ::close(fd_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  bool handshake() {
    if (ssl_ == nullptr) return true;
    if (!wait_readable()) return false;
    shaken_ = SSL_accept(ssl_) == 1;
    ERR_clear_error();
    if (!shaken_) linger_after_alert();
    return shaken_;
  }

  void send(std::string_view bytes) override {
    while (!bytes.empty() && fd_ >= 0) {
      ssize_t n = ssl_ != nullptr ? SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()))
                                  : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) {
        ERR_clear_error();
        return;
      }
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }

  std::string receive() override {
    if (fd_ < 0 || !wait_readable()) return {};
    char buffer[16384];
    ssize_t n = ssl_ != nullptr ? SSL_read(ssl_, buffer, sizeof buffer)
                                : ::recv(fd_, buffer, sizeof buffer, 0);
    ERR_clear_error();
    return n > 0 ? std::string(buffer, static_cast<std::size_t>(n)) : std::string();
  }

  void cut() override {
    linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    ::close(fd_);
    fd_ = -1;
  }

  void splice_to(int port, const char* address) override {
    Loopback where(address, port);
    int other = ::socket(where.get()->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool open = ::connect(other, where.get(), where.size) == 0;
    while (open && !stopping_) {
      bool decrypted = ssl_ != nullptr && SSL_pending(ssl_) > 0;
      pollfd fds[2] = {{fd_, POLLIN, 0}, {other, POLLIN, 0}};
      ::poll(fds, 2, decrypted ? 0 : kPollMilliseconds);
      if (decrypted || fds[0].revents != 0) {
        std::string bytes = receive();
        open = !bytes.empty() && ::send(other, bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0;
      }
      if (!open || fds[1].revents == 0) continue;
      char buffer[16384];
      ssize_t n = ::recv(other, buffer, sizeof buffer, 0);
      open = n > 0;
      if (open) send({buffer, static_cast<std::size_t>(n)});
    }
    ::close(other);
  }

 private:
  /// Closing with unread bytes would send a reset, and the client would lose the alert that says
  /// why.
  void linger_after_alert() {
    ::shutdown(fd_, SHUT_WR);
    char buffer[4096];
    while (wait_readable() && ::recv(fd_, buffer, sizeof buffer, 0) > 0) {
    }
  }

  bool wait_readable() {
    if (ssl_ != nullptr && SSL_pending(ssl_) > 0) return true;
    while (!stopping_) {
      pollfd fd{fd_, POLLIN, 0};
      if (::poll(&fd, 1, kPollMilliseconds) > 0) return true;
    }
    return false;
  }

  int fd_;
  const std::atomic<bool>& stopping_;
  SSL* ssl_ = nullptr;
  bool shaken_ = false;
};

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

/// Takes one request out of `buffer`, receiving what is missing; false at the end of the
/// connection.
bool read_request(TestConnection& connection, std::string& buffer, TestRequest& request) {
  auto fill = [&] {
    std::string more = connection.receive();
    buffer += more;
    return !more.empty();
  };
  std::size_t end = 0;
  while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
    if (!fill()) return false;
  }
  std::string head = buffer.substr(0, end + 2);
  buffer.erase(0, end + 4);
  std::size_t line_end = head.find("\r\n");
  std::string line = head.substr(0, line_end);
  request.method = line.substr(0, line.find(' '));
  request.target =
      line.substr(request.method.size() + 1, line.rfind(' ') - request.method.size() - 1);
  for (std::size_t at = line_end + 2; at < head.size();) {
    std::size_t next = head.find("\r\n", at);
    std::size_t colon = head.find(": ", at);
    std::string name = lower(head.substr(at, colon - at));
    std::string value = head.substr(colon + 2, next - colon - 2);
    std::string& slot = request.headers[name];
    slot += slot.empty() ? value : "|" + value;
    at = next + 2;
  }
  std::size_t length = std::strtoul(request.header("content-length").c_str(), nullptr, 10);
  while (buffer.size() < length) {
    if (!fill()) return false;
  }
  request.body = buffer.substr(0, length);
  buffer.erase(0, length);
  return true;
}

}  // namespace

std::string TestRequest::header(const std::string& lower_name) const {
  auto found = headers.find(lower_name);
  return found == headers.end() ? std::string() : found->second;
}

void TestConnection::answer(int status, std::string_view body, std::string_view headers) {
  send(fmt::format("HTTP/1.1 {} X\r\nContent-Length: {}\r\n{}\r\n{}", status, body.size(), headers,
                   body));
}

void TestConnection::begin_chunks(std::string_view headers) {
  send(fmt::format("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n{}\r\n", headers));
}

void TestConnection::chunk(std::string_view bytes) {
  send(fmt::format("{:x}\r\n{}\r\n", bytes.size(), bytes));
}

void TestConnection::end_chunks() {
  send("0\r\n\r\n");
}

TestServer::TestServer(Handler handler, TestTls tls, std::string address)
    : handler_(std::move(handler)), tls_(tls), address_(std::move(address)) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to sockets that tests close
  Pair pair = make_certificate(tls == TestTls::https_expired ? -3600 : 3600, address_);
  ca_pem_ = pem_of([&](BIO* bio) { return PEM_write_bio_X509(bio, pair.certificate); });
  key_pem_ = pem_of([&](BIO* bio) {
    return PEM_write_bio_PrivateKey(bio, pair.key, nullptr, nullptr, 0, nullptr, nullptr);
  });
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  context_ =
      std::shared_ptr<void>(context, [](void* p) { SSL_CTX_free(static_cast<SSL_CTX*>(p)); });
  SSL_CTX_use_certificate(context, pair.certificate);
  SSL_CTX_use_PrivateKey(context, pair.key);
  if (tls == TestTls::https_wants_client) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), pair.certificate);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  X509_free(pair.certificate);
  EVP_PKEY_free(pair.key);

  listen_again();
}

void TestServer::listen_again() {
  Loopback where(address_, port_);
  listener_ = ::socket(where.get()->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int on = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  must(::bind(listener_, where.get(), where.size) == 0 && ::listen(listener_, 64) == 0 &&
           ::getsockname(listener_, where.get(), &where.size) == 0,
       "listen");
  port_ = where.port();
  listening_ = true;
  acceptor_ = std::thread([this] { accept_loop(); });
}

TestServer::~TestServer() {
  stopping_ = true;
  stop_listening();
  for (std::thread& worker : workers_) worker.join();
}

void TestServer::stop_listening() {
  listening_ = false;
  if (acceptor_.joinable()) acceptor_.join();
  if (listener_ >= 0) ::close(std::exchange(listener_, -1));
}

std::string TestServer::url() const {
  bool v6 = address_.find(':') != std::string::npos;
  return fmt::format("{}://{}:{}", tls_ == TestTls::plain ? "http" : "https",
                     v6 ? "[" + address_ + "]" : address_, port_);
}

void TestServer::accept_loop() {
  while (listening_) {
    pollfd fd{listener_, POLLIN, 0};
    if (::poll(&fd, 1, kPollMilliseconds) <= 0) continue;
    int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    int number = ++connections_;
    std::lock_guard lock(mutex_);
    workers_.emplace_back([this, client, number] { serve(client, number); });
  }
}

void TestServer::serve(int fd, int number) {
  auto* context = tls_ == TestTls::plain ? nullptr : static_cast<SSL_CTX*>(context_.get());
  Connection connection(fd, context, stopping_);
  if (!connection.handshake()) return;
  std::string buffer;
  for (;;) {
    TestRequest request{.connection = number};
    if (!read_request(connection, buffer, request)) return;
    handler_(request, connection);
    if (request.header("connection") == "Upgrade" || request.method == "CONNECT") return;
  }
}

bool has_ipv6() {
  Loopback where("::1", 0);
  int fd = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  bool bound = fd >= 0 && ::bind(fd, where.get(), where.size) == 0;
  if (fd >= 0) ::close(fd);
  return bound;
}

std::string gzip(const std::string& text) {
  z_stream z{};
  deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(text.size() + 1000, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

}  // namespace catflap::test
