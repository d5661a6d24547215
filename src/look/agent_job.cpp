#include "look/agent_job.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/json_read.hpp"
#include "base/text.hpp"

namespace catflap::look {
namespace {

constexpr std::int64_t kKeptSeconds = 60;  // after it has ended
constexpr Duration kRead = std::chrono::seconds(15);
constexpr Duration kOldest = std::chrono::minutes(5);
constexpr std::int64_t kNobody = 65532;

json::object container_security(const AgentJob& job) {
  json::object security{{"allowPrivilegeEscalation", false},
                        {"readOnlyRootFilesystem", true},
                        {"privileged", false},
                        {"capabilities", {{"drop", {"ALL"}}}}};
  if (job.network == AgentJob::Network::pod) {
    security["runAsNonRoot"] = true;
    security["runAsUser"] = kNobody;
    security["runAsGroup"] = kNobody;
    return security;
  }
  security["runAsUser"] = 0;
  // /proc/PID/fd of other users' processes needs the one, its links and process 1's root the other.
  security["capabilities"].as_object()["add"] = {"DAC_READ_SEARCH", "SYS_PTRACE"};
  return security;
}

json::object container_of(const AgentJob& job) {
  const json::array words(job.words.begin(), job.words.end());
  return {{"name", "agent"},
          {"image", job.image},
          {"imagePullPolicy", job.is_on_node ? "Never" : "IfNotPresent"},
          {job.is_on_node ? "command" : "args", words},
          {"securityContext", container_security(job)},
          {"resources",
           {{"requests", {{"cpu", "10m"}, {"memory", "32Mi"}}},
            {"limits", {{"cpu", "500m"}, {"memory", "128Mi"}}}}}};
}

json::object pod_of(const AgentJob& job) {
  const bool on_node = job.network == AgentJob::Network::node;
  json::object spec{{"nodeName", job.node},
                    {"restartPolicy", "Never"},
                    {"automountServiceAccountToken", false},
                    {"enableServiceLinks", false},
                    {"terminationGracePeriodSeconds", 1},
                    {"tolerations", json::array{json::object{{"operator", "Exists"}}}},
                    {"securityContext", {{"seccompProfile", {{"type", "RuntimeDefault"}}}}},
                    {"containers", json::array{container_of(job)}}};
  if (!on_node) return spec;
  spec["hostNetwork"] = true;
  spec["hostPID"] = true;
  // AppArmor's default profile lets nobody look at the processes of others.
  spec["securityContext"].as_object()["appArmorProfile"] = {{"type", "Unconfined"}};
  return spec;
}

bool is_one_of(const std::string& word, std::initializer_list<const char*> words) {
  return std::ranges::any_of(words, [&](const char* one) { return word == one; });
}

const json::object* state_of(const json::object& pod, std::string_view state) {
  const auto statuses = objects_at(pod, {"status", "containerStatuses"});
  return statuses.empty() ? nullptr : object_at(*statuses.front(), {"state", state});
}

/// "REASON: MESSAGE", bounded.
std::string words_of(const json::object& object) {
  const auto reason = text_at(object, {"reason"});
  const auto message = text_at(object, {"message"});
  const auto* between = reason.empty() || message.empty() ? "" : ": ";
  return printable(reason + between + message, 300);
}

AgentPod of_waiting(const json::object& waiting) {
  using enum AgentPod::Stage;
  const auto reason = text_at(waiting, {"reason"});
  if (is_one_of(reason, {"ErrImageNeverPull", "ErrImagePull", "ImagePullBackOff",
                         "InvalidImageName", "ImageInspectError", "RegistryUnavailable"}))
    return {failed, "agent-image", words_of(waiting)};
  if (is_one_of(reason, {"CreateContainerConfigError", "CreateContainerError", "RunContainerError",
                         "CreatePodSandboxError", "ConfigPodSandboxError", "StartError"}))
    return {failed, "agent-failed", words_of(waiting)};
  return {waits, "", words_of(waiting)};
}

AgentPod of_failed(const json::object& pod) {
  using enum AgentPod::Stage;
  const auto& status = pod.at("status").as_object();
  const auto reason = text_at(status, {"reason"});
  if (reason == "DeadlineExceeded") return {failed, "agent-timeout", words_of(status)};
  if (is_one_of(reason, {"Evicted", "Preempting", "Shutdown", "Terminated", "NodeShutdown"}))
    return {failed, "agent-evicted", words_of(status)};
  const auto* ended = state_of(pod, "terminated");
  if (!reason.empty() || ended == nullptr) return {failed, "agent-failed", words_of(status)};
  return {failed, "agent-failed",
          fmt::format("its container ended with {}: {}", number_at(*ended, {"exitCode"}),
                      words_of(*ended))};
}

}  // namespace

json::object job_manifest(const AgentJob& job, const std::string& name, const std::string& run) {
  const json::object labels{{"app.kubernetes.io/name", "catflap-agent"},
                            {"app.kubernetes.io/managed-by", "catflap"},
                            {kRunLabel, run}};
  json::object template_metadata{{"labels", labels}};
  if (job.network == AgentJob::Network::node)  // as the field was called before Kubernetes 1.30
    template_metadata["annotations"] = {
        {"container.apparmor.security.beta.kubernetes.io/agent", "unconfined"}};
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(job.longest).count();
  return {{"apiVersion", "batch/v1"},
          {"kind", "Job"},
          {"metadata", {{"name", name}, {"labels", labels}}},
          {"spec",
           {{"backoffLimit", 0},
            {"completions", 1},
            {"parallelism", 1},
            {"activeDeadlineSeconds", seconds},
            {"ttlSecondsAfterFinished", kKeptSeconds},
            {"template", {{"metadata", template_metadata}, {"spec", pod_of(job)}}}}}};
}

AgentPod read_agent_pod(const json::object& pod) {
  using enum AgentPod::Stage;
  const auto phase = text_at(pod, {"status", "phase"});
  if (phase == "Succeeded") return {answered, "", ""};
  if (phase == "Failed") return of_failed(pod);
  if (!text_at(pod, {"metadata", "deletionTimestamp"}).empty())
    return {failed, "agent-evicted", "its pod is being deleted"};
  if (const auto* waiting = state_of(pod, "waiting")) return of_waiting(*waiting);
  return {waits, "", phase == "Running" ? "it runs" : "the kubelet has not begun"};
}

bool is_left_over(const json::object& job, TimePoint now) {
  const auto made = time_at(job, {"metadata", "creationTimestamp"});
  if (!made || *made + kOldest < now) return true;
  for (const auto* condition : objects_at(job, {"status", "conditions"})) {
    const bool ended = is_one_of(text_at(*condition, {"type"}), {"Complete", "Failed"}) &&
                       text_at(*condition, {"status"}) == "True";
    const auto at = time_at(*condition, {"lastTransitionTime"});
    if (ended && at && *at + kRead < now) return true;
  }
  return false;
}

}  // namespace catflap::look
