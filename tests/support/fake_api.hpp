// FakeApi: kube::Api for unit tests, one client of a FakeCluster, with a request log and faults to
// order. Time stands still except in run_until(), which winds the cluster's ManualClock by 50 ms a
// turn and calls `tick`, so that a test can play controllers in time.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kube/api.hpp"
#include "support/fake_cluster.hpp"

namespace catflap::kube {

/// One request as the client sent it.
struct FakeRequest {
  std::string verb;  // get, list, watch, create, patch, delete, exec, proxy, log, forward, raw
  Resource resource;
  std::string namespace_;
  std::string name;  // a raw request's path
  json::value body;  // of create and patch
  bool dry_run = false;
  std::string error;  // the ErrorKind it was answered with; empty: success
  /// "patch daemonsets.apps kube-system/calico-node".
  [[nodiscard]] std::string to_string() const;
};

/// What goes wrong, and when. Counted over the requests that match from the moment it is given.
struct Fault {
  enum class When {
    before,  // the server never sees the request
    after,   // the server has done it; only the answer is lost
  };
  std::string verb;  // of FakeRequest; "write": create, patch or delete without dry-run; empty: any
  std::string plural;  // empty: any
  int nth = 1;
  int times = 1;  // that many in a row; 0: for ever
  When when = When::before;
  std::optional<Error> error;    // none: only `action` happens
  std::function<void()> action;  // somebody else's doing at that moment
  int seen = 0;                  // counted by FakeApi
};

class FakeApi final : public Api {
 public:
  explicit FakeApi(ManualClock& clock) : FakeApi(std::make_shared<FakeCluster>(clock)) {}
  /// One more client of the same cluster.
  explicit FakeApi(std::shared_ptr<FakeCluster> cluster);
  ~FakeApi() override;

  [[nodiscard]] FakeCluster& cluster() { return *cluster_; }
  [[nodiscard]] std::shared_ptr<FakeCluster> shared_cluster() { return cluster_; }

  // Settings of a test.

  ServerInfo server_info{.server = "https://127.0.0.1:6443",
                         .cluster_name = "test",
                         .user_name = "tester",
                         .namespace_ = "default"};
  std::map<std::string, json::value> raw;                         // what get_raw answers
  std::function<Result<ExecOutput>(const ExecCall&)> on_exec;     // none: every exec is forbidden
  std::function<Result<ProxyAnswer>(const ProxyCall&)> on_proxy;  // none: forbidden
  std::function<Result<ForwardAnswer>(const ForwardCall&)> on_forward;  // none: forbidden
  std::function<Result<std::string>(const LogCall&)> on_log;            // none: forbidden
  std::function<void()> tick;  // after every 50 ms of run_until
  Duration skew{};

  void inject(Fault fault) { faults_.push_back(std::move(fault)); }
  /// Every such request is answered with 403 from now on. `plural` empty: every resource.
  void deny(const std::string& verb, const std::string& plural);
  /// kill -9 at the nth write of this client (dry-runs do not count): what comes after, teardown
  /// included, reaches nothing. With `after` that write itself still does.
  void die_at_write(int nth, Fault::When when);
  [[nodiscard]] bool dead() const { return dead_; }
  /// The stop token of a real client fires: run_until returns `stopped`, and every request
  /// `interrupted`.
  void request_stop() { stop_ = true; }
  /// Every watch loses its connection. Then it lists again (trouble, what is there now as added,
  /// synced), or goes on where it stood (trouble, resumed).
  enum class Then { list, resume };
  void break_watches(Then then = Then::list);

  [[nodiscard]] const std::vector<FakeRequest>& requests() const { return requests_; }
  /// The writes that the server did, without dry-runs, e.g. "patch daemonsets.apps
  /// kube-system/calico-node".
  [[nodiscard]] std::vector<std::string> writes() const;
  void forget_requests() { requests_.clear(); }

  // kube::Api

  [[nodiscard]] const ServerInfo& info() const override { return server_info; }
  [[nodiscard]] Result<json::value> get_raw(const std::string& path) override;
  [[nodiscard]] Result<json::object> get(const ObjectRef& ref) override;
  [[nodiscard]] Result<std::string> list(const ListQuery& query,
                                         const std::function<void()>& restart,
                                         const std::function<void(json::object&&)>& each) override;
  [[nodiscard]] Result<Written> create(const Resource& resource, const std::string& namespace_,
                                       const json::object& object,
                                       const WriteOptions& options) override;
  [[nodiscard]] Result<Written> patch(const ObjectRef& ref, PatchType type, const json::value& body,
                                      const WriteOptions& options) override;
  [[nodiscard]] Result<Written> remove(const ObjectRef& ref, const std::string& uid,
                                       const std::string& resource_version,
                                       const WriteOptions& options) override;
  [[nodiscard]] std::unique_ptr<Watch> watch(
      const ListQuery& query, std::function<void(const WatchEvent&)> on_event) override;
  [[nodiscard]] std::vector<Result<ExecOutput>> exec(const std::vector<ExecCall>& calls,
                                                     std::size_t parallel) override;
  [[nodiscard]] std::vector<Result<ProxyAnswer>> proxy(const std::vector<ProxyCall>& calls,
                                                       std::size_t parallel) override;
  [[nodiscard]] std::vector<Result<std::string>> logs(const std::vector<LogCall>& calls,
                                                      std::size_t parallel) override;
  [[nodiscard]] std::vector<Result<ForwardAnswer>> forward(const std::vector<ForwardCall>& calls,
                                                           std::size_t parallel) override;
  RunResult run_until(const std::function<bool()>& done, SteadyPoint deadline) override;
  [[nodiscard]] Duration clock_skew() const override { return skew; }

 private:
  struct WatchState;
  class WatchHandle;

  template <class T>
  Result<T> serve(FakeRequest request, const std::function<Result<T>()>& act);
  std::optional<Error> meet_faults(const FakeRequest& request, Fault::When when);
  [[nodiscard]] std::string next_audit_id();
  void deliver();
  void deliver_to(WatchState& state);

  std::shared_ptr<FakeCluster> cluster_;
  std::vector<Fault> faults_;
  std::vector<FakeRequest> requests_;
  std::vector<std::shared_ptr<WatchState>> watches_;
  bool dead_ = false;
  bool stop_ = false;
  bool delivering_ = false;
  int audit_ids_ = 0;
};

}  // namespace catflap::kube
