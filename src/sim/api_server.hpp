// The embedded cluster's API server: HTTPS on the loopback interface over a Store. It speaks what
// catflap and kubectl need of the Kubernetes API, in HTTP/1.1.
// Everything runs on the io_context's thread, and so must every call of this class.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "sim/exec_handler.hpp"
#include "sim/felix_log.hpp"
#include "sim/forward_frames.hpp"
#include "sim/store.hpp"
#include "sim/users.hpp"

namespace boost::asio {
class io_context;
}

namespace catflap::sim {

class ApiServer {
 public:
  struct Options {
    std::uint16_t port = 0;            // 0: any
    std::string version = "v1.33.13";  // gitVersion of /version
  };

  /// Listens at once, answers while `io` runs. `io` and `store` must outlive it. unreachable: the
  /// port cannot be had.
  [[nodiscard]] static Result<std::unique_ptr<ApiServer>> open(boost::asio::io_context& io,
                                                               Store& store, Users users,
                                                               const Options& options);
  /// Ends every connection.
  ~ApiServer();
  ApiServer(const ApiServer&) = delete;
  ApiServer& operator=(const ApiServer&) = delete;

  [[nodiscard]] std::string url() const;  // https://127.0.0.1:PORT
  [[nodiscard]] const std::string& ca_pem() const;

  /// Without a handler no container has any program.
  void set_exec_handler(ExecHandler handler);
  /// Without a handler nothing listens in any pod.
  void set_forward_handler(ForwardHandler handler);
  /// Without a handler no logs are served.
  void set_log_handler(LogHandler handler);
  /// The store has changed without a request: watches are told. (Writes of clients tell them
  /// anyway.)
  void notify();

 private:
  struct Impl;
  explicit ApiServer(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace catflap::sim
