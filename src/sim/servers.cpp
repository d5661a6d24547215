#include "sim/servers.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <map>
#include <set>

#include "sim/server_answers.hpp"
#include "sim/server_tls.hpp"

namespace catflap::sim {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using namespace std::chrono_literals;

template <class T = void>
using Task = asio::awaitable<T>;
using TlsStream = asio::ssl::stream<tcp::socket>;

constexpr auto kWait = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kMostConnections = 64;  // of one server
constexpr std::size_t kMostBytes = 64u << 20;
constexpr std::size_t kMostRequest = 16u << 10;
constexpr auto kMostTime = 60s;
constexpr auto kLingers = 2s;
constexpr unsigned char kTlsHandshake = 0x16;

asio::ip::address as_asio(const IpAddress& address) {
  const auto& bytes = address.bytes();
  if (!address.is_v6()) return asio::ip::address_v4({bytes[0], bytes[1], bytes[2], bytes[3]});
  asio::ip::address_v6::bytes_type all;
  std::ranges::copy(bytes, all.begin());
  return asio::ip::address_v6(all);
}

std::optional<tcp::acceptor> bound(asio::io_context& io, const IpAddress& address, Port port) {
  const tcp::endpoint endpoint(as_asio(address), port);
  tcp::acceptor acceptor(io);
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (error) return std::nullopt;
  acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  // "[::]" is every address of both families, as with most programs that listen so.
  if (endpoint.protocol() == tcp::v6())
    acceptor.set_option(asio::ip::v6_only(!address.is_unspecified()), error);
  acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return std::nullopt;
  return acceptor;
}

/// One connection. It ends by itself, by its timer, or when its server is closed.
struct Session {
  explicit Session(tcp::socket accepted, asio::ssl::context& context)
      : stream(std::move(accepted), context), timer(stream.get_executor()) {}
  tcp::socket& socket() { return stream.next_layer(); }
  void end() {
    error_code ignored;
    socket().close(ignored);
    timer.cancel();
  }
  TlsStream stream;  // its socket alone for those that do not speak TLS
  asio::steady_timer timer;
};

struct Server {
  Server(ServerSpec spec_, asio::ssl::context context_)
      : spec(std::move(spec_)), context(std::move(context_)) {}
  ServerSpec spec;
  asio::ssl::context context;
  std::vector<tcp::acceptor> acceptors;
  std::set<std::shared_ptr<Session>> sessions;
  bool closed = false;
};

Task<> limit(std::shared_ptr<Session> session, std::chrono::milliseconds time) {
  session->timer.expires_after(time);
  const auto [error] = co_await session->timer.async_wait(kWait);
  if (!error) session->end();
}

template <class Stream>
Task<bool> write(Stream& stream, std::string bytes) {
  const auto [error, sent] = co_await asio::async_write(stream, asio::buffer(bytes), kWait);
  co_return !error;
}

/// The request's head; empty if none came.
template <class Stream>
Task<std::string> read_head(Stream& stream) {
  std::string head;
  const auto [error, size] = co_await asio::async_read_until(
      stream, asio::dynamic_buffer(head, kMostRequest), "\r\n\r\n", kWait);
  co_return error ? std::string{} : head.substr(0, size);
}

/// Lets the client read what was sent before the connection ends: what it had sent too much would
/// turn the end into a reset.
Task<> hang_up(std::shared_ptr<Session> session) {
  error_code ignored;
  session->socket().shutdown(tcp::socket::shutdown_send, ignored);
  std::string bytes(4096, '\0');
  for (std::size_t total = 0; total < kMostBytes;) {
    const auto [error, size] =
        co_await session->socket().async_read_some(asio::buffer(bytes), kWait);
    if (error) break;
    total += size;
  }
}

template <class Stream>
Task<> answer(const ServerSpec& spec, Stream& stream) {
  const auto head = co_await read_head(stream);
  if (head.empty()) co_return;
  co_await write(stream, answer_of(spec.kind, spec.node, parse_http_request(head)));
}

/// Waits for the client's first byte and leaves it where it is.
Task<std::optional<unsigned char>> first_byte(tcp::socket& socket) {
  const auto [error] = co_await socket.async_wait(tcp::socket::wait_read, kWait);
  if (error) co_return std::nullopt;
  unsigned char byte = 0;
  error_code failed;
  const auto size = socket.receive(asio::buffer(&byte, 1), tcp::socket::message_peek, failed);
  if (failed || size == 0) co_return std::nullopt;
  co_return byte;
}

Task<> play_tls(const ServerSpec& spec, Session& session) {
  const auto [refused] = co_await session.stream.async_handshake(TlsStream::server, kWait);
  if (refused) co_return;  // the alert is out
  co_await answer(spec, session.stream);
  SSL_shutdown(session.stream.native_handle());
}

Task<> play_reset(Session& session) {
  error_code ignored;
  session.socket().set_option(tcp::socket::linger(true, 0), ignored);
  session.end();
  co_return;
}

Task<> play_slow_drip(Session& session) {
  asio::steady_timer pause(session.stream.get_executor());
  const std::string text = http_answer("200 OK", std::string(4096, 'a'));
  for (const char c : text) {
    if (!co_await write(session.socket(), std::string(1, c))) co_return;
    pause.expires_after(250ms);
    co_await pause.async_wait(kWait);
  }
}

Task<> play_flood(Session& session, std::string head, std::string piece, std::size_t most) {
  if (!co_await write(session.socket(), std::move(head))) co_return;
  for (std::size_t sent = 0; sent < most; sent += piece.size())
    if (!co_await write(session.socket(), piece)) co_return;
}

std::string header_lines() {
  std::string lines;
  while (lines.size() < (64u << 10)) lines += "X-Filler: " + std::string(4000, 'x') + "\r\n";
  return lines;
}

std::string comment_lines() {
  std::string lines;
  while (lines.size() < (64u << 10)) lines += "# " + std::string(100, 'x') + "\n";
  return lines;
}

/// Until the client goes.
Task<> play_silent(Session& session) {
  std::string bytes(4096, '\0');
  for (std::size_t total = 0; total < kMostBytes;) {
    const auto [error, size] =
        co_await session.socket().async_read_some(asio::buffer(bytes), kWait);
    if (error) co_return;
    total += size;
  }
}

Task<> play(const ServerSpec& spec, Session& session) {
  const auto& kind = spec.kind;
  if (kind == "reset") co_return co_await play_reset(session);
  if (kind == "silent") co_return co_await play_silent(session);
  const auto byte = co_await first_byte(session.socket());
  if (!byte) co_return;
  const bool tls = *byte == kTlsHandshake;
  if (kind == "slow-drip") co_return co_await play_slow_drip(session);
  if (kind == "endless-body")
    co_return co_await play_flood(session, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n",
                                  comment_lines(), kMostBytes);
  if (kind == "huge-header")
    co_return co_await play_flood(session, "HTTP/1.1 200 OK\r\n", header_lines(), 4u << 20);
  if (kind == "tls-garbage") {
    // A record that says it is a handshake message, and is none.
    co_await write(session.socket(),
                   "\x16\x03\x03" + std::string("\x01\x00", 2) + std::string(256, '\xa5'));
  } else if (speaks_tls(kind)) {
    if (tls) co_return co_await play_tls(spec, session);
    co_await write(session.socket(), std::string{go_answer_to_plain_http()});
  } else if (tls) {
    co_await write(session.socket(), std::string{go_answer_to_tls()});
  } else {
    co_await answer(spec, session.socket());
  }
}

Task<> serve(std::shared_ptr<Server> server, std::shared_ptr<Session> session) {
  asio::co_spawn(session->stream.get_executor(), limit(session, kMostTime), asio::detached);
  co_await play(server->spec, *session);
  if (session->socket().is_open()) {
    session->timer.cancel();
    asio::co_spawn(session->stream.get_executor(), limit(session, kLingers), asio::detached);
    co_await hang_up(session);
  }
  session->end();
  server->sessions.erase(session);
}

Task<> accept_all(std::shared_ptr<Server> server, std::size_t nth) {
  while (!server->closed) {
    auto [error, socket] = co_await server->acceptors[nth].async_accept(kWait);
    if (server->closed || error == asio::error::operation_aborted) co_return;
    if (error || server->sessions.size() >= kMostConnections) {
      // Out of descriptors, perhaps: not again at once.
      asio::steady_timer pause(server->acceptors[nth].get_executor(), 20ms);
      if (error) co_await pause.async_wait(kWait);
      continue;
    }
    const auto session = std::make_shared<Session>(std::move(socket), server->context);
    server->sessions.insert(session);
    asio::co_spawn(session->stream.get_executor(), serve(server, session), asio::detached);
  }
}

}  // namespace

