// The Kubernetes API as catflap uses it: a narrow interface, so that everything above can be tested
// against a fake. One thread calls it. Every call blocks its caller and runs the event loop
// meanwhile, so watches go on (docs/decisions/0001).
#pragma once

#include <boost/json.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"

namespace catflap::kube {

namespace json = boost::json;

/// "apps", "v1", "daemonsets". The core group is "".
struct Resource {
  std::string group;
  std::string version;
  std::string plural;
  [[nodiscard]] std::string api_version() const {
    return group.empty() ? version : group + "/" + version;
  }
  friend bool operator==(const Resource&, const Resource&) = default;
};

inline const Resource kNodes{"", "v1", "nodes"};
inline const Resource kPods{"", "v1", "pods"};
inline const Resource kNamespaces{"", "v1", "namespaces"};
inline const Resource kConfigMaps{"", "v1", "configmaps"};
inline const Resource kSecrets{"", "v1", "secrets"};
inline const Resource kDaemonSets{"apps", "v1", "daemonsets"};
inline const Resource kControllerRevisions{"apps", "v1", "controllerrevisions"};

struct ObjectRef {
  Resource resource;
  std::string namespace_;  // empty: cluster-scoped
  std::string name;
  [[nodiscard]] std::string to_string() const;  // "daemonsets.apps kube-system/calico-node"
};

struct ListQuery {
  Resource resource;
  std::string namespace_;  // empty: all namespaces, or cluster-scoped
  std::string label_selector;
  std::string field_selector;
  int page_size = 500;
};

enum class PatchType { json_patch, merge_patch };

struct WriteOptions {
  bool dry_run = false;  // dryRun=All: the server does everything but store
  std::string field_manager = "catflap";
  std::string propagation;  // of remove: Background, Foreground; "": the type's own, which leaves
                            // the pods of a Job alone
};

/// The server's answer to a write.
struct Written {
  json::object object;
  std::string audit_id;  // header Audit-Id; empty if the server sends none
};

struct WatchEvent {
  enum class Type {
    added,  // or still there after a relist
    modified,
    deleted,
    synced,   // the first list, or a relist after 410, is complete
    trouble,  // the connection is lost and being tried again; object is empty, text says why
    resumed,  // after trouble: events come again, and none was missed (else: synced)
  } type;
  json::object object;
  std::string text;
};

/// A running list-and-watch. Destroying it ends it.
class Watch {
 public:
  virtual ~Watch() = default;
};

struct ExecCall {
  std::string namespace_;
  std::string pod;
  std::string container;
  std::vector<std::string> command;
  std::size_t max_bytes =
      4u << 20;  // of stdout and stderr together; more ends the call with malformed_input
  Duration timeout{std::chrono::seconds{15}};
};

struct ExecOutput {
  std::string stdout_;
  std::string stderr_;
  int exit_code = 0;
};

/// What a pod's one container has printed, stdout and stderr together (subresource pods/log).
struct LogCall {
  std::string namespace_;
  std::string pod;
  std::size_t max_bytes = 4u << 20;  // more is malformed_input
  Duration timeout{std::chrono::seconds{15}};
};

/// GET by way of the API server to a port of a pod (subresource pods/proxy). The API server sends
/// none of our credentials on, and checks no certificate.
struct ProxyCall {
  enum class Scheme { http, https };
  std::string namespace_;
  std::string pod;
  Scheme scheme = Scheme::http;
  Port port = 0;
  std::string path;  // "/metrics"
  std::size_t max_bytes = 1u << 20;
  Duration timeout{std::chrono::seconds{8}};
};

/// What the pod answered, or why the API server could not talk to it.
struct ProxyAnswer {
  int status = 0;         // 0: the pod did not answer
  bool encoded = false;   // the body is compressed in a way that was not asked for
  std::string body;       // at most max_bytes
  bool cut = false;       // there was more of it
  std::string unreached;  // the API server's words, e.g. "dial tcp 10.0.0.1:9091: i/o timeout"
};

/// A port of a pod, forwarded (subresource pods/portforward): the node connects to localhost in the
/// pod's network.
struct ForwardCall {
  std::string namespace_;
  std::string pod;
  Port port = 0;
  bool tls = false;     // the request goes over TLS, which verifies nobody
  std::string request;  // sent at once
  std::size_t max_bytes = 1u << 20;
  Duration timeout{std::chrono::seconds{8}};
  /// Gets each piece that comes; true: the rest is not wanted. May be empty.
  std::function<bool(std::string_view piece)> enough;
};

struct ForwardAnswer {
  std::string received;     // at most max_bytes
  bool cut = false;         // there was more of it
  bool ended = false;       // the pod's end closed
  bool tls = false;         // the TLS handshake succeeded
  std::string tls_problem;  // what ended TLS; then something took the connection
  std::string trouble;      // the node's words: it could not connect, or was cut off
};

struct ServerInfo {
  std::string server;        // https://10.0.0.1:6443
  std::string cluster_name;  // of the kubeconfig, or "in-cluster"
  std::string user_name;     // the kubeconfig's, with --as shown as "admin as alice"
  std::string namespace_;    // of the context or -n, else "default"
};

enum class RunResult { done, deadline, stopped };

class Api {
 public:
  virtual ~Api() = default;

