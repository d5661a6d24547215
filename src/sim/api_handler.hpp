// What the embedded API server answers to a request: who asks, may he, and what then. Knows
// neither sockets nor HTTP's grammar.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "sim/api_reply.hpp"
#include "sim/api_request.hpp"
#include "sim/exec_handler.hpp"
#include "sim/felix_log.hpp"
#include "sim/forward_frames.hpp"
#include "sim/pod_proxy.hpp"
#include "sim/users.hpp"
#include "sim/watch_feed.hpp"

namespace catflap::sim {

class ApiHandler {
 public:
  /// An answer; or a watch, an exec, a request to a pod, a forwarded port or a log that the
  /// connection then plays.
  using Answer =
      std::variant<Reply, WatchFeed, ExecRequest, ProxyRequest, ForwardRequest, LogRequest>;

  /// `version` is the server's gitVersion, "v1.33.13".
  ApiHandler(Store& store, Users users, std::string version)
      : store_(store), users_(std::move(users)), version_(std::move(version)) {}

  [[nodiscard]] Answer handle(const ApiRequest& request);

 private:
  struct Call;  // a request to an object or a list of them, understood

  [[nodiscard]] const User* user_of(const ApiRequest& request) const;
  [[nodiscard]] User impersonated(const std::string& name) const;
  [[nodiscard]] Answer handle_as(const User& user, const ApiRequest& request);
  [[nodiscard]] std::optional<Reply> discover(const ApiRequest& request) const;
  [[nodiscard]] Reply version() const;
  [[nodiscard]] Answer dispatch(const Call& call);

  [[nodiscard]] Reply get(const Call& call) const;
  [[nodiscard]] Reply list(const Call& call) const;
  [[nodiscard]] Answer watch(const Call& call) const;
  [[nodiscard]] Answer exec(const Call& call) const;
  [[nodiscard]] Answer log(const Call& call) const;
  [[nodiscard]] Answer proxy(const Call& call) const;
  [[nodiscard]] Answer forward(const Call& call) const;
  [[nodiscard]] Reply create(const Call& call);
  [[nodiscard]] Reply change(const Call& call);
  [[nodiscard]] Reply remove(const Call& call);

  Store& store_;
  Users users_;
  std::string version_;
};

}  // namespace catflap::sim
