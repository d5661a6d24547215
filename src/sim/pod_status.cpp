#include "sim/pod_status.hpp"

#include <fmt/format.h>

#include "sim/edits.hpp"

namespace catflap::sim {
namespace {

json::object condition(std::string_view type, bool holds, TimePoint since) {
  return {{"type", type},
          {"status", holds ? "True" : "False"},
          {"lastTransitionTime", to_rfc3339(since)}};
}

json::object container_status(const RunningPod& running, const json::object& container) {
  json::object state;
  if (running.started && !running.ends_at && !running.done) {
    state["running"] = {{"startedAt", to_rfc3339(*running.started)}};
  } else if (running.ends_at || running.done) {
    state["terminated"] = {{"exitCode", 0}, {"reason", "Completed"}};
  } else {
    json::object waiting{{"reason", running.waiting_reason}};
    if (!running.waiting_message.empty()) waiting["message"] = running.waiting_message;
    state["waiting"] = std::move(waiting);
  }
  const auto name = text_at(container, {"name"});
  json::object status{{"name", name},
                      {"image", text_at(container, {"image"})},
                      {"imageID", ""},
                      {"ready", running.ready.has_value()},
                      {"restartCount", 0},
                      {"started", running.started.has_value()},
                      {"state", std::move(state)}};
  if (running.started)
    status["containerID"] = fmt::format("containerd://{}-{}", uid_of(running.pod), name);
  return status;
}

json::object init_status(const RunningPod& running, const json::object& container) {
  json::object state{{"waiting", {{"reason", "PodInitializing"}}}};
  if (running.started)
    state = {{"terminated",
              {{"exitCode", 0},
               {"reason", "Completed"},
               {"startedAt", to_rfc3339(running.seen)},
               {"finishedAt", to_rfc3339(*running.started)}}}};
  return {{"name", text_at(container, {"name"})},
          {"image", text_at(container, {"image"})},
          {"ready", running.started.has_value()},
          {"restartCount", 0},
          {"state", std::move(state)}};
}

}  // namespace

void add_addresses(json::object& pod, const std::vector<IpAddress>& addresses) {
  if (addresses.empty()) return;
  auto& status = object_in(pod, "status");
  json::array all;
  for (const auto& address : addresses) all.push_back(json::object{{"ip", address.to_string()}});
  status["hostIP"] = addresses.front().to_string();
  status["hostIPs"] = all;
  if (!true_at(pod, {"spec", "hostNetwork"})) return;
  status["podIP"] = addresses.front().to_string();
  status["podIPs"] = std::move(all);
}

json::object pod_status(const RunningPod& running, const std::vector<IpAddress>& addresses) {
  json::object pod = running.pod;
  add_addresses(pod, addresses);
  auto& status = object_in(pod, "status");
  const auto since = running.ready.value_or(running.started.value_or(running.seen));
  status["phase"] = running.done ? "Succeeded" : running.started ? "Running" : "Pending";
  status["startTime"] = to_rfc3339(running.seen);
  status["conditions"] = json::array{
      condition("Initialized", running.started.has_value(), running.started.value_or(running.seen)),
      condition("Ready", running.ready.has_value(), since),
      condition("ContainersReady", running.ready.has_value(), since),
      condition("PodScheduled", true, running.seen)};
  json::array containers;
  for (const auto* one : objects_at(running.pod, {"spec", "containers"}))
    containers.push_back(container_status(running, *one));
  status["containerStatuses"] = std::move(containers);
  json::array inits;
  for (const auto* one : objects_at(running.pod, {"spec", "initContainers"}))
    inits.push_back(init_status(running, *one));
  if (!inits.empty()) status["initContainerStatuses"] = std::move(inits);
  return std::move(status);
}

}  // namespace catflap::sim
