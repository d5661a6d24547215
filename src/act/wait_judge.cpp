// judge_rollout: the decision, and nothing else. A node is done only if its pod is of the current
// template for certain.
#include <fmt/format.h>

#include <algorithm>

#include "act/wait.hpp"

namespace catflap::act {

namespace {

const RevisionState* newest_revision(const RolloutInput& input) {
  const RevisionState* newest = nullptr;
  if (!input.revisions) return nullptr;
  for (const auto& revision : *input.revisions) {
    if (revision.owner_uid != input.daemon_set.uid || revision.hash.empty()) continue;
    if (newest == nullptr || revision.revision > newest->revision) newest = &revision;
  }
  return newest;
}

/// Is a pod made from the template that the DaemonSet has now?
class CurrentTemplate {
 public:
  explicit CurrentTemplate(const RolloutInput& input)
      : newest_(newest_revision(input)),
        generation_(input.daemon_set.template_generation),
        observed_(input.daemon_set.observed_generation >= input.daemon_set.generation) {}

  [[nodiscard]] bool made(const PodState& pod) const {
    // The server itself counts the template, so this label is right before the controller has seen
    // the change.
    if (!generation_.empty() && pod.template_generation == generation_) return true;
    // A template that returns to an older one (undo) keeps that one's hash and its pods: only the
    // hash tells. Before the controller has looked, the newest revision is that of the old
    // template.
    return observed_ && newest_ != nullptr && pod.hash == newest_->hash;
  }

