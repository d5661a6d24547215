// One client's connection to the embedded API server; for api_server.cpp only.
#pragma once

#include <memory>
#include <set>

#include "sim/api_handler.hpp"

namespace boost::asio {
class io_context;
}

namespace catflap::sim {

class ApiSession;

/// What the connections share. It may outlive the server: then it is closed, and the store is not
/// touched any more.
struct ApiHub {
  ApiHandler handler;
  const Clock& clock;
  const Store& store;
  ExecHandler exec;
  ForwardHandler forward;
  LogHandler logs;
  bool closed = false;
  std::set<ApiSession*> sessions;
};

class ApiSession {
 public:
  virtual ~ApiSession() = default;
  virtual void wake() = 0;   // the store may have changed
  virtual void close() = 0;  // ends it at once
};

/// Serves a connection (a connected socket's descriptor, which it takes over) until it ends.
/// `tls` is an SSL_CTX with the server's certificate.
void start_session(boost::asio::io_context& io, void* tls, int socket, std::shared_ptr<ApiHub> hub);

}  // namespace catflap::sim
