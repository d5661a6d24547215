// TestServer: an HTTP(S) server on 127.0.0.1 that does exactly what a test's handler says, byte by
// byte if it must. One thread per connection, ended with the server. The certificate is made for
// each server, in memory.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace catflap::test {

struct TestRequest {
  std::string method;
  std::string target;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  int connection = 0;  // 1 is the first
  [[nodiscard]] std::string header(const std::string& lower_name) const;
};

/// The server's side of one connection, for the handler.
class TestConnection {
 public:
  virtual ~TestConnection() = default;
  virtual void send(std::string_view bytes) = 0;
  /// What the client sent since; "" at its end or the server's.
  virtual std::string receive() = 0;
  /// Cuts the connection without an orderly end.
  virtual void cut() = 0;
  /// Becomes a tunnel to a port of a loopback address until one side ends.
  virtual void splice_to(int port, const char* address = "127.0.0.1") = 0;

  /// A whole answer with Content-Length; `headers` as "Name: value\r\n…".
  void answer(int status, std::string_view body,
              std::string_view headers = "Content-Type: application/json\r\n");
  /// The head of a chunked answer, then chunks, then end_chunks().
  void begin_chunks(std::string_view headers = "");
  void chunk(std::string_view bytes);
  void end_chunks();
};

enum class TestTls { plain, https, https_expired, https_wants_client };

class TestServer {
 public:
  using Handler = std::function<void(const TestRequest&, TestConnection&)>;
  explicit TestServer(Handler handler, TestTls tls = TestTls::https,
                      std::string address = "127.0.0.1");
  ~TestServer();
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::string url() const;
  /// The server's own certificate, which is also its CA; for its address and test.invalid.
  [[nodiscard]] const std::string& ca_pem() const { return ca_pem_; }
  [[nodiscard]] const std::string& key_pem() const { return key_pem_; }
  [[nodiscard]] int connections() const { return connections_; }
  /// No new connections from now on; the ones that are stay.
  void stop_listening();
  /// On the same port as before.
  void listen_again();

 private:
  void accept_loop();
  void serve(int fd, int number);

  Handler handler_;
  TestTls tls_;
  std::string address_;
  std::string ca_pem_;
  std::string key_pem_;
  std::shared_ptr<void> context_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> connections_{0};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> listening_{true};
  std::mutex mutex_;
  std::vector<std::thread> workers_;
  std::thread acceptor_;
};

/// Many containers have no IPv6, not even ::1.
[[nodiscard]] bool has_ipv6();

/// For answers with Content-Encoding: gzip.
[[nodiscard]] std::string gzip(const std::string& text);

}  // namespace catflap::test
