#include "sim/daemon_sets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "look/match.hpp"
#include "sim/edits.hpp"
#include "sim/scheduling.hpp"

namespace catflap::sim {
namespace {

/// Until the controller has noticed a change of a DaemonSet.
constexpr Duration kNotices{300};

std::uint64_t mixed(std::string_view bytes, std::uint64_t seed = 14695981039346656037u) {
  for (const char c : bytes) seed = (seed ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return seed ^ (seed >> 29);
}

/// As Kubernetes spells made-up names: without vowels, and without digits that look like letters.
std::string spelt(std::uint64_t number, std::size_t length) {
  constexpr std::string_view kLetters = "bcdfghjklmnpqrstvwxz2456789";
  std::string text;
  for (; text.size() < length; number /= kLetters.size())
    text += kLetters[number % kLetters.size()];
  return text;
}

std::string selector_of(const json::object& set) {
  const auto* selector = object_at(set, {"spec", "selector"});
  return selector == nullptr ? std::string{} : look::selector_query(*selector);
}

bool is_owned_by(const json::object& object, const std::string& uid) {
  return std::ranges::any_of(
      objects_at(object, {"metadata", "ownerReferences"}), [&](const json::object* owner) {
        return true_at(*owner, {"controller"}) && text_at(*owner, {"uid"}) == uid;
      });
}

std::string node_of(const json::object& pod) {
  return text_at(pod, {"spec", "nodeName"});
}

std::string hash_of(const json::object& pod) {
  return text_at(pod, {"metadata", "labels", "controller-revision-hash"});
}

bool is_going(const json::object& pod) {
  return !text_at(pod, {"metadata", "deletionTimestamp"}).empty();
}

json::array owner_references(const json::object& set) {
  return {json::object{{"apiVersion", "apps/v1"},
                       {"kind", "DaemonSet"},
                       {"name", name_of(set)},
                       {"uid", uid_of(set)},
                       {"controller", true},
                       {"blockOwnerDeletion", true}}};
}

/// A number, or a percentage of the nodes, rounded up; never 0 without a surge.
std::size_t max_unavailable(const json::object& set, std::size_t nodes) {
  const auto* value = value_at(set, {"spec", "updateStrategy", "rollingUpdate", "maxUnavailable"});
  if (value == nullptr) return 1;
  double wanted = 0;
  if (value->is_number()) {
    wanted = value->to_number<double>();
  } else if (value->is_string()) {
    const std::string_view text = value->get_string();
    int percent = 0;
    std::from_chars(text.data(), text.data() + text.size(), percent);
    wanted = std::ceil(percent * static_cast<double>(nodes) / 100);
  }
  return wanted < 1 ? 1 : static_cast<std::size_t>(std::min(wanted, 1e6));
}

json::array pinned_to(const std::string& node) {
  return {json::object{{"matchFields", json::array{json::object{{"key", "metadata.name"},
                                                                {"operator", "In"},
                                                                {"values", json::array{node}}}}}}};
}

json::object pod_spec(const json::object& pod_template, const std::string& node) {
  const auto* own = object_at(pod_template, {"spec"});
  json::object spec = own != nullptr ? *own : json::object{};
  spec["nodeName"] = node;
  object_in(object_in(object_in(spec, "affinity"), "nodeAffinity"),
            "requiredDuringSchedulingIgnoredDuringExecution")["nodeSelectorTerms"] =
      pinned_to(node);
  auto& tolerations = array_in(spec, "tolerations");
  for (auto& one : added_tolerations(true_at(spec, {"hostNetwork"})))
    tolerations.push_back(std::move(one));
  return spec;
}

void change_env(json::object& pod_template, const json::value& changes) {
  auto& spec = object_in(pod_template, "spec");
  const auto container = look::felix_container(spec);
  for (auto& one : array_in(spec, "containers")) {
    auto* own = one.if_object();
    if (!container || own == nullptr || text_at(*own, {"name"}) != *container) continue;
    auto& env = array_in(*own, "env");
    env = with_env(env, changes);
  }
}

}  // namespace

std::string template_hash(const json::object& pod_template) {
  return spelt(mixed(json::serialize(pod_template)), 10);
}

/// A DaemonSet with what belongs to it, as it is now.
struct DaemonSets::Owned {
  const json::object& set;
  const json::object& pod_template;
  std::string hash;
  std::vector<json::object> nodes;
  PodsByNode pods;
};

DaemonSets::Owned DaemonSets::owned_by(const json::object& set, const std::string& hash) const {
  static const json::object kNone;
  const auto* pod_template = object_at(set, {"spec", "template"});
  return {.set = set,
          .pod_template = pod_template != nullptr ? *pod_template : kNone,
          .hash = hash,
          .nodes = store_.select({.resource = kube::kNodes}),
          .pods = pods_of(set)};
}

PodsByNode DaemonSets::pods_of(const json::object& set) const {
  PodsByNode pods;
  for (auto& pod : store_.select({.resource = kube::kPods,
                                  .namespace_ = text_at(set, {"metadata", "namespace"}),
                                  .label_selector = selector_of(set)}))
    if (is_owned_by(pod, uid_of(set))) pods[node_of(pod)].push_back(std::move(pod));
  return pods;
}

TimePoint DaemonSets::tick() {
  auto due = kNever;
  for (const auto& set : store_.select({.resource = kube::kDaemonSets}))
    due = std::min(due, look_at(set));
  return due;
}

void DaemonSets::begin_setup(const std::map<std::string, PodSettings>& pods) {
  setup_ = &pods;
}

OddPods DaemonSets::end_of_setup() {
  setup_ = nullptr;
  return odd_;
}

TimePoint DaemonSets::look_at(const json::object& set) {
  auto& watched = watched_[uid_of(set)];
  const auto generation = number_at(set, {"metadata", "generation"});
  if (generation != watched.generation && setup_ == nullptr) {
    const auto now = store_.clock().now();
    if (!watched.change_at) watched.change_at = now + kNotices;
    if (now < *watched.change_at) return *watched.change_at;
  }
  watched.change_at.reset();
  watched.generation = generation;
  look_now(set, watched);
  return kNever;
}

void DaemonSets::look_now(const json::object& set, Watched& watched) {
  const auto* pod_template = object_at(set, {"spec", "template"});
  if (pod_template == nullptr || selector_of(set).empty()) return;
  watched.hash = template_hash(*pod_template);
  keep_revision(set, *pod_template, watched.hash);
  auto owned = owned_by(set, watched.hash);
  const auto then = [&](void (DaemonSets::*step)(const Owned&)) {
    const auto before = store_.resource_version();
    (this->*step)(owned);
    if (store_.resource_version() != before) owned.pods = pods_of(set);
  };
  then(&DaemonSets::manage);
  if (setup_ == nullptr && text_at(set, {"spec", "updateStrategy", "type"}) != "OnDelete")
    then(&DaemonSets::roll);
  then(&DaemonSets::manage);
  write_status(owned);
}

void DaemonSets::keep_revision(const json::object& set, const json::object& pod_template,
                               const std::string& hash) {
  const auto namespace_ = text_at(set, {"metadata", "namespace"});
  std::int64_t newest = 0;
  for (const auto& one :
       store_.select({.resource = kube::kControllerRevisions, .namespace_ = namespace_}))
    if (is_owned_by(one, uid_of(set))) newest = std::max(newest, number_at(one, {"revision"}));
  const ObjectRef ref{kube::kControllerRevisions, namespace_, name_of(set) + "-" + hash};
  if (const auto* known = store_.find(ref)) {
    if (number_at(*known, {"revision"}) == newest) return;
    return store_.edit(ref, [&](json::object& one) { one["revision"] = newest + 1; });
  }
  json::object kept = pod_template;
  kept["$patch"] = "replace";
  const auto* labels = object_at(pod_template, {"metadata", "labels"});
  json::object own_labels = labels != nullptr ? *labels : json::object{};
  own_labels["controller-revision-hash"] = hash;
  store_.put(kube::kControllerRevisions, {{"apiVersion", "apps/v1"},
                                          {"kind", "ControllerRevision"},
                                          {"metadata",
                                           {{"name", ref.name},
                                            {"namespace", namespace_},
                                            {"labels", std::move(own_labels)},
                                            {"ownerReferences", owner_references(set)}}},
                                          {"data", {{"spec", {{"template", std::move(kept)}}}}},
                                          {"revision", newest + 1}});
}

/// One pod a node, on the nodes where one belongs.
void DaemonSets::manage(const Owned& owned) {
  for (const auto& node : owned.nodes) {
    const auto where = placement(owned.pod_template, node);
    const auto found = owned.pods.find(name_of(node));
    if (found == owned.pods.end()) {
      if (where == Placement::run) make_pod(owned, name_of(node));
      continue;
    }
    bool kept = false;
    for (const auto& pod : found->second) {
      if (is_going(pod)) continue;
      if (where == Placement::leave || kept) remove_pod(pod);
      kept = true;
    }
  }
  for (const auto& [node, pods] : owned.pods) {
    const bool exists = std::ranges::any_of(
        owned.nodes, [&](const json::object& known) { return name_of(known) == node; });
    for (const auto& pod : pods)
      if (!exists) store_.erase(pod_ref(pod));
  }
}

/// Old pods that are not available go at once, others as far as maxUnavailable allows.
void DaemonSets::roll(const Owned& owned) {
  std::vector<const json::object*> broken;
  std::vector<const json::object*> candidates;
  std::size_t unavailable = 0;
  for (const auto& node : owned.nodes) {
    const auto found = owned.pods.find(name_of(node));
    if (found == owned.pods.end()) {
      if (placement(owned.pod_template, node) == Placement::run) ++unavailable;
      continue;
    }
    const auto& pod = found->second.front();
    const bool available = is_condition_true(pod, "Ready") && !is_going(pod);
    if (!available) ++unavailable;
    if (hash_of(pod) == owned.hash || is_going(pod)) continue;
    (available ? candidates : broken).push_back(&pod);
  }
  const auto most = max_unavailable(owned.set, owned.nodes.size());
  const auto room = most > unavailable ? most - unavailable : 0;
  candidates.resize(std::min(room, candidates.size()));
  for (const auto* pod : broken) remove_pod(*pod);
  for (const auto* pod : candidates) remove_pod(*pod);
}

void DaemonSets::remove_pod(const json::object& pod) {
  const auto grace = own_grace(pod);
  if (grace == 0) {
    store_.erase(pod_ref(pod));
    return;
  }
  store_.edit(pod_ref(pod),
              [&](json::object& object) { set_deletion(object, store_.clock().now(), grace); });
}

void DaemonSets::make_pod(const Owned& owned, const std::string& node) {
  json::object pod_template = owned.pod_template;
  auto hash = owned.hash;
  const PodSettings* odd = nullptr;
  const auto* spec = object_at(pod_template, {"spec"});
  if (setup_ != nullptr && setup_->contains(node) && spec != nullptr &&
      look::felix_container(*spec))
    odd = &setup_->at(node);
  if (odd != nullptr && !odd->env.is_null()) change_env(pod_template, odd->env);
  if (odd != nullptr && odd->stale) {
    // A template like this one once stood in the DaemonSet.
    object_in(object_in(pod_template, "metadata"), "annotations")["sim.catflap.dev/older"] = node;
    hash = template_hash(pod_template);
    keep_revision(owned.set, pod_template, hash);
    keep_revision(owned.set, owned.pod_template, owned.hash);
  }
  const auto name = name_of(owned.set) + "-" + spelt(mixed(std::to_string(++names_)), 5);
  auto metadata = object_in(pod_template, "metadata");
  metadata.erase("creationTimestamp");
  metadata["name"] = name;
  metadata["generateName"] = name_of(owned.set) + "-";
  metadata["namespace"] = text_at(owned.set, {"metadata", "namespace"});
  metadata["ownerReferences"] = owner_references(owned.set);
  object_in(metadata, "labels")["controller-revision-hash"] = hash;
  object_in(metadata, "labels")["pod-template-generation"] =
      std::to_string(number_at(owned.set, {"metadata", "generation"}));
  const auto scheduled = to_rfc3339(store_.clock().now());
  store_.put(kube::kPods, {{"apiVersion", "v1"},
                           {"kind", "Pod"},
                           {"metadata", metadata},
                           {"spec", pod_spec(pod_template, node)},
                           {"status",
                            {{"phase", "Pending"},
                             {"conditions", json::array{{{"type", "PodScheduled"},
                                                         {"status", "True"},
                                                         {"lastTransitionTime", scheduled}}}}}}});
  if (odd == nullptr) return;
  const auto* made =
      store_.find({kube::kPods, text_at(owned.set, {"metadata", "namespace"}), name});
  odd_[uid_of(*made)] = *odd;
}

void DaemonSets::write_status(const Owned& owned) {
  std::int64_t desired = 0, current = 0, ready = 0, updated = 0, misplaced = 0;
  for (const auto& node : owned.nodes) {
    const auto where = placement(owned.pod_template, node);
    if (where == Placement::run) ++desired;
    const auto found = owned.pods.find(name_of(node));
    if (found == owned.pods.end()) continue;
    if (where != Placement::run) {
      ++misplaced;
      continue;
    }
    const auto& pod = found->second.front();
    ++current;
    if (hash_of(pod) == owned.hash) ++updated;
    if (is_condition_true(pod, "Ready")) ++ready;
  }
  json::object status{{"currentNumberScheduled", current},
                      {"desiredNumberScheduled", desired},
                      {"numberMisscheduled", misplaced},
                      {"numberReady", ready},
                      {"observedGeneration", number_at(owned.set, {"metadata", "generation"})}};
  // The server leaves out what is 0.
  if (updated != 0) status["updatedNumberScheduled"] = updated;
  if (ready != 0) status["numberAvailable"] = ready;
  if (desired != ready) status["numberUnavailable"] = desired - ready;
  const ObjectRef ref{kube::kDaemonSets, text_at(owned.set, {"metadata", "namespace"}),
                      name_of(owned.set)};
  store_.edit(ref, [&](json::object& object) { object["status"] = status; });
}

}  // namespace catflap::sim