  [[nodiscard]] virtual const ServerInfo& info() const = 0;

  /// Any path that answers JSON, e.g. "/version", "/apis/crd.projectcalico.org/v1".
  [[nodiscard]] virtual Result<json::value> get_raw(const std::string& path) = 0;
  [[nodiscard]] virtual Result<json::object> get(const ObjectRef& ref) = 0;

  /// Every object, page by page; a 410 in mid-list starts again (restart() is called first, so the
  /// caller forgets what it has). Memory: one page. Returns the list's resourceVersion.
  [[nodiscard]] virtual Result<std::string> list(
      const ListQuery& query, const std::function<void()>& restart,
      const std::function<void(json::object&&)>& each) = 0;

  [[nodiscard]] virtual Result<Written> create(const Resource& resource,
                                               const std::string& namespace_,
                                               const json::object& object,
                                               const WriteOptions& options) = 0;
  [[nodiscard]] virtual Result<Written> patch(const ObjectRef& ref, PatchType type,
                                              const json::value& body,
                                              const WriteOptions& options) = 0;
  /// `resource_version` (if not empty) and `uid` are preconditions.
  [[nodiscard]] virtual Result<Written> remove(const ObjectRef& ref, const std::string& uid,
                                               const std::string& resource_version,
                                               const WriteOptions& options) = 0;

  /// Starts a list and watch in the background; events arrive while the loop runs (in any call of
  /// this interface).
  [[nodiscard]] virtual std::unique_ptr<Watch> watch(
      const ListQuery& query, std::function<void(const WatchEvent&)> on_event) = 0;

  /// Runs commands in containers, at most `parallel` at once, results in the order of the calls.
  /// not_permitted, timed_out, unsupported … are per call.
  [[nodiscard]] virtual std::vector<Result<ExecOutput>> exec(const std::vector<ExecCall>& calls,
                                                             std::size_t parallel) = 0;

  /// Asks ports of pods, at most `parallel` at once, results in the order of the calls. An Error is
  /// the API server's own refusal (not_permitted, not_found …) or its silence; per call. Whoever
  /// serves the port can imitate each of the API server's words.
  [[nodiscard]] virtual std::vector<Result<ProxyAnswer>> proxy(const std::vector<ProxyCall>& calls,
                                                               std::size_t parallel) = 0;

  /// Reads logs of pods, at most `parallel` at once, results in the order of the calls.
  [[nodiscard]] virtual std::vector<Result<std::string>> logs(const std::vector<LogCall>& calls,
                                                              std::size_t parallel) = 0;

  /// Talks to forwarded ports, at most `parallel` at once, results in the order of the calls.
  [[nodiscard]] virtual std::vector<Result<ForwardAnswer>> forward(
      const std::vector<ForwardCall>& calls, std::size_t parallel) = 0;

  /// Runs the loop until done() says so (asked after each event and at least every 50 ms), the
  /// deadline, or a stop request.
  virtual RunResult run_until(const std::function<bool()>& done, SteadyPoint deadline) = 0;

  /// The difference between the server's clock and ours, from the last Date header; 0 if unknown.
  [[nodiscard]] virtual Duration clock_skew() const = 0;
};

}  // namespace catflap::kube
