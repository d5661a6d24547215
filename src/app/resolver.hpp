// Names to addresses, many at once: one that nobody answers for holds up neither the others nor a
// stop request.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"

namespace catflap::app {

using Addresses = std::vector<IpAddress>;
using LookUp = std::function<Result<Addresses>(const std::string& name)>;

/// The addresses of a name, as the system resolves it, each once. Blocks.
[[nodiscard]] Result<Addresses> resolve_name(const std::string& name);

class Resolver {
 public:
  struct Bounds {
    std::size_t threads = 16;  // names looked up at once
    std::size_t ahead = 1024;  // names that wait
    Duration each{std::chrono::seconds{10}};
  };
  using Take = std::function<void(Result<Addresses> found)>;

  /// `look_up` may be running still, and must stay callable, when the Resolver is gone.
  Resolver(LookUp look_up, const Bounds& bounds, const std::stop_token& stop);
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  /// Does not wait for names that are being looked up.
  ~Resolver();

  /// Waits while so many names wait as may. False after a stop request, or if this machine has no
  /// thread for it.
  [[nodiscard]] bool put(std::string name, Take take);
  /// No more will be put.
  void close();
  /// Calls each name's `take`, here, with its addresses or why there are none, in the order in
  /// which they are found or their time is up. Until all are taken after close(), or a stop
  /// request.
  void run();

 private:
  struct Shared;
  static void work(const std::shared_ptr<Shared>& shared);
  std::shared_ptr<Shared> shared_;
  std::unique_ptr<std::stop_callback<std::function<void()>>> on_stop_;
};

}  // namespace catflap::app
