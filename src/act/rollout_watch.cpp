#include "act/rollout_watch.hpp"

#include "base/json_read.hpp"
#include "core/prove/schedules.hpp"

namespace catflap::act {

namespace {

const kube::ListQuery kAllNodes{.resource = kube::kNodes};

kube::ObjectRef object_of(const DaemonSetRef& ref) {
  return {kube::kDaemonSets, ref.namespace_, ref.name};
}

}  // namespace

Result<std::unique_ptr<RolloutWatch>> RolloutWatch::start(const Context& context,
                                                          DaemonSetRef ref) {
  std::unique_ptr<RolloutWatch> self(new RolloutWatch(context, std::move(ref)));
  TRY(self->refresh());
  self->daemon_set_watch_ = context.api.watch(
      {.resource = kube::kDaemonSets,
       .namespace_ = self->ref_.namespace_,
       .field_selector = "metadata.name=" + self->ref_.name},
      [raw = self.get()](const kube::WatchEvent& event) { raw->on_daemon_set(event); });
  self->keep(self->pods_, self->pods_query(), &read_pod);
  if (self->nodes_readable_) self->keep(self->nodes_, kAllNodes, &read_node);
  if (self->revisions_readable_)
    self->keep(self->revisions_, self->revisions_query(), &read_revision);
  return self;
}

kube::ListQuery RolloutWatch::pods_query() const {
  return {.resource = kube::kPods,
          .namespace_ = ref_.namespace_,
          .label_selector = daemon_set_.selector};
}

kube::ListQuery RolloutWatch::revisions_query() const {
  return {.resource = kube::kControllerRevisions,
          .namespace_ = ref_.namespace_,
          .label_selector = daemon_set_.selector};
}

template <class T>
void RolloutWatch::keep(Kept<T>& kept, const kube::ListQuery& query,
                        T (*reduce)(const json::object&)) {
  kept.watch = context_.api.watch(query, [this, &kept, reduce](const kube::WatchEvent& event) {
    using Type = kube::WatchEvent::Type;
    const auto name = text_at(event.object, {"metadata", "name"});
    switch (event.type) {
      case Type::added:
      case Type::modified:
        kept.items.insert_or_assign(name, reduce(event.object));
        kept.listed.insert(name);
        break;
      case Type::deleted:
        kept.items.erase(name);
        kept.listed.erase(name);
        break;
      case Type::synced:
        // What was deleted while the connection was down is not in the new list.
        std::erase_if(kept.items,
                      [&](const auto& one) { return !kept.listed.contains(one.first); });
        kept.synced = true;
        trouble_.clear();
        break;
      case Type::resumed:
        trouble_.clear();
        break;
      case Type::trouble:
        kept.listed.clear();
        trouble_ = event.text;
        break;
    }
    dirty_ = true;
  });
}

template <class T>
Result<void> RolloutWatch::read_all(Kept<T>& kept, const kube::ListQuery& query,
                                    T (*reduce)(const json::object&)) {
  std::map<std::string, T> items;
  auto listed = context_.api.list(
      query, [&] { items.clear(); },
      [&](json::object&& object) {
        items.insert_or_assign(text_at(object, {"metadata", "name"}), reduce(object));
      });
  if (!listed) return std::move(listed).error();
  kept.items = std::move(items);
  return {};
}

void RolloutWatch::on_daemon_set(const kube::WatchEvent& event) {
  using Type = kube::WatchEvent::Type;
  dirty_ = true;
  if (event.type == Type::trouble) trouble_ = event.text;
  if (event.type == Type::synced || event.type == Type::resumed) trouble_.clear();
  if (event.type == Type::deleted) deleted_ = true;
  if (event.type == Type::added || event.type == Type::modified)
    daemon_set_ = read_daemon_set(event.object);
}

bool RolloutWatch::synced() const {
  return pods_.synced && (nodes_.synced || !nodes_readable_) &&
         (revisions_.synced || !revisions_readable_);
}

Result<void> RolloutWatch::read_daemon_set_now() {
  auto object = context_.api.get(object_of(ref_));
  if (!object) {
    if (object.error().kind == ErrorKind::not_found) deleted_ = true;
    return std::move(object).error();
  }
  daemon_set_ = read_daemon_set(*object);
  return {};
}

Result<void> RolloutWatch::read_readable(bool& readable, const Result<void>& outcome) {
  if (outcome) return {};
  if (outcome.error().kind != ErrorKind::not_permitted) return outcome.error();
  readable = false;
  return {};
}

Result<void> RolloutWatch::refresh() {
  dirty_ = true;
  // The DaemonSet last but for the revisions: a status that is newer than the pods' list can only
  // make the numbers differ.
  if (!daemon_set_.uid.empty()) TRY(read_all(pods_, pods_query(), &read_pod));
  const bool first = daemon_set_.uid.empty();
  TRY(read_daemon_set_now());
  if (first) TRY(read_all(pods_, pods_query(), &read_pod));
  if (nodes_readable_) TRY(read_readable(nodes_readable_, read_all(nodes_, kAllNodes, &read_node)));
  if (revisions_readable_)
    TRY(read_readable(revisions_readable_,
                      read_all(revisions_, revisions_query(), &read_revision)));
  return {};
}

Rollout RolloutWatch::snapshot() {
  dirty_ = false;
  if (nodes_readable_) {
    expected_.clear();
    for (const auto& [name, node] : nodes_.items)
      if (schedules_on(daemon_set_.placement, node.facts)) expected_.insert(name);
  }
  RolloutInput input{.daemon_set = daemon_set_, .expected = expected_};
  for (const auto& [name, pod] : pods_.items) {
    input.pods.push_back(pod);
    if (pod.owner_uid == daemon_set_.uid && !pod.node.empty()) expected_.insert(pod.node);
  }
  if (nodes_readable_) input.nodes = nodes_.items;
  if (revisions_readable_) {
    input.revisions.emplace();
    for (const auto& [name, revision] : revisions_.items) input.revisions->push_back(revision);
  }
  Rollout rollout = judge_rollout(input);
  rollout.trouble = trouble_;
  return rollout;
}

}  // namespace catflap::act
