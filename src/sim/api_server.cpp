#include "sim/api_server.hpp"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include "sim/api_session.hpp"
#include "sim/certificates.hpp"

namespace catflap::sim {

namespace asio = boost::asio;
using asio::ip::tcp;

struct ApiServer::Impl : std::enable_shared_from_this<Impl> {
  Impl(asio::io_context& context, std::shared_ptr<ApiHub> shared)
      : io(context), acceptor(context), hub(std::move(shared)) {}

  Result<void> listen(std::uint16_t port);
  void accept();

  asio::io_context& io;
  asio::ssl::context tls{asio::ssl::context::tls_server};
  tcp::acceptor acceptor;
  std::string ca_pem;
  std::shared_ptr<ApiHub> hub;
};

Result<void> ApiServer::Impl::listen(std::uint16_t port) {
  const tcp::endpoint where(asio::ip::address_v4::loopback(), port);
  boost::system::error_code error;
  acceptor.open(where.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(where, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (!error) return {};
  return Error{.kind = ErrorKind::unreachable,
               .what = error.message(),
               .subject = fmt::format("127.0.0.1:{}", port),
               .system_code = error.value()};
}

void ApiServer::Impl::accept() {
  acceptor.async_accept(
      [self = shared_from_this()](boost::system::error_code error, tcp::socket socket) {
        if (self->hub->closed || error == asio::error::operation_aborted) return;
        boost::system::error_code ignored;
        if (!error) socket.set_option(tcp::no_delay(true), ignored);
        if (!error) start_session(self->io, self->tls.native_handle(), socket.release(), self->hub);
        self->accept();
      });
}

Result<std::unique_ptr<ApiServer>> ApiServer::open(asio::io_context& io, Store& store, Users users,
                                                   const Options& options) {
  auto hub = std::make_shared<ApiHub>(
      ApiHub{.handler = ApiHandler(store, std::move(users), options.version),
             .clock = store.clock(),
             .store = store});
  auto impl = std::make_shared<Impl>(io, std::move(hub));
  TRY_ASSIGN(auto certificate, make_server_certificate(store.clock().now()));
  impl->ca_pem = std::move(certificate.ca_pem);
  SSL_CTX* tls = impl->tls.native_handle();
  if (SSL_CTX_use_certificate(tls, certificate.leaf.get()) != 1 ||
      SSL_CTX_use_PrivateKey(tls, certificate.key.get()) != 1)
    return Error{.kind = ErrorKind::internal, .what = "OpenSSL refuses its own certificate"};
  TRY(impl->listen(options.port));
  impl->accept();
  return std::unique_ptr<ApiServer>(new ApiServer(std::move(impl)));
}

ApiServer::ApiServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

ApiServer::~ApiServer() {
  impl_->hub->closed = true;
  boost::system::error_code ignored;
  impl_->acceptor.close(ignored);
  for (auto* session : impl_->hub->sessions) session->close();
}

std::string ApiServer::url() const {
  boost::system::error_code ignored;
  return fmt::format("https://127.0.0.1:{}", impl_->acceptor.local_endpoint(ignored).port());
}

const std::string& ApiServer::ca_pem() const {
  return impl_->ca_pem;
}

void ApiServer::set_exec_handler(ExecHandler handler) {
  impl_->hub->exec = std::move(handler);
}

void ApiServer::set_forward_handler(ForwardHandler handler) {
  impl_->hub->forward = std::move(handler);
}

void ApiServer::set_log_handler(LogHandler handler) {
  impl_->hub->logs = std::move(handler);
}

void ApiServer::notify() {
  for (auto* session : impl_->hub->sessions) session->wake();
}

}  // namespace catflap::sim
