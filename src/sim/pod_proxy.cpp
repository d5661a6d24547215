#include "sim/pod_proxy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <charconv>

namespace catflap::sim {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

template <class T>
using Task = asio::awaitable<T>;

constexpr auto kWait = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::seconds kDialTime{30};  // Go's, in the API server
constexpr std::size_t kMostBytes = 64u << 20;

asio::ip::address as_asio(const IpAddress& address) {
  const auto& bytes = address.bytes();
  if (!address.is_v6()) return asio::ip::address_v4({bytes[0], bytes[1], bytes[2], bytes[3]});
  asio::ip::address_v6::bytes_type all;
  std::ranges::copy(bytes, all.begin());
  return asio::ip::address_v6(all);
}

Reply unreached(std::string_view why) {
  return failure_reply(503, "ServiceUnavailable",
                       fmt::format("error trying to reach service: {}", why));
}

std::string dial_words(const error_code& error, const std::string& endpoint) {
  std::string why = "connect: " + error.message();
  if (error == asio::error::connection_refused) why = "connect: connection refused";
  if (error == asio::error::host_unreachable) why = "connect: no route to host";
  if (error == asio::error::network_unreachable) why = "connect: network is unreachable";
  if (error == asio::error::operation_aborted) why = "i/o timeout";
  return fmt::format("dial tcp {}: {}", endpoint, why);
}

std::string read_words(const error_code& error, const std::string& endpoint) {
  if (error == asio::error::eof || error == asio::ssl::error::stream_truncated) return "EOF";
  if (error == asio::error::connection_reset || error == asio::error::broken_pipe)
    return fmt::format("read tcp 127.0.0.1:40000->{}: read: connection reset by peer", endpoint);
  if (error.category() != asio::error::get_ssl_category()) return error.message();
  switch (ERR_GET_REASON(static_cast<unsigned long>(error.value()))) {
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
      return "remote error: tls: certificate required";
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
      return "remote error: tls: bad certificate";
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
      return "remote error: tls: handshake failure";
    case SSL_R_WRONG_VERSION_NUMBER:
      return "tls: first record does not look like a TLS handshake";
    default:
      return "tls: unexpected message";
  }
}

/// The request, and the answer from its first byte to its end.
template <class Stream>
Task<std::optional<Reply>> talk(Stream& stream, const ProxyRequest& request,
                                const PodRelay& relay) {
  const auto endpoint = request.endpoint.to_string();
  const auto text =
      fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: catflap\r\nConnection: close\r\n\r\n",
                  request.path, endpoint);
  (void)co_await asio::async_write(stream, asio::buffer(text), kWait);  // the read tells
  std::string bytes(16384, '\0');
  for (std::size_t total = 0; total < kMostBytes;) {
    const auto [error, size] = co_await stream.async_read_some(asio::buffer(bytes), kWait);
    if (error && total == 0) co_return unreached(read_words(error, endpoint));
    if (error) break;
    const auto piece = bytes.substr(0, size);
    if (total == 0 && !piece.starts_with(std::string_view("HTTP/1.").substr(0, size)))
      co_return unreached(
          "net/http: HTTP/1.x transport connection broken: malformed HTTP response");
    total += size;
    if (!co_await relay(piece)) break;
  }
  co_return std::nullopt;
}

}  // namespace

Task<std::optional<Reply>> proxy_to_pod(ProxyRequest request, PodRelay relay) {
  const auto executor = co_await asio::this_coro::executor;
  asio::ssl::context context(asio::ssl::context::tls_client);
  context.set_verify_mode(asio::ssl::verify_none);
  const auto shared = std::make_shared<asio::ssl::stream<tcp::socket>>(executor, context);
  auto& stream = *shared;
  auto& socket = stream.next_layer();
  const tcp::endpoint endpoint(as_asio(request.endpoint.address), request.endpoint.port);
  error_code ignored;
  socket.open(endpoint.protocol(), ignored);
  const bool v6 = request.endpoint.address.is_v6();
  const auto own = v6 ? asio::ip::address(asio::ip::address_v6::loopback())
                      : asio::ip::address(asio::ip::address_v4::loopback());
  socket.bind({own, 0}, ignored);
  asio::steady_timer timer(executor, kDialTime);
  timer.async_wait([shared](const error_code& ended) {
    error_code closing;
    if (!ended) shared->next_layer().close(closing);
  });
  const auto [refused] = co_await socket.async_connect(endpoint, kWait);
  if (refused) co_return unreached(dial_words(refused, request.endpoint.to_string()));
  if (!request.tls) co_return co_await talk(socket, request, relay);
  const auto [failed] = co_await stream.async_handshake(asio::ssl::stream_base::client, kWait);
  if (failed) co_return unreached(read_words(failed, request.endpoint.to_string()));
  co_return co_await talk(stream, request, relay);
}

std::optional<ProxyName> parse_proxy_name(std::string_view name) {
  ProxyName out;
  const auto first = name.find(':');
  const auto last = name.rfind(':');
  if (first == std::string_view::npos) return std::nullopt;
  if (first != last) {
    const auto scheme = name.substr(0, first);
    if (scheme != "http" && scheme != "https") return std::nullopt;
    out.tls = scheme == "https";
    out.pod = name.substr(first + 1, last - first - 1);
  } else {
    out.pod = name.substr(0, first);
  }
  const auto* end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data() + last + 1, end, out.port);
  if (error != std::errc{} || stop != end || out.port == 0) return std::nullopt;
  return out;
}

}  // namespace catflap::sim
