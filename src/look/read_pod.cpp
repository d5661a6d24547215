#include "look/read_pod.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "base/json_read.hpp"
#include "base/text.hpp"

namespace catflap::look {
namespace {

constexpr std::size_t kMessageBytes = 300;

/// "exit code 1: message" of a terminated state.
std::string ending(const json::object& terminated) {
  auto text = fmt::format("exit code {}", number_at(terminated, {"exitCode"}));
  if (const auto signal = number_at(terminated, {"signal"}); signal != 0) {
    text = fmt::format("signal {}", signal);
  }
  const auto message = text_at(terminated, {"message"});
  return message.empty() ? text : text + ": " + printable(message, kMessageBytes);
}

void read_trouble(const json::object& status, PodFacts& pod) {
  const auto container = text_at(status, {"name"});
  const auto* last = object_at(status, {"lastState", "terminated"});
  if (const auto* waiting = object_at(status, {"state", "waiting"})) {
    const auto reason = text_at(*waiting, {"reason"});
    // These two are how every container starts.
    if (reason.empty() || reason == "ContainerCreating" || reason == "PodInitializing") return;
    auto message = printable(text_at(*waiting, {"message"}), kMessageBytes);
    if (last != nullptr) message += fmt::format(" (last: {})", ending(*last));
    pod.troubles.push_back({container, reason, std::move(message)});
    return;
  }
  if (const auto* ended = object_at(status, {"state", "terminated"})) {
    if (text_at(*ended, {"reason"}) == "Completed") return;
    pod.troubles.push_back({container, text_at(*ended, {"reason"}), ending(*ended)});
    return;
  }
  // It runs but is not ready: how it ended the last time is the best hint there is.
  if (last != nullptr && !true_at(status, {"ready"})) {
    pod.troubles.push_back({container, text_at(*last, {"reason"}), ending(*last)});
  }
}

void read_conditions(const json::object& pod, PodFacts& facts) {
  for (const auto& entry : array_at(pod, {"status", "conditions"})) {
    if (!entry.is_object()) continue;
    const auto& condition = entry.get_object();
    const auto type = text_at(condition, {"type"});
    const bool holds = text_at(condition, {"status"}) == "True";
    if (type == "Ready") facts.ready = holds;
    if (type == "PodScheduled" && !holds) {
      facts.unschedulable_message = printable(text_at(condition, {"message"}), kMessageBytes);
    }
  }
}

void add_host_ip(PodFacts& facts, const std::string& text) {
  const auto address = IpAddress::parse(text);
  if (address && std::ranges::find(facts.host_ips, *address) == facts.host_ips.end()) {
    facts.host_ips.push_back(*address);
  }
}

void read_status(const json::object& pod, PodFacts& facts) {
  read_conditions(pod, facts);
  for (const auto& entry : array_at(pod, {"status", "initContainerStatuses"})) {
    if (entry.is_object()) read_trouble(entry.get_object(), facts);
  }
  for (const auto& entry : array_at(pod, {"status", "containerStatuses"})) {
    if (!entry.is_object()) continue;
    const auto& status = entry.get_object();
    read_trouble(status, facts);
    if (text_at(status, {"name"}) != facts.felix_container) continue;
    facts.felix_running = object_at(status, {"state", "running"}) != nullptr;
    facts.felix_started = time_at(status, {"state", "running", "startedAt"});
    facts.felix_restarts = static_cast<int>(
        std::clamp<std::int64_t>(number_at(status, {"restartCount"}), 0, 1'000'000'000));
  }
  facts.pod_ip = IpAddress::parse(text_at(pod, {"status", "podIP"}));
  add_host_ip(facts, text_at(pod, {"status", "hostIP"}));
  for (const auto& entry : array_at(pod, {"status", "hostIPs"})) {
    if (entry.is_object()) add_host_ip(facts, text_at(entry.get_object(), {"ip"}));
  }
}

}  // namespace

std::string controller_uid(const json::object& object) {
  for (const auto& entry : array_at(object, {"metadata", "ownerReferences"})) {
    if (entry.is_object() && true_at(entry.get_object(), {"controller"})) {
      return text_at(entry.get_object(), {"uid"});
    }
  }
  return {};
}

PodFacts read_pod(const json::object& pod, const std::string& felix_container) {
  PodFacts facts;
  facts.namespace_ = text_at(pod, {"metadata", "namespace"});
  facts.name = text_at(pod, {"metadata", "name"});
  facts.uid = text_at(pod, {"metadata", "uid"});
  facts.node = text_at(pod, {"spec", "nodeName"});
  facts.template_hash = text_at(pod, {"metadata", "labels", "controller-revision-hash"});
  facts.phase = text_at(pod, {"status", "phase"});
  facts.terminating = !text_at(pod, {"metadata", "deletionTimestamp"}).empty();
  facts.felix_container = felix_container;
  if (const auto* container = named(array_at(pod, {"spec", "containers"}), felix_container)) {
    facts.image = text_at(*container, {"image"});
  }
  facts.host_network = true_at(pod, {"spec", "hostNetwork"});
  facts.created = time_at(pod, {"metadata", "creationTimestamp"});
  read_status(pod, facts);
  return facts;
}

}  // namespace catflap::look
