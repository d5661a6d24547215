// The rollout of a DaemonSet, node by node. The controller's own numbers are not enough: right
// after a change the status still describes the old template as complete until observedGeneration
// catches up, so every node's pod is looked at as well.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "act/context.hpp"
#include "core/model/cluster.hpp"

namespace catflap::act {

enum class NodeState {
  done,            // a Ready pod of the current template, nothing older beside it
  not_started,     // the old pod runs
  terminating,     // a pod is going away
  creating,        // the new pod is not there yet, or being made
  not_ready,       // the new pod is there and not Ready: `reason` is its own
  node_not_ready,  // the node does not answer; what its pod says is old
  on_delete,       // the pod is old and the strategy leaves it to people to delete it
};

struct RolloutNode {
  std::string node;
  NodeState state = NodeState::creating;
  std::string pod;      // name; may be empty
  std::string reason;   // ImagePullBackOff, CrashLoopBackOff, ProbeFailing, Unschedulable,
                        // NodeStatusUnknown …
  std::string message;  // bounded, one line
  friend bool operator==(const RolloutNode&, const RolloutNode&) = default;
};

struct DaemonSetRef {
  std::string namespace_;
  std::string name;
  friend auto operator<=>(const DaemonSetRef&, const DaemonSetRef&) = default;
};

/// A moment of a rollout.
struct Rollout {
  enum class End { running, done, time_up, interrupted };

  DaemonSetRef daemon_set;
  End end = End::running;
  bool complete = false;
  std::string
      waiting_for;  // beside the nodes: "the controller has not seen the change yet"; may be empty
  int desired = 0;
  std::int64_t generation = 0;
  std::int64_t observed_generation = 0;
  bool on_delete = false;
  std::vector<RolloutNode> nodes;  // by name
  std::map<NodeState, int> counts;
  Duration elapsed{};
  std::string trouble;                  // the last trouble of a watch; empty while all is well
  [[nodiscard]] int remaining() const;  // nodes that are not done
};

// What a rollout is judged by, reduced from the API's objects.

struct DaemonSetState {
  DaemonSetRef ref;
  std::string uid;
  std::int64_t generation = 0;
  std::int64_t observed_generation = 0;
  int desired = 0;
  int updated = 0;
  int available = 0;
  bool on_delete = false;
  bool deleting = false;
  std::string template_generation;  // annotation deprecated.daemonset.template.generation
  std::string selector;             // of its pods, as a query
  json::object placement;           // of the template, what decides where its pods go
};

struct PodState {
  std::string name;
  std::string uid;
  std::string owner_uid;            // of the controller
  std::string node;                 // where it runs, or is meant to (the scheduler's affinity)
  std::string hash;                 // label controller-revision-hash
  std::string template_generation;  // label pod-template-generation
  bool terminating = false;
  bool ready = false;
  bool starting = false;  // not ready for no worse reason than being made
  std::string reason, message;
};

struct NodeReadiness {
  bool ready = false;
  std::string reason, message;
  NodeFacts facts;  // name, labels, taints
};

struct RevisionState {
  std::string name;
  std::string owner_uid;
  std::string hash;
  std::int64_t revision = 0;
};

struct RolloutInput {
  DaemonSetState daemon_set;
  std::vector<PodState> pods;
  std::optional<std::map<std::string, NodeReadiness>> nodes;  // none: they cannot be read
  std::optional<std::vector<RevisionState>> revisions;        // none: they cannot be read
  std::set<std::string> expected;  // nodes that should have a pod: one without is being made
};

/// Unknown, missing and mistyped fields read as their defaults: the server's objects are not
/// trusted to be whole.
[[nodiscard]] DaemonSetState read_daemon_set(const json::object& object);
[[nodiscard]] PodState read_pod(const json::object& object);
[[nodiscard]] NodeReadiness read_node(const json::object& object);
[[nodiscard]] RevisionState read_revision(const json::object& object);

/// Pure. Complete needs all of: observedGeneration has caught up; every node done; as many as
/// desired; the status' own numbers agree.
[[nodiscard]] Rollout judge_rollout(const RolloutInput& input);

/// What wait_rollouts asks before each slice of waiting, e.g. to renew a lock; an error ends the
/// wait. May be empty.
using KeepAlive = std::function<Result<void>()>;
using OnRollouts = std::function<void(const std::vector<Rollout>&)>;

struct WaitOptions {
  Duration timeout{std::chrono::minutes{10}};  // for all of them together
  Duration progress_every{std::chrono::seconds{1}};
  KeepAlive keep_alive;
  OnRollouts progress;  // at the first full view, at most that often on changes, and at the end
};

/// Watches until all are complete, the time is up or a stop is asked for; always with the list of
/// nodes. Errors: a DaemonSet that does not exist (not_found) or may not be read, an error of
/// keep_alive.
[[nodiscard]] Result<std::vector<Rollout>> wait_rollouts(
    const Context& context, const std::vector<DaemonSetRef>& daemon_sets,
    const WaitOptions& options);

/// For the command `wait`.
[[nodiscard]] Result<Rollout> wait_rollout(const Context& context, const DaemonSetRef& daemon_set,
                                           const WaitOptions& options);

[[nodiscard]] const char* to_string(
    NodeState state);  // done, not-started, terminating, creating, …
[[nodiscard]] const char* to_string(Rollout::End end);  // running, done, time-up, interrupted

/// One line for tests: "2/3 a:done b:not-ready(CrashLoopBackOff) c:not-started".
[[nodiscard]] std::string dump(const Rollout& rollout);

}  // namespace catflap::act
