#include "sim/kubelets.hpp"

#include <algorithm>
#include <set>

#include "look/match.hpp"
#include "sim/edits.hpp"
#include "sim/pod_status.hpp"

namespace catflap::sim {
namespace {

constexpr Duration kStartsAfter{800};  // sandbox, volumes, init containers
constexpr Duration kReadyAfter{1200};  // the first readiness probe that passes
constexpr Duration kTriesAgainAfter{1000};
constexpr Duration kEndsAfter{1000};
constexpr Duration kRunsFor{300};  // the container of a Job

/// An image that no registry has.
const json::object* missing_image(const json::object& pod) {
  for (const auto* key : {"initContainers", "containers"})
    for (const auto* container : objects_at(pod, {"spec", key}))
      if (look::image_tag(text_at(*container, {"image"})) == "does-not-exist") return container;
  return nullptr;
}

/// A container whose image is never pulled.
const json::object* unpulled(const json::object& pod) {
  for (const auto* container : objects_at(pod, {"spec", "containers"}))
    if (text_at(*container, {"imagePullPolicy"}) == "Never") return container;
  return nullptr;
}

bool is_of_a_job(const json::object& pod) {
  const auto owners = objects_at(pod, {"metadata", "ownerReferences"});
  return !owners.empty() && text_at(*owners.front(), {"kind"}) == "Job";
}

}  // namespace

TimePoint Kubelets::tick() {
  std::map<std::string, std::vector<json::object>> pods;
  for (auto& pod : store_.select({.resource = kube::kPods}))
    pods[text_at(pod, {"spec", "nodeName"})].push_back(std::move(pod));
  auto due = kNever;
  for (const auto& node : store_.select({.resource = kube::kNodes}))
    due = std::min(due, tick_node(node, pods[name_of(node)]));
  for (auto& [uid, running] : pods_)
    if (running.felix) due = std::min(due, running.felix->tick());
  return due;
}

void Kubelets::set_odd_pods(const OddPods& pods) {
  odd_ = pods;
  for (auto& [uid, running] : pods_) {
    const auto odd = odd_.find(uid);
    if (odd == odd_.end()) continue;
    running.never_ready = !odd->second.ready;
    running.never_ends = odd->second.terminating;
    if (running.never_ready) running.ready.reset();
  }
}

bool Kubelets::stands_still(const std::string& node) const {
  const auto* object = store_.find({kube::kNodes, "", node});
  return object != nullptr &&
         text_at(*object, {"metadata", "annotations", "sim.catflap.dev/not-ready"}) == "true";
}

bool Kubelets::has_no_images(const std::string& node) const {
  const auto* object = store_.find({kube::kNodes, "", node});
  return object != nullptr &&
         text_at(*object, {"metadata", "annotations", "sim.catflap.dev/no-images"}) == "true";
}

/// `there`: the node's pods as the API has them.
TimePoint Kubelets::tick_node(const json::object& node, const std::vector<json::object>& there) {
  const auto name = name_of(node);
  auto due = kNever;
  if (stands_still(name)) return due;
  std::set<std::string> uids;
  for (const auto& pod : there) uids.insert(uid_of(pod));
  std::erase_if(pods_, [&](auto& entry) {
    auto& [uid, running] = entry;
    if (running.node != name || uids.contains(uid)) return false;
    if (running.felix) past_starts_[name] += running.felix->starts();
    return true;
  });
  for (const auto& pod : there) {
    auto& running = pods_[uid_of(pod)];
    if (running.node.empty()) {
      running.pod = pod;
      running.node = name;
      running.seen = store_.clock().now();
      running.starts_at = running.seen + kStartsAfter;
    }
    due = std::min(due, tick_pod(running));
    if (end(pod, running)) continue;
    due = std::min(due, running.ends_at.value_or(kNever));
    report(uid_of(pod), running, node);
  }
  return due;
}

std::optional<std::string> Kubelets::felix_container_in(const json::object& pod) const {
  const auto* spec = object_at(pod, {"spec"});
  return spec == nullptr ? std::nullopt : look::felix_container(*spec);
}

TimePoint Kubelets::tick_pod(RunningPod& running) {
  const auto now = store_.clock().now();
  if (running.starts_at && now >= *running.starts_at) start(running);
  if (running.started && !running.done && is_of_a_job(running.pod)) {
    if (now < *running.started + kRunsFor) return *running.started + kRunsFor;
    running.done = now;
  }
  if (running.done) return kNever;
  const bool becomes_ready = running.started && !running.ready && !running.never_ready;
  if (becomes_ready && now >= *running.started + kReadyAfter) running.ready = now;
  const bool waits = becomes_ready && !running.ready;
  return std::min(running.starts_at.value_or(kNever),
                  waits ? *running.started + kReadyAfter : kNever);
}

void Kubelets::start(RunningPod& running) {
  const auto now = store_.clock().now();
  const auto wait = [&](std::string reason, std::string message) {
    running.waiting_reason = std::move(reason);
    running.waiting_message = std::move(message);
    running.starts_at = now + kTriesAgainAfter;
  };
  if (const auto* container = missing_image(running.pod)) {
    const auto image = text_at(*container, {"image"});
    const bool again = running.waiting_reason != "ContainerCreating";
    if (again) return wait("ImagePullBackOff", "Back-off pulling image \"" + image + "\"");
    return wait("ErrImagePull", "failed to pull and unpack image \"" + image + "\": not found");
  }
  if (const auto* container = unpulled(running.pod); container && has_no_images(running.node)) {
    return wait("ErrImageNeverPull", "Container image \"" + text_at(*container, {"image"}) +
                                         "\" is not present with pull policy of Never");
  }
  auto pod = running.pod;
  add_addresses(pod, sockets_.addresses_of(running.node));
  if (const auto container = felix_container_in(pod)) {
    auto felix = felix_container_of(store_, pod, *container);
    if (const auto why = missing_reference(felix)) return wait("CreateContainerConfigError", *why);
    running.felix = std::make_unique<Felix>(store_, sockets_, settings_, std::move(felix));
  }
  running.started = now;
  running.starts_at.reset();
}

/// A pod that is being deleted: its processes end at once, the object a moment later. True: it is
/// gone.
bool Kubelets::end(const json::object& pod, RunningPod& running) {
  if (running.never_ends || text_at(pod, {"metadata", "deletionTimestamp"}).empty()) return false;
  const auto now = store_.clock().now();
  if (!running.ends_at) {
    running.ends_at = now + kEndsAfter;
    running.starts_at.reset();
    running.ready.reset();
    running.never_ready = true;
    if (running.felix) past_starts_[running.node] += running.felix->starts();
    running.felix.reset();
  }
  if (now < *running.ends_at) return false;
  const auto uid = uid_of(pod);
  store_.erase(pod_ref(pod));
  pods_.erase(uid);
  return true;
}

void Kubelets::report(const std::string& uid, const RunningPod& running, const json::object& node) {
  const auto ref = pod_ref(running.pod);
  const auto* known = store_.find(ref);
  if (known == nullptr || uid_of(*known) != uid) return;
  const auto status = pod_status(running, sockets_.addresses_of(name_of(node)));
  if (const auto* told = object_at(*known, {"status"}); told != nullptr && *told == status) return;
  store_.edit(ref, [&](json::object& object) { object["status"] = status; });
}

int Kubelets::starts(const std::string& node) const {
  const auto at = [&](const std::map<std::string, int>& counts) {
    const auto found = counts.find(node);
    return found == counts.end() ? 0 : found->second;
  };
  int count = at(past_starts_) - at(forgotten_);
  for (const auto& [uid, running] : pods_)
    if (running.node == node && running.felix) count += running.felix->starts();
  return count;
}

void Kubelets::forget_starts() {
  for (const auto& node : store_.select({.resource = kube::kNodes}))
    forgotten_[name_of(node)] += starts(name_of(node));
}

const Felix* Kubelets::felix_of(const std::string& node) const {
  for (const auto& [uid, running] : pods_)
    if (running.node == node && running.felix) return running.felix.get();
  return nullptr;
}

const RunningPod* Kubelets::find(const std::string& uid) const {
  const auto found = pods_.find(uid);
  return found == pods_.end() ? nullptr : &found->second;
}

}  // namespace catflap::sim