struct Servers::Impl {
  asio::io_context& io;
  MetricsCertificate certificate;
  std::map<std::uint64_t, std::shared_ptr<Server>> servers;
};

Servers::Servers(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Servers::~Servers() {
  while (!impl_->servers.empty()) close(impl_->servers.begin()->first);
}

Result<std::unique_ptr<Servers>> Servers::create(asio::io_context& io) {
  TRY_ASSIGN(auto certificate, make_metrics_certificate(RealClock().now()));
  return std::unique_ptr<Servers>(
      new Servers(std::unique_ptr<Impl>(new Impl{io, std::move(certificate), {}})));
}

std::optional<Port> Servers::open(std::uint64_t id, const ServerSpec& spec) {
  const auto server =
      std::make_shared<Server>(spec, asio::ssl::context(asio::ssl::context::tls_server));
  if (!set_up_tls(server->context.native_handle(), impl_->certificate, spec.kind))
    return std::nullopt;
  auto port = spec.port;
  for (const auto& address : spec.addresses) {
    auto acceptor = bound(impl_->io, address, port);
    if (!acceptor) return std::nullopt;
    error_code failed;
    port = acceptor->local_endpoint(failed).port();
    server->acceptors.push_back(std::move(*acceptor));
  }
  for (std::size_t i = 0; i < server->acceptors.size(); ++i)
    asio::co_spawn(impl_->io, accept_all(server, i), asio::detached);
  impl_->servers[id] = server;
  return port;
}

void Servers::close(std::uint64_t id) {
  const auto found = impl_->servers.find(id);
  if (found == impl_->servers.end()) return;
  const auto server = found->second;
  impl_->servers.erase(found);
  server->closed = true;
  for (auto& acceptor : server->acceptors) {
    error_code ignored;
    acceptor.close(ignored);
  }
  const auto sessions = server->sessions;
  for (const auto& session : sessions) session->end();
}

bool can_bind(const IpAddress& address) {
  asio::io_context io;
  return bound(io, address, 0).has_value();
}

}  // namespace catflap::sim
