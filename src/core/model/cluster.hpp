// ClusterFacts: what the API server said, reduced to what the decisions need. Built by
// look/discover. Raw objects are kept only for the few that may be changed (DaemonSets,
// FelixConfigurations).
#pragma once

#include <boost/json.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "core/model/declared.hpp"
#include "core/model/surroundings.hpp"

namespace catflap {

namespace json = boost::json;

struct NodeAddress {
  IpAddress address;
  std::string type;  // InternalIP, ExternalIP, CalicoIP and Tunnel (Calico's annotations), HostIP
                     // (of a pod)
  friend bool operator==(const NodeAddress&, const NodeAddress&) = default;
};

struct Taint {
  std::string key, value, effect;
  friend bool operator==(const Taint&, const Taint&) = default;
};

struct NodeFacts {
  std::string name;
  std::string uid;
  std::string machine_id;              // status.nodeInfo.machineID
  std::string boot_id;                 // status.nodeInfo.bootID
  std::vector<NodeAddress> addresses;  // without duplicates, InternalIPs first
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> calico_labels;  // Calico's own, which only its selectors see
  bool ready = false;
  std::string not_ready_reason;  // the Ready condition's reason and message
  bool unschedulable = false;
  std::vector<Taint> taints;
  bool windows = false;
};

struct ResolveInput;  // core/resolve/resolve.hpp

/// One container state of a pod, for `wait`.
struct ContainerTrouble {
  std::string container;
  std::string reason;   // ImagePullBackOff, CrashLoopBackOff, …
  std::string message;  // bounded
};

struct PodFacts {
  std::string namespace_;
  std::string name;
  std::string uid;
  std::string node;           // spec.nodeName; empty: not scheduled
  std::string daemon_set;     // name of the owning DaemonSet
  std::string template_hash;  // label controller-revision-hash
  std::string phase;
  bool ready = false;
  bool terminating = false;
  bool stale = false;                      // made from an older template than the DaemonSet has now
  bool felix_running = false;              // the Felix container's state is running
  std::optional<TimePoint> felix_started;  // state.running.startedAt of the Felix container
  int felix_restarts = 0;
  std::string felix_container;
  std::string image;
  std::vector<IpAddress> host_ips;
  std::optional<IpAddress> pod_ip;  // the first one, which the API server's proxy asks
  std::string unschedulable_message;
  std::vector<ContainerTrouble> troubles;
  bool host_network = true;
  std::optional<TimePoint> created;
  Declared declared;  // resolved for this pod
  /// Kept because an inside look can tell more than the API server (felix.cfg, a Secret that must
  /// not be read).
  std::shared_ptr<const ResolveInput> unresolved;
};

/// What the tigera operator reads, and whether it acts on it. Looked for only where it renders one
/// of the DaemonSets.
struct OperatorFacts {
  ReadState installations_state;
  /// Those that it reads, in the order of their weight (default, overlay), with metadata and
  /// spec.nodeMetricsPort.
  std::vector<json::object> installations;
  ReadState deployment_state;  // not readable: also if it is not where it usually is
  int wanted = 0;              // replicas of its Deployment; 0: it changes nothing
  int available = 0;
  ReadState status_state;
  std::string degraded;  // what TigeraStatus calico says is wrong, bounded; "": nothing
};

/// A DaemonSet that runs Felix (one container of it matched; docs/how-it-decides.md says how).
struct DaemonSetFacts {
  std::string namespace_;
  std::string name;
  std::string uid;
  bool in_scope = true;  // false: it counts for the verdicts, and nobody asked to change it (-n)
  std::string resource_version;
  std::string felix_container;
  std::string image;
  std::string selector;  // as a query: "k8s-app=calico-node"
  std::int64_t generation = 0;
  std::int64_t observed_generation = 0;
  int desired = 0;
  int updated = 0;
  int available = 0;
  int unavailable = 0;
  bool on_delete = false;
  std::string max_unavailable = "1";  // as written: a number or a percentage
  std::string current_hash;   // of the ControllerRevision that equals the template; empty: none, or
                              // not readable
  ReadState revisions_state;  // not readable: `stale` comes from comparing Felix's container with
                              // the template
  Declared template_declared;  // what a pod made from the template now would have, without per-node
                               // layers
  json::object object;         // the whole DaemonSet; managedFields reduced to who writes its spec
};

enum class CalicoApi {
  v1_crd,
  v3_crd,
  none
};  // none: not served here (etcd datastore, or no Calico)

struct ClusterFacts {
  std::string cluster_name;  // the kubeconfig's name for it
  std::string server;
  std::string user;  // as the kubeconfig or the server names it
  std::string uid;   // of namespace kube-system
  std::string kubernetes_version;
  std::string calico_version;  // "" if not known
  Duration clock_skew{};       // server's Date minus our clock
  CalicoApi calico_api = CalicoApi::none;
  std::vector<NodeFacts> nodes;
  std::vector<DaemonSetFacts> daemon_sets;
  std::string scope;            // the namespace whose DaemonSets may be changed (-n); "": all
  ReadState daemon_sets_state;  // not readable: only those of one namespace could be listed
  std::vector<PodFacts> pods;
  std::optional<OperatorFacts> tigera_operator;  // none: it renders none of the DaemonSets
  ReadState felix_configurations_state;
  std::vector<json::object> felix_configurations;  // managedFields as above
  std::optional<TimePoint>
      felix_configurations_changed;             // newest managedFields time, by the server's clock
  std::optional<DatastoreMigration> migration;  // none: there is none, or it is complete
  Surroundings surroundings;
  TimePoint read_at{};
};

/// "v3.30.1" -> {3,30,1}; vendor tags with a leading version count ("v3.30.1-rancher1"). Empty if
/// it does not start like one.
struct Version {
  int major = 0, minor = 0, patch = 0;
  friend auto operator<=>(const Version&, const Version&) = default;
};
[[nodiscard]] std::optional<Version> parse_version(std::string_view text);

}  // namespace catflap
