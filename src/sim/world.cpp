#include "sim/world.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/debug_pod.hpp"
#include "sim/edits.hpp"
#include "sim/inside.hpp"

namespace catflap::sim {
namespace {

constexpr const char* kNotReady = "sim.catflap.dev/not-ready";
constexpr const char* kFelixStarts = "sim.catflap.dev/felix-starts";
constexpr Port kKubeletPort = 10250;

json::object node_condition(std::string_view type, std::string_view status, std::string_view reason,
                            std::string_view message, TimePoint since) {
  return {{"type", type},
          {"status", status},
          {"reason", reason},
          {"message", message},
          {"lastTransitionTime", to_rfc3339(since)}};
}

void set_condition(json::object& object, json::object condition) {
  auto& conditions = array_in(object_in(object, "status"), "conditions");
  for (auto& one : conditions) {
    const auto* known = one.if_object();
    if (known == nullptr || text_at(*known, {"type"}) != text_at(condition, {"type"})) continue;
    if (text_at(*known, {"status"}) != text_at(condition, {"status"})) one = std::move(condition);
    return;
  }
  conditions.push_back(std::move(condition));
}

/// What the node controller puts on a node that it does not hear from.
void set_unreachable(json::object& node, bool unreachable) {
  auto& taints = array_in(object_in(node, "spec"), "taints");
  constexpr const char* kTaint = "node.kubernetes.io/unreachable";
  json::array others;
  for (auto& taint : taints)
    if (!taint.is_object() || text_at(taint.get_object(), {"key"}) != kTaint)
      others.push_back(taint);
  if (unreachable) {
    others.push_back(json::object{{"key", kTaint}, {"effect", "NoSchedule"}});
    others.push_back(json::object{{"key", kTaint}, {"effect", "NoExecute"}});
  }
  if (others.empty()) {
    object_in(node, "spec").erase("taints");
  } else {
    taints = std::move(others);
  }
}

}  // namespace

json::array with_env(json::array env, const json::value& changes) {
  if (changes.is_array()) {
    for (const auto& entry : changes.as_array()) env.push_back(entry);
    return env;
  }
  if (!changes.is_object()) return env;
  for (const auto& [name, value] : changes.as_object()) {
    json::object entry{{"name", name}, {"value", value}};
    const auto same = std::ranges::find_if(env, [&](const json::value& known) {
      return known.is_object() && text_at(known.as_object(), {"name"}) == name;
    });
    if (same != env.end()) {
      *same = std::move(entry);
    } else {
      env.push_back(std::move(entry));
    }
  }
  return env;
}

World::World(Store& store, Settings settings, Wire* wire)
    : store_(store),
      settings_(std::move(settings)),
      sockets_(settings_.addresses, wire),
      tigera_operator_(store),
      daemon_sets_(store),
      jobs_(store),
      kubelets_(store, sockets_, settings_),
      booted_(store.clock().now() - std::chrono::hours{72}) {}

Result<std::unique_ptr<World>> World::open(Store& store, Settings settings, Wire* wire,
                                           const std::function<void(Duration)>& advance) {
  std::unique_ptr<World> world(new World(store, std::move(settings), wire));
  TRY(world->open_listeners());
  world->tigera_operator_.begin();
  world->settle(advance);
  return world;
}

Result<void> World::open_listeners() {
  for (const auto& node : settings_.nodes) {
    if (!sockets_.open({.node = node,
                        .port = kKubeletPort,
                        .serves = "kubelet",
                        .owner = SocketOwner::kubelet}))
      return Error{.kind = ErrorKind::usage,
                   .what = fmt::format("port {} of {} cannot be opened here", kKubeletPort, node),
                   .hint = "end what has it; another catflap demo may be running"};
    const auto listeners = settings_.listeners.find(node);
    if (listeners == settings_.listeners.end()) continue;
    for (const auto& one : listeners->second)
      if (!sockets_.open(
              {.node = node, .address = one.address, .port = one.port, .serves = one.serves}))
        return Error{.kind = ErrorKind::usage,
                     .what = fmt::format("the listener {} on port {} of {} cannot be opened here",
                                         one.serves, one.port, node),
                     .hint = "end what has it; another catflap demo may be running"};
  }
  return {};
}

/// Winds the clock until nothing has happened for a while: a pod that waits for its image tries for
/// ever.
void World::settle(const std::function<void(Duration)>& advance) {
  constexpr Duration kStep{100};
  constexpr int kQuiet = 50;
  constexpr int kMost = 3000;
  daemon_sets_.begin_setup(settings_.pods);
  int quiet = 0;
  for (int i = 0; i < kMost && quiet < kQuiet; ++i) {
    const auto before = store_.resource_version();
    tick();
    quiet = before == store_.resource_version() ? quiet + 1 : 0;
    advance(kStep);
  }
  apply_odd_pods(daemon_sets_.end_of_setup());
  for (const auto& node : settings_.not_ready)
    store_.edit({kube::kNodes, "", node}, [](json::object& object) {
      object_in(object_in(object, "metadata"), "annotations")[kNotReady] = "true";
    });
  kubelets_.forget_starts();
  due_ = {};
  tick();
}

void World::apply_odd_pods(const OddPods& pods) {
  kubelets_.set_odd_pods(pods);
  for (const auto& [uid, odd] : pods) {
    const auto* running = kubelets_.find(uid);
    if (running == nullptr || !odd.terminating) continue;
    store_.edit(pod_ref(running->pod), [&](json::object& object) {
      auto& metadata = object_in(object, "metadata");
      metadata["deletionTimestamp"] = to_rfc3339(store_.clock().now());
      metadata["deletionGracePeriodSeconds"] = 30;
    });
  }
}

void World::tick() {
  if (store_.clock().now() < due_ && store_.resource_version() == quiet_at_) return;
  const auto before = store_.resource_version();
  due_ = std::min({tigera_operator_.tick(), daemon_sets_.tick(), jobs_.tick(), kubelets_.tick()});
  watch_nodes();
  quiet_at_ = store_.resource_version() == before ? before : "";
}

void World::watch_nodes() {
  for (const auto& node : store_.select({.resource = kube::kNodes})) watch_node(node);
}

void World::watch_node(const json::object& node) {
  const auto name = name_of(node);
  const bool still = kubelets_.stands_still(name);
  const auto now = store_.clock().now();
  const auto starts = std::to_string(kubelets_.starts(name));
  store_.edit({kube::kNodes, "", name}, [&](json::object& object) {
    object_in(object_in(object, "metadata"), "annotations")[kFelixStarts] = starts;
    set_condition(object, still ? node_condition("Ready", "Unknown", "NodeStatusUnknown",
                                                 "Kubelet stopped posting node status.", now)
                                : node_condition("Ready", "True", "KubeletReady",
                                                 "kubelet is posting ready status", now));
    set_unreachable(object, still);
  });
  if (still) lose_pods(name);
}

/// Their containers may run on: only the condition changes.
void World::lose_pods(const std::string& node) {
  const auto now = store_.clock().now();
  for (const auto& pod :
       store_.select({.resource = kube::kPods, .field_selector = "spec.nodeName=" + node})) {
    if (!is_condition_true(pod, "Ready")) continue;
    store_.edit(pod_ref(pod), [&](json::object& object) {
      set_condition(
          object,
          {{"type", "Ready"}, {"status", "False"}, {"lastTransitionTime", to_rfc3339(now)}});
    });
  }
}

bool World::listens(const std::string& node) const {
  return std::ranges::any_of(sockets_.of_node(node), [](const Socket& socket) {
    return socket.owner == SocketOwner::felix;
  });
}

std::optional<ExecAnswer> World::exec(const ExecRequest& request) const {
  const auto* pod = store_.find({kube::kPods, request.namespace_, request.pod});
  if (pod == nullptr) return std::nullopt;
  const auto* running = kubelets_.find(uid_of(*pod));
  if (running == nullptr || !running->started || kubelets_.stands_still(running->node))
    return std::nullopt;
  const auto nonce = inside_nonce(request.command);
  const auto tools = text_at(*pod, {"metadata", "annotations", "sim.catflap.dev/tools"});
  if (auto out = debug_pod_output(request.command, tools.empty() ? "curl" : tools, sockets_,
                                  settings_.nodes))
    return ExecAnswer{.out = *std::move(out)};
  if (!nonce) return ExecAnswer{.err = "sh: command not found\n", .exit_code = 127};
  std::optional<std::string> file;
  if (const auto own = settings_.felix_cfg.find(running->node); own != settings_.felix_cfg.end())
    file = own->second;
  else if (running->felix)
    file = mounted_felix_cfg(store_, running->felix->container());
  return ExecAnswer{.out = inside_output(*nonce, {.sockets = sockets_.of_node(running->node),
                                                  .felix = running->felix.get(),
                                                  .uptime = store_.clock().now() - booted_,
                                                  .booted = booted_,
                                                  .felix_cfg = file})};
}

Reply World::logs(const LogRequest& request) const {
  const auto* pod = store_.find({kube::kPods, request.namespace_, request.pod});
  const auto* running = pod == nullptr ? nullptr : kubelets_.find(uid_of(*pod));
  if (running != nullptr && kubelets_.stands_still(running->node))
    return failure_reply(500, "InternalError",
                         fmt::format("the kubelet of {} does not answer", running->node));
  if (running == nullptr || !running->started)
    return bad_request(fmt::format("container \"{}\" in pod \"{}\" is waiting to start: {}",
                                   request.container, request.pod,
                                   running == nullptr ? "Pending" : running->waiting_reason));
  if (request.previous)
    return bad_request(fmt::format("previous terminated container \"{}\" in pod \"{}\" not found",
                                   request.container, request.pod));
  const auto* node = store_.find({kube::kNodes, "", running->node});
  if (running->done && node != nullptr)  // of a Job: catflap's agent
    return text_reply(agent_log(*pod, {.inside = {.sockets = sockets_.of_node(running->node),
                                                  .felix = kubelets_.felix_of(running->node),
                                                  .uptime = store_.clock().now() - booted_,
                                                  .booted = booted_},
                                       .node = *node,
                                       .sockets = sockets_,
                                       .nodes = settings_.nodes})
                          .substr(0, request.bytes.value_or(std::string::npos)));
  const bool is_felix =
      running->felix && running->felix->container().container == request.container;
  return text_reply(is_felix ? log_text(running->felix->log().lines(), request) : std::string{});
}

ForwardPlay World::forward(const ForwardRequest& request) const {
  const auto* pod = store_.find({kube::kPods, request.namespace_, request.pod});
  const auto* running = pod == nullptr ? nullptr : kubelets_.find(uid_of(*pod));
  if (running == nullptr || !running->started || kubelets_.stands_still(running->node))
    return {.hangs = true};
  for (const auto& socket : sockets_.of_node(running->node)) {
    const bool local = !socket.address || socket.address->is_loopback();
    if (local && socket.port == request.port)
      return {.target = ForwardTarget{.serves = socket.serves, .node = socket.node}};
  }
  return {};
}

}  // namespace catflap::sim
