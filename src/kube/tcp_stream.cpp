// The one file that knows Asio's sockets.
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "kube/stream.hpp"

namespace catflap::kube {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr int kDeadPeerMilliseconds =
    30'000;  // unacknowledged data for that long: the connection is dead

Error network_error(const error_code& error, const std::string& subject) {
  std::string hint;
  if (error == asio::error::connection_refused) {
    hint = "is the API server running, and is this its address and port?";
  } else if (error == asio::error::timed_out || error == asio::error::host_unreachable ||
             error == asio::error::network_unreachable) {
    hint = "check the network, a VPN or a proxy (HTTPS_PROXY, proxy-url) between here and there";
  }
  return Error{.kind = ErrorKind::unreachable,
               .what = error.message(),
               .subject = subject,
               .hint = std::move(hint),
               .system_code = error.value()};
}

class TcpStream final : public Stream {
 public:
  TcpStream(asio::io_context& io, std::string peer) : socket_(io), peer_(std::move(peer)) {}

  void abort(const Error& why) override {
    if (!aborted_) aborted_ = why;
    error_code ignored;  // closing cannot fail in a way that matters: the socket is gone
    socket_.close(ignored);
  }

  Task<Result<void>> connect(const asio::ip::tcp::endpoint& endpoint) {
    if (aborted_) co_return aborted();
    error_code error;
    co_await socket_.async_connect(endpoint, asio::redirect_error(asio::use_awaitable, error));
    if (aborted_) co_return aborted();
    if (error) co_return network_error(error, peer_);
    tune();
    co_return Result<void>();
  }

  Task<Result<std::size_t>> read_some(std::span<char> into) override {
    if (aborted_) co_return aborted();
    error_code error;
    std::size_t n = co_await socket_.async_read_some(
        asio::buffer(into.data(), into.size()), asio::redirect_error(asio::use_awaitable, error));
    if (aborted_) co_return aborted();
    if (error == asio::error::eof) co_return std::size_t{0};
    if (error) co_return network_error(error, peer_);
    co_return n;
  }

  Task<Result<void>> write_all(std::string_view bytes) override {
    while (!bytes.empty()) {
      if (aborted_) co_return aborted();
      error_code error;
      std::size_t n =
          co_await socket_.async_write_some(asio::buffer(bytes.data(), bytes.size()),
                                            asio::redirect_error(asio::use_awaitable, error));
      if (aborted_) co_return aborted();
      if (error) co_return network_error(error, peer_);
      bytes.remove_prefix(n);
    }
    co_return Result<void>();
  }

  bool quiet() override {
    char byte = 0;
    return !aborted_ && ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
           (errno == EAGAIN || errno == EWOULDBLOCK);
  }

 private:
  [[nodiscard]] Error aborted() const {
    Error out = *aborted_;
    if (out.subject.empty()) out.subject = peer_;
    return out;
  }

  /// Failures here cost comfort only, so they are not looked at.
  void tune() {
    error_code ignored;
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    socket_.set_option(asio::socket_base::keep_alive(true), ignored);
    int fd = socket_.native_handle();
    int idle = 15;
    int interval = 5;
    int dead = kDeadPeerMilliseconds;
    ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
    ::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &dead, sizeof dead);
  }

  asio::ip::tcp::socket socket_;
  std::string peer_;
  std::optional<Error> aborted_;
};

}  // namespace

Task<Result<std::unique_ptr<Stream>>> connect_tcp(Scope& scope, std::string host, Port port,
                                                  Duration per_address) {
  std::vector<std::string> addresses{host};
  error_code not_numeric;
  asio::ip::make_address(host, not_numeric);
  if (not_numeric) {
    CO_TRY_ASSIGN(addresses, co_await scope.loop().resolve(scope, host));
  }
  std::optional<Error> first;
  for (const std::string& address : addresses) {
    error_code bad_address;
    asio::ip::tcp::endpoint endpoint(asio::ip::make_address(address, bad_address), port);
    if (bad_address) continue;
    std::string peer = address == host ? Endpoint{.host = host, .port = port}.authority()
                                       : fmt::format("{}:{} ({})", host, port, address);
    auto stream = std::make_unique<TcpStream>(scope.loop().io(), peer);
    Scope trial(scope);
    trial.expire_after(per_address, "the address does not answer");
    Scope::Member member(trial, *stream);
    auto connected = co_await stream->connect(endpoint);
    if (connected) co_return std::unique_ptr<Stream>(std::move(stream));
    if (scope.aborted()) co_return std::move(connected).error();
    if (trial.aborted()) connected = network_error(asio::error::timed_out, peer);
    if (!first) first = std::move(connected).error();
  }
  if (!first)
    first = Error{.kind = ErrorKind::unreachable, .what = "no usable address", .subject = host};
  co_return *std::move(first);
}

}  // namespace catflap::kube