 private:
  const RevisionState* newest_;
  std::string generation_;
  bool observed_;
};

struct NodePods {
  const PodState* current = nullptr;  // of the current template, not terminating
  const PodState* old = nullptr;      // of an older one, not terminating
  const PodState* leaving = nullptr;  // terminating, of whichever
};

RolloutNode with_trouble(RolloutNode node, const PodState& pod) {
  node.pod = pod.name;
  node.reason = pod.reason;
  node.message = pod.message;
  return node;
}

RolloutNode judge_pods(const std::string& name, const NodePods& pods, bool on_delete) {
  RolloutNode node{.node = name};
  const bool ready = pods.current != nullptr && pods.current->ready;
  if (pods.current != nullptr && !ready) {
    node.state = pods.current->starting ? NodeState::creating : NodeState::not_ready;
    return with_trouble(std::move(node), *pods.current);
  }
  if (pods.leaving != nullptr) {
    node.state = NodeState::terminating;
    return with_trouble(std::move(node), *pods.leaving);
  }
  if (pods.old != nullptr) {
    node.state = on_delete ? NodeState::on_delete : NodeState::not_started;
    return with_trouble(std::move(node), *pods.old);
  }
  if (ready) {
    node.state = NodeState::done;
    node.pod = pods.current->name;
  }
  return node;  // no pod at all: being made
}

RolloutNode judge_node(const std::string& name, const NodePods& pods, const RolloutInput& input) {
  RolloutNode node = judge_pods(name, pods, input.daemon_set.on_delete);
  if (!input.nodes) return node;
  const auto found = input.nodes->find(name);
  if (found == input.nodes->end()) {
    node.state = NodeState::node_not_ready;
    node.reason = "NodeGone";
    node.message = "the node does not exist any more, its pod still does";
  } else if (!found->second.ready) {
    // Whatever the pod says is what the kubelet last said; Felix may still run there.
    node.state = NodeState::node_not_ready;
    node.reason = found->second.reason;
    node.message = found->second.message;
  }
  return node;
}

std::map<std::string, NodePods> pods_by_node(const RolloutInput& input) {
  const CurrentTemplate current(input);
  std::map<std::string, NodePods> by_node;
  for (const auto& pod : input.pods) {
    if (pod.owner_uid != input.daemon_set.uid) continue;
    // A pod that belongs nowhere yet still is one that is not done.
    auto& pods = by_node[pod.node.empty() ? "(" + pod.name + ")" : pod.node];
    auto& place = pod.terminating ? pods.leaving : current.made(pod) ? pods.current : pods.old;
    if (place == nullptr || place->ready) place = &pod;  // the worse of two
  }
  for (const auto& node : input.expected)
    if (!input.nodes || input.nodes->contains(node)) by_node.try_emplace(node);
  return by_node;
}

/// The controller knows better than the list of expected nodes: as many are done as it wants.
bool all_have_theirs(const RolloutInput& input, const Rollout& rollout) {
  const auto& set = input.daemon_set;
  const auto done = rollout.counts.find(NodeState::done);
  return set.observed_generation >= set.generation && done != rollout.counts.end() &&
         done->second == set.desired;
}

void leave_out_podless(const std::map<std::string, NodePods>& by_node, Rollout& rollout) {
  std::erase_if(rollout.nodes, [&](const RolloutNode& node) {
    const auto& pods = by_node.at(node.node);
    const bool none = pods.current == nullptr && pods.old == nullptr && pods.leaving == nullptr;
    if (none && --rollout.counts[node.state] == 0) rollout.counts.erase(node.state);
    return none;
  });
}

/// Why a rollout whose nodes are all done is not complete; "" if it is.
std::string still_waiting(const RolloutInput& input, const Rollout& rollout) {
  const auto& set = input.daemon_set;
  const int done =
      rollout.counts.contains(NodeState::done) ? rollout.counts.at(NodeState::done) : 0;
  if (set.deleting) return "the DaemonSet is being deleted";
  if (set.observed_generation < set.generation)
    return "the controller has not seen the change yet; its numbers are of the old template";
  if (done < set.desired)
    return fmt::format("{} of {} nodes have a Ready pod of the new template", done, set.desired);
  if (set.updated != set.desired || set.available != set.desired)
    return fmt::format("the status says {} updated and {} available of {}", set.updated,
                       set.available, set.desired);
  return {};
}

}  // namespace

int Rollout::remaining() const {
  return static_cast<int>(std::count_if(nodes.begin(), nodes.end(), [](const RolloutNode& node) {
    return node.state != NodeState::done;
  }));
}

Rollout judge_rollout(const RolloutInput& input) {
  Rollout rollout{.daemon_set = input.daemon_set.ref,
                  .desired = input.daemon_set.desired,
                  .generation = input.daemon_set.generation,
                  .observed_generation = input.daemon_set.observed_generation,
                  .on_delete = input.daemon_set.on_delete};
  auto by_node = pods_by_node(input);
  for (const auto& [name, pods] : by_node) {
    rollout.nodes.push_back(judge_node(name, pods, input));
    ++rollout.counts[rollout.nodes.back().state];
  }
  if (all_have_theirs(input, rollout)) leave_out_podless(by_node, rollout);
  rollout.waiting_for = still_waiting(input, rollout);
  rollout.complete = rollout.remaining() == 0 && rollout.waiting_for.empty();
  return rollout;
}

const char* to_string(NodeState state) {
  switch (state) {
    case NodeState::done:
      return "done";
    case NodeState::not_started:
      return "not-started";
    case NodeState::terminating:
      return "terminating";
    case NodeState::creating:
      return "creating";
    case NodeState::not_ready:
      return "not-ready";
    case NodeState::node_not_ready:
      return "node-not-ready";
    case NodeState::on_delete:
      return "on-delete";
  }
  return "";
}

const char* to_string(Rollout::End end) {
  switch (end) {
    case Rollout::End::running:
      return "running";
    case Rollout::End::done:
      return "done";
    case Rollout::End::time_up:
      return "time-up";
    case Rollout::End::interrupted:
      return "interrupted";
  }
  return "";
}

std::string dump(const Rollout& rollout) {
  const auto done = static_cast<int>(rollout.nodes.size()) - rollout.remaining();
  std::string line =
      fmt::format("{}/{}{}", done, rollout.desired, rollout.complete ? " complete" : "");
  for (const auto& node : rollout.nodes) {
    line += fmt::format(" {}:{}", node.node, to_string(node.state));
    if (!node.reason.empty()) line += fmt::format("({})", node.reason);
  }
  return line;
}

}  // namespace catflap::act
