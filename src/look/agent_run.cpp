#include "look/agent_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/json_read.hpp"
#include "base/text.hpp"
#include "look/asks.hpp"

namespace catflap::look {
namespace {

constexpr Duration kTick{300};
constexpr Duration kPodSoon{2000};  // a Job without a pod for that long may have been refused one
constexpr Duration kWholeSeconds{2000};
constexpr Duration kAfterEnd{10'000};  // for the cluster to end a Job whose time is up
constexpr std::size_t kMostLog = 4u << 20;

std::string name_of(const json::object& object) {
  return text_at(object, {"metadata", "name"});
}

std::string owner_of(const json::object& pod) {
  const auto owners = objects_at(pod, {"metadata", "ownerReferences"});
  return owners.empty() ? "" : text_at(*owners.front(), {"uid"});
}

/// A Job that is under way.
struct Active {
  std::size_t index = 0;
  std::string uid;
  SteadyPoint since{};
  bool had_pod = false;
  std::string pod;
  AgentPod seen;
};

class AgentRun {
 public:
  AgentRun(const LookContext& context, std::string where, const std::vector<AgentJob>& jobs)
      : context_(context), namespace_(std::move(where)), jobs_(jobs) {
    result_.answers.resize(jobs.size());
  }
  ~AgentRun() {
    for (const auto& [name, active] : active_) take_away(name, active.uid);
  }
  AgentRun(const AgentRun&) = delete;
  AgentRun& operator=(const AgentRun&) = delete;

  AgentAnswers run(std::size_t parallel, const std::function<void(std::size_t)>& progress) &&;
  void take_away_left_overs(Duration clock_skew);

 private:
  void make(std::size_t index);
  void read_pods();
  void read_refusals();
  void judge(Active& active) const;
  void harvest();
  void finish(const std::string& name, AgentAnswer answer);
  void take_away(const std::string& name, const std::string& uid) const;

  const LookContext& context_;
  std::string namespace_;
  const std::vector<AgentJob>& jobs_;
  std::string run_ = make_nonce();
  std::map<std::string, Active> active_;  // by the Job's name
  std::size_t done_ = 0;
  bool made_one_ = false;
  AgentAnswers result_;
};

void AgentRun::take_away(const std::string& name, const std::string& uid) const {
  // What cannot be taken away goes by itself (ttlSecondsAfterFinished).
  static_cast<void>(
      context_.api.remove({kJobs, namespace_, name}, uid, "", {.propagation = "Background"}));
}

void AgentRun::take_away_left_overs(Duration clock_skew) {
  std::vector<std::pair<std::string, std::string>> found;
  const auto now = context_.clock.now() + clock_skew;
  const auto listed = context_.api.list(
      {.resource = kJobs, .namespace_ = namespace_, .label_selector = kAgentSelector},
      [&] { found.clear(); },
      [&](json::object&& job) {
        if (is_left_over(job, now))
          found.emplace_back(name_of(job), text_at(job, {"metadata", "uid"}));
      });
  if (!listed) return;  // making one will say what is wrong
  for (const auto& [name, uid] : found) take_away(name, uid);
}

void AgentRun::make(std::size_t index) {
  const auto name = fmt::format("catflap-agent-{}-{}", run_, index);
  result_.answers[index].asked = context_.clock.now();
  auto made = context_.api.create(kJobs, namespace_, job_manifest(jobs_[index], name, run_), {});
  auto object = made ? Result<json::object>(std::move(made->object))
                     : context_.api.get({kJobs, namespace_, name});  // the reply may have been lost
  if (object) {
    made_one_ = true;
    active_[name] = {.index = index,
                     .uid = text_at(*object, {"metadata", "uid"}),
                     .since = context_.clock.steady()};
    return;
  }
  if (!made_one_) {
    result_.refused = std::move(made).error();
    return;
  }
  result_.answers[index].code = "agent-blocked";
  result_.answers[index].why = printable(to_string(made.error()), 400);
  ++done_;
}

void AgentRun::read_pods() {
  std::set<std::string> there;
  const auto forget = [&] { there.clear(); };
  const auto listed =
      context_.api.list({.resource = kube::kPods,
                         .namespace_ = namespace_,
                         .label_selector = fmt::format("{}={}", kRunLabel, run_)},
                        forget, [&](json::object&& pod) {
                          const auto job = text_at(pod, {"metadata", "labels", "job-name"});
                          const auto known = active_.find(job);
                          if (known == active_.end() || owner_of(pod) != known->second.uid) return;
                          there.insert(job);
                          known->second.had_pod = true;
                          known->second.pod = name_of(pod);
                          known->second.seen = read_agent_pod(pod);
                        });
  for (auto& [name, active] : active_) {
    if (!listed) {
      active.seen.why = printable(to_string(listed.error()), 300);
    } else if (active.had_pod && !there.contains(name)) {
      active.seen = {AgentPod::Stage::failed, "agent-evicted", "its pod was deleted"};
    }
  }
}

/// Why a Job has no pod: PodSecurity, a quota or a webhook refuses it to the Job's controller,
/// which tells in an event.
void AgentRun::read_refusals() {
  const auto now = context_.clock.steady();
  const bool any = std::ranges::any_of(active_, [&](const auto& entry) {
    return !entry.second.had_pod && now - entry.second.since > kPodSoon;
  });
  if (!any) return;
  static_cast<void>(context_.api.list(
      {.resource = kEvents,
       .namespace_ = namespace_,
       .field_selector = "involvedObject.kind=Job,reason=FailedCreate"},
      {}, [&](json::object&& event) {
        const auto known = active_.find(text_at(event, {"involvedObject", "name"}));
        if (known == active_.end() || known->second.had_pod) return;
        known->second.seen = {AgentPod::Stage::failed, "agent-blocked",
                              printable(text_at(event, {"message"}), 400)};
      }));
}

void AgentRun::judge(Active& active) const {
  using enum AgentPod::Stage;
  const auto age = context_.clock.steady() - active.since;
  const auto longest = jobs_[active.index].longest;
  // The cluster deletes the pod of a Job whose time is up; its clock shows whole seconds.
  const bool ended = active.seen.code == "agent-evicted" && age + kWholeSeconds >= longest;
  if (!ended && (active.seen.stage != waits || age < longest + kAfterEnd)) return;
  if (ended) active.seen.why.clear();
  const auto* what = active.had_pod ? "no answer" : "no pod";
  active.seen = {failed, "agent-timeout",
                 fmt::format("{} within {}{}{}", what, to_string(longest),
                             active.seen.why.empty() ? "" : ": ", active.seen.why)};
}

void AgentRun::finish(const std::string& name, AgentAnswer answer) {
  const auto active = active_.find(name);
  answer.asked = result_.answers[active->second.index].asked;
  answer.received = context_.clock.now();
  take_away(name, active->second.uid);
  result_.answers[active->second.index] = std::move(answer);
  active_.erase(active);
  ++done_;
}

void AgentRun::harvest() {
  using Stage = AgentPod::Stage;
  std::vector<std::string> answered;
  std::vector<std::string> failed;
  std::vector<kube::LogCall> calls;
  for (auto& [name, active] : active_) {
    judge(active);
    if (active.seen.stage == Stage::failed) failed.push_back(name);
    if (active.seen.stage != Stage::answered) continue;
    answered.push_back(name);
    calls.push_back({.namespace_ = namespace_, .pod = active.pod, .max_bytes = kMostLog});
  }
  for (const auto& name : failed) {
    const auto seen = active_.at(name).seen;
    finish(name, {.code = seen.code, .why = seen.why});
  }
  if (calls.empty()) return;
  auto logs = context_.api.logs(calls, calls.size());
  for (std::size_t i = 0; i < std::min(logs.size(), answered.size()); ++i) {
    if (logs[i]) {
      finish(answered[i], {.log = *std::move(logs[i])});
    } else {
      finish(answered[i],
             {.code = "agent-failed", .why = printable(to_string(logs[i].error()), 400)});
    }
  }
}

AgentAnswers AgentRun::run(std::size_t parallel,
                           const std::function<void(std::size_t)>& progress) && {
  std::size_t next = 0;
  const auto stopped = [this] { return context_.stop.stop_requested(); };
  while (done_ < jobs_.size() && !stopped()) {
    while (next < jobs_.size() && active_.size() < parallel && !stopped()) {
      make(next++);
      if (result_.refused) return std::move(result_);
    }
    progress(done_);
    if (context_.api.run_until(stopped, context_.clock.steady() + kTick) !=
        kube::RunResult::deadline)
      break;
    read_pods();
    read_refusals();
    harvest();
  }
  progress(done_);
  return std::move(result_);
}

}  // namespace

AgentAnswers run_agents(const LookContext& context, const std::string& namespace_,
                        const std::vector<AgentJob>& jobs, std::size_t parallel,
                        Duration clock_skew, const std::function<void(std::size_t)>& progress) {
  AgentRun run(context, namespace_, jobs);
  run.take_away_left_overs(clock_skew);
  return std::move(run).run(std::max<std::size_t>(parallel, 1), progress);
}

}  // namespace catflap::look
