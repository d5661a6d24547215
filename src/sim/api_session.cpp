// HTTP/1.1 over TLS, one coroutine a connection. A watch is an answer that does not end, an exec an
// answer that is not HTTP any more; while the client must only listen, anything that comes from it
// ends the connection.
#include "sim/api_session.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include "base/check.hpp"
#include "base/text.hpp"
#include "kube/websocket.hpp"
#include "sim/certificates.hpp"
#include "sim/exec_frames.hpp"

namespace catflap::sim {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

namespace {

constexpr std::uint32_t kMaxHead = 64u << 10;
constexpr std::uint64_t kMaxBody = 3u << 20;
constexpr std::size_t kWorthCompressing = 128u << 10;
constexpr Duration kBookmarkEvery = std::chrono::seconds{60};
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

template <class T>
using Task = asio::awaitable<T>;

std::string_view reason_phrase(int status) {
  const auto phrase = http::obsolete_reason(static_cast<http::status>(status));
  return {phrase.data(), phrase.size()};
}

/// "Sun, 06 Nov 1994 08:49:37 GMT".
std::string http_date(TimePoint time) {
  const auto seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[64];
  return {text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts)};
}

std::string gzip(const std::string& text) {
  constexpr int kGzip = 15 + 16;
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    return {};
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const bool done = deflate(&stream, Z_FINISH) == Z_STREAM_END;
  out.resize(done ? stream.total_out : 0);
  deflateEnd(&stream);
  return out;
}

std::string chunk(const std::string& text) {
  return fmt::format("{:x}\r\n{}\r\n", text.size(), text);
}

ApiRequest request_of(http::request<http::string_body>&& message) {
  ApiRequest request{.method = std::string{message.method_string()}};
  for (const auto& field : message)
    request.headers[to_lower({field.name_string().data(), field.name_string().size()})] =
        std::string{field.value()};
  request.body = std::move(message.body());
  return request;
}

class Session final : public ApiSession, public std::enable_shared_from_this<Session> {
 public:
  Session(asio::io_context& io, SSL_CTX* tls, int socket, std::shared_ptr<ApiHub> hub)
      : context_(share(tls)),
        stream_(tcp::socket(io, tcp::v4(), socket), context_),
        timer_(io),
        hub_(std::move(hub)) {
    hub_->sessions.insert(this);
  }
  ~Session() override { hub_->sessions.erase(this); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void wake() override { timer_.cancel(); }
  void close() override {
    boost::system::error_code ignored;
    stream_.lowest_layer().close(ignored);
    timer_.cancel();
  }

  Task<void> run() {
    auto [failed] = co_await stream_.async_handshake(asio::ssl::stream_base::server, kAwait);
    bool more = !failed;
    while (more && !hub_->closed) more = co_await serve_one();
    close();
  }

 private:
  using Parser = http::request_parser<http::string_body>;

  /// asio's context frees what it holds.
  static asio::ssl::context share(SSL_CTX* tls) {
    SSL_CTX_up_ref(tls);
    return asio::ssl::context(tls);
  }

  /// True: the connection is good for another request.
  Task<bool> serve_one() {
    Parser parser;
    parser.header_limit(kMaxHead);
    parser.body_limit(kMaxBody);
    auto [error, n] = co_await http::async_read(stream_, buffer_, parser, kAwait);
    if (error) co_return co_await refuse(error);
    if (hub_->closed) co_return false;
    const bool keep = parser.get().keep_alive();
    const auto target = std::string{parser.get().target()};
    auto request = request_of(parser.release());
    if (!read_target(target, request))
      co_return co_await send(request, bad_request("the request's target is not one")) && keep;
    auto answer = answer_to(request);
    if (request.method != "GET")
      for (auto* session : hub_->sessions) session->wake();
    if (auto* reply = std::get_if<Reply>(&answer)) co_return co_await send(request, *reply) && keep;
    if (auto* feed = std::get_if<WatchFeed>(&answer)) co_return co_await watch(*feed) && keep;
    if (const auto* wanted = std::get_if<ProxyRequest>(&answer))
      co_return co_await proxy(request, *wanted) && keep;
    if (const auto* wanted = std::get_if<LogRequest>(&answer)) {
      const auto reply = hub_->logs ? hub_->logs(*wanted) : unknown_resource();
      co_return co_await send(request, reply) && keep;
    }
    if (const auto* wanted = std::get_if<ForwardRequest>(&answer)) {
      co_await forward(request, *wanted);
      co_return false;
    }
    co_await exec(request, std::get<ExecRequest>(answer));
    co_return false;
  }

  /// A library's exception is the end of a request, not of the server.
  ApiHandler::Answer answer_to(const ApiRequest& request) {
    try {
      return hub_->handler.handle(request);
    } catch (const std::exception& thrown) {
      return failure_reply(500, "InternalError",
                           fmt::format("Internal error occurred: {}", thrown.what()));
    }
  }

  Task<bool> refuse(boost::system::error_code error) {
    std::optional<Reply> reply;
    if (error == http::error::body_limit)
      reply = failure_reply(413, "RequestEntityTooLarge",
                            fmt::format("Request entity too large: limit is {}", kMaxBody),
                            json::object{});
    else if (error == http::error::header_limit)
      reply = text_reply("request header fields too large\n", 431);
    else if (error.category() == http::make_error_code(http::error::bad_version).category() &&
             error != http::error::end_of_stream && error != http::error::partial_message)
      reply = text_reply("400 Bad Request\n", 400);
    if (!reply) co_return false;
    // Named: GCC 12 destroys an aggregate's temporary in a co_await twice.
    const ApiRequest nothing;
    co_await send(nothing, *reply, "Connection: close\r\n");
    co_return false;
  }

  [[nodiscard]] std::string head(int status, std::string_view more) const {
    return fmt::format(
        "HTTP/1.1 {} {}\r\nAudit-Id: {}\r\nCache-Control: no-cache, private\r\nDate: {}\r\n{}\r\n",
        status, reason_phrase(status), make_uuid(), http_date(hub_->clock.now()), more);
  }

  Task<bool> write(std::string text) {
    auto [error, n] = co_await asio::async_write(stream_, asio::buffer(text), kAwait);
    co_return !error && !hub_->closed;
  }

  Task<bool> send(const ApiRequest& request, const Reply& reply, std::string more = {}) {
    std::string packed;
    if (reply.body.size() > kWorthCompressing &&
        request.header("accept-encoding").find("gzip") != std::string::npos)
      packed = gzip(reply.body);
    if (!packed.empty()) more += "Content-Encoding: gzip\r\nVary: Accept-Encoding\r\n";
    const auto& body = packed.empty() ? reply.body : packed;
    auto text = head(reply.status, fmt::format("Content-Type: {}\r\nContent-Length: {}\r\n{}",
                                               reply.content_type, body.size(), more));
    text += body;
    co_return co_await write(std::move(text));
  }

  /// From now on a byte (or the end) from the client sets gone_ and wakes the coroutine.
  void listen_for_the_end() {
    stream_.lowest_layer().async_wait(tcp::socket::wait_read,
                                      [self = shared_from_this()](boost::system::error_code error) {
                                        if (error == asio::error::operation_aborted) return;
                                        self->gone_ = true;
                                        self->timer_.cancel();
                                      });
  }

  Task<bool> watch(WatchFeed& feed) {
    using Time = std::chrono::steady_clock;
    if (!co_await write(head(200,
                             "Content-Type: application/json\r\n"
                             "Transfer-Encoding: chunked\r\n")))
      co_return false;
    listen_for_the_end();
    const auto end = Time::now() + feed.timeout();
    auto next_bookmark = Time::now() + kBookmarkEvery;
    while (!gone_ && !hub_->closed) {
      auto lines = feed.take();
      if (Time::now() >= next_bookmark) {
        next_bookmark = Time::now() + kBookmarkEvery;
        lines += feed.bookmark();
      }
      if (!lines.empty() && !co_await write(chunk(lines))) co_return false;
      if (feed.is_over() || Time::now() >= end) break;
      if (!lines.empty()) continue;  // more may have happened meanwhile
      timer_.expires_at(std::min(end, next_bookmark));
      co_await timer_.async_wait(kAwait);
    }
    if (gone_ || hub_->closed) co_return false;
    boost::system::error_code ignored;
    stream_.lowest_layer().cancel(ignored);
    co_return co_await write("0\r\n\r\n");
  }

  /// True: the pod was not reached, the answer is ours.
  Task<bool> proxy(const ApiRequest& request, const ProxyRequest& wanted) {
    const PodRelay relay = [this](std::string bytes) { return write(std::move(bytes)); };
    const auto reply = co_await proxy_to_pod(wanted, relay);
    if (!reply) co_return false;
    co_return co_await send(request, *reply);
  }

  Task<bool> upgrade(const ApiRequest& request, const std::string& protocol) {
    const auto accept = kube::websocket_accept(request.header("sec-websocket-key"));
    auto hello = fmt::format(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: {}\r\nSec-WebSocket-Protocol: {}\r\n\r\n",
        accept, protocol);
    co_return co_await write(std::move(hello));
  }

  Task<void> forward(const ApiRequest& request, const ForwardRequest& wanted) {
    const bool offered = offers_forward_protocol(request.header("sec-websocket-protocol"));
    if (!offered || !equal_ignoring_case(request.header("upgrade"), "websocket")) {
      const auto refused = text_reply("", 403);  // so does the real one
      co_await send(request, refused);
      co_return;
    }
    if (!co_await upgrade(request, "v4.channel.k8s.io")) co_return;
    if (!co_await write(forward_opening(wanted.port))) co_return;
    const auto play = hub_->forward ? hub_->forward(wanted) : ForwardPlay{};
    if (play.hangs) co_return co_await drain(false);
    if (play.target) {
      const auto asked = co_await client_data();
      if (!co_await write(forward_answer(*play.target, asked))) co_return;
    } else if (!co_await write(forward_refusal(wanted.port))) {
      co_return;
    }
    co_await drain(true);
  }

  /// A request's head, or the beginning of something else.
  Task<std::string> client_data() {
    std::string frames;
    std::string data;
    std::string buffer(4096, '\0');
    while (data.size() < kMaxHead && data.find("\r\n\r\n") == std::string::npos) {
      if (!data.empty() && data[0] == '\x16') break;  // TLS
      auto [error, n] = co_await stream_.async_read_some(asio::buffer(buffer), kAwait);
      if (error || hub_->closed) break;
      frames += buffer.substr(0, n);
      data += take_client_data(frames);
    }
    co_return data;
  }

  Task<void> exec(const ApiRequest& request, const ExecRequest& command) {
    const auto protocol = exec_protocol(request.header("sec-websocket-protocol"));
    const bool asked = equal_ignoring_case(request.header("upgrade"), "websocket");
    if (!asked || protocol.empty()) {
      co_await send(request, bad_request("unable to upgrade: exec needs a WebSocket with "
                                         "v5.channel.k8s.io or v4.channel.k8s.io"));
      co_return;
    }
    if (!co_await upgrade(request, protocol)) co_return;
    std::optional<std::string> frames;
    if (!hub_->exec)
      frames = unknown_program_frames(protocol, command);
    else if (const auto answer = hub_->exec(command))
      frames = exec_frames(protocol, command, *answer);
    if (frames && !co_await write(*std::move(frames))) co_return;
    co_await drain(frames.has_value());
  }

  /// Reads and drops what the client still says, until it is gone; after an answer not for long.
  Task<void> drain(bool answered) {
    if (answered) {
      timer_.expires_after(std::chrono::seconds{5});
      timer_.async_wait([self = shared_from_this()](boost::system::error_code error) {
        if (!error) self->close();
      });
    }
    std::string buffer(4096, '\0');
    while (!hub_->closed) {
      auto [error, n] = co_await stream_.async_read_some(asio::buffer(buffer), kAwait);
      const bool closing = n > 0 && (buffer[0] & 0x0f) == 8;
      if (error || closing) break;
    }
  }

  asio::ssl::context context_;
  asio::ssl::stream<tcp::socket> stream_;
  asio::steady_timer timer_;
  boost::beast::flat_buffer buffer_;
  std::shared_ptr<ApiHub> hub_;
  bool gone_ = false;
};

Task<void> run_session(std::shared_ptr<Session> session) {
  co_await session->run();
}

}  // namespace

void start_session(asio::io_context& io, void* tls, int socket, std::shared_ptr<ApiHub> hub) {
  auto session = std::make_shared<Session>(io, static_cast<SSL_CTX*>(tls), socket, std::move(hub));
  asio::co_spawn(io, run_session(std::move(session)), [](std::exception_ptr error) {
    CHECK(error == nullptr, "a connection of the API server threw");
  });
}

}  // namespace catflap::sim
