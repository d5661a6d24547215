#include "sim/jobs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "sim/edits.hpp"

namespace catflap::sim {
namespace {

const Resource kJobs{"batch", "v1", "jobs"};
const Resource kEvents{"", "v1", "events"};

std::string namespace_of(const json::object& object) {
  return text_at(object, {"metadata", "namespace"});
}

ObjectRef ref_of(const json::object& job) {
  return {kJobs, namespace_of(job), name_of(job)};
}

/// When it ended, if it has.
std::optional<TimePoint> ended_at(const json::object& job) {
  for (const auto* condition : objects_at(job, {"status", "conditions"}))
    if (text_at(*condition, {"status"}) == "True")
      return time_at(*condition, {"lastTransitionTime"});
  return std::nullopt;
}

std::string owner_of(const json::object& pod) {
  const auto owners = objects_at(pod, {"metadata", "ownerReferences"});
  if (owners.empty() || text_at(*owners.front(), {"kind"}) != "Job") return "";
  return text_at(*owners.front(), {"uid"});
}

/// In the words of the real one (1.33), of what catflap's agent asks for.
std::string why_not(const json::object& job, const std::string& level) {
  const auto* spec = object_at(job, {"spec", "template", "spec"});
  const bool host = spec != nullptr && true_at(*spec, {"hostNetwork"});
  if (!host || (level != "baseline" && level != "restricted")) return "";
  return fmt::format(
      "Error creating: pods \"{}-x\" is forbidden: violates PodSecurity \"{}:latest\": non-default "
      "capabilities (container \"agent\" must not include \"SYS_PTRACE\" in "
      "securityContext.capabilities.add), host namespaces (hostNetwork=true, hostPID=true)",
      name_of(job), level);
}

}  // namespace

TimePoint Jobs::tick() {
  auto due = kNever;
  for (const auto& job : store_.select({.resource = kJobs})) due = std::min(due, tick_job(job));
  collect();
  return due;
}

TimePoint Jobs::tick_job(const json::object& job) {
  const auto now = store_.clock().now();
  if (const auto at = ended_at(job)) {
    const auto gone =
        *at + std::chrono::seconds(number_at(job, {"spec", "ttlSecondsAfterFinished"}));
    if (now >= gone) store_.erase(ref_of(job));
    return gone;
  }
  const auto made = time_at(job, {"metadata", "creationTimestamp"}).value_or(now);
  const auto deadline =
      made + std::chrono::seconds(number_at(job, {"spec", "activeDeadlineSeconds"}));
  for (const auto& pod :
       store_.select({.resource = kube::kPods, .namespace_ = namespace_of(job)})) {
    if (owner_of(pod) != uid_of(job)) continue;
    const auto phase = text_at(pod, {"status", "phase"});
    if (phase == "Succeeded") end(job, "Complete", "CompletionsReached");
    if (phase == "Failed") end(job, "Failed", "BackoffLimitExceeded");
    if (now >= deadline) {
      store_.erase(pod_ref(pod));
      end(job, "Failed", "DeadlineExceeded");
    }
    return deadline;
  }
  if (now >= deadline) {
    end(job, "Failed", "DeadlineExceeded");
    return deadline;
  }
  const auto* space = store_.find({kube::kNamespaces, "", namespace_of(job)});
  const auto level =
      space == nullptr
          ? ""
          : text_at(*space, {"metadata", "labels", "pod-security.kubernetes.io/enforce"});
  const auto why = why_not(job, level);
  if (why.empty()) {
    make_pod(job);
  } else {
    refuse(job, why);
  }
  return deadline;
}

void Jobs::make_pod(const json::object& job) {
  const auto* own = object_at(job, {"spec", "template", "metadata", "labels"});
  auto labels = own == nullptr ? json::object{} : *own;
  labels["job-name"] = name_of(job);
  store_.put(kube::kPods,
             {{"apiVersion", "v1"},
              {"kind", "Pod"},
              {"metadata",
               {{"name", fmt::format("{}-{:05}", name_of(job), ++pods_)},
                {"namespace", namespace_of(job)},
                {"labels", labels},
                {"ownerReferences", json::array{json::object{{"apiVersion", "batch/v1"},
                                                             {"kind", "Job"},
                                                             {"name", name_of(job)},
                                                             {"uid", uid_of(job)},
                                                             {"controller", true}}}}}},
              {"spec", *object_at(job, {"spec", "template", "spec"})},
              {"status", {{"phase", "Pending"}}}});
}

void Jobs::refuse(const json::object& job, const std::string& why) {
  const auto name = name_of(job) + ".0";
  if (store_.find({kEvents, namespace_of(job), name}) != nullptr) return;
  store_.put(kEvents, {{"apiVersion", "v1"},
                       {"kind", "Event"},
                       {"metadata", {{"name", name}, {"namespace", namespace_of(job)}}},
                       {"involvedObject",
                        {{"kind", "Job"},
                         {"namespace", namespace_of(job)},
                         {"name", name_of(job)},
                         {"uid", uid_of(job)}}},
                       {"reason", "FailedCreate"},
                       {"type", "Warning"},
                       {"message", why}});
}

void Jobs::end(const json::object& job, const char* type, const char* reason) {
  const auto now = store_.clock().now();
  store_.edit(ref_of(job), [&](json::object& object) {
    object_in(object, "status")["conditions"] =
        json::array{json::object{{"type", type},
                                 {"status", "True"},
                                 {"reason", reason},
                                 {"lastTransitionTime", to_rfc3339(now)}}};
  });
}

/// Pods whose Job is gone.
void Jobs::collect() {
  std::set<std::string> there;
  for (const auto& job : store_.select({.resource = kJobs})) there.insert(uid_of(job));
  for (const auto& pod : store_.select({.resource = kube::kPods})) {
    const auto owner = owner_of(pod);
    if (!owner.empty() && !there.contains(owner)) store_.erase(pod_ref(pod));
  }
}

}  // namespace catflap::sim
