#include "look/agent_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <span>

#include "base/json_read.hpp"
#include "base/text.hpp"
#include "look/asks.hpp"

namespace catflap::look {
namespace {

constexpr Duration kTick{300};
constexpr Duration kSecond{1000};
constexpr Duration kPodSoon{2000};  // a Job without a pod for that long may have been refused one
constexpr Duration kRefusalsEvery{
    2000};                              // no server caches events: each look is a read of them all
constexpr Duration kWatchSoon{15'000};  // until the pods can be seen
constexpr Duration kWatchHolds{1000};   // who may list and not watch is told so after the list
constexpr Duration kWholeSeconds{2000};
constexpr Duration kAfterEnd{10'000};  // for the cluster to end a Job whose time is up
constexpr std::size_t kMostLog = 4u << 20;
constexpr std::size_t kLogsAtOnce = 16;
constexpr std::size_t kMostStrangers = 1024;  // pods with this run's label that no Job here owns

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
  TimePoint asked{};
  SteadyPoint since{};
  bool had_pod = false;
  std::string pod;
  AgentPod seen;
};

/// What the watch has told of the pods with this run's label, by the Job that owns them. A pod can
/// be there before the reply that its Job was made.
class PodsSeen {
 public:
  void on_event(const kube::WatchEvent& event);
  /// Brings it up to what is known.
  void tell(Active& active) const;
  /// That Job is over: what else becomes of its pod is nothing to us.
  void forget(const std::string& uid) {
    pods_.erase(uid);
    over_.insert(uid);
  }
  [[nodiscard]] bool synced() const { return synced_; }
  [[nodiscard]] const std::string& trouble() const { return trouble_; }

 private:
  struct Pod {
    std::string name;
    AgentPod seen;
  };
  void on_pod(const json::object& pod);

  std::map<std::string, Pod> pods_;
  std::set<std::string> over_;
  bool synced_ = false;
  std::string trouble_;
};

void PodsSeen::on_pod(const json::object& pod) {
  const auto owner = owner_of(pod);
  if (owner.empty() || over_.contains(owner)) return;
  if (pods_.size() >= kMostStrangers && !pods_.contains(owner)) return;
  pods_[owner] = {name_of(pod), read_agent_pod(pod)};
}

void PodsSeen::on_event(const kube::WatchEvent& event) {
  using Type = kube::WatchEvent::Type;
  switch (event.type) {
    case Type::added:
    case Type::modified:
      return on_pod(event.object);
    case Type::deleted:  // after a relist only its name is known
      for (auto& [owner, pod] : pods_) {
        if (pod.name == name_of(event.object))
          pod.seen = {AgentPod::Stage::failed, "agent-evicted", "its pod was deleted"};
      }
      return;
    case Type::synced:
      synced_ = true;
      trouble_.clear();
      return;
    case Type::resumed:
      trouble_.clear();
      return;
    case Type::trouble:
      trouble_ = printable(event.text, 300);
  }
}

void PodsSeen::tell(Active& active) const {
  if (const auto known = pods_.find(active.uid); known != pods_.end()) {
    active.had_pod = true;
    active.pod = known->second.name;
    active.seen = known->second.seen;
  }
  if (!trouble_.empty() && active.seen.stage == AgentPod::Stage::waits) active.seen.why = trouble_;
}

class AgentRun {
 public:
  AgentRun(const LookContext& context, std::string where, const std::vector<AgentJob>& jobs,
           const AgentPace& pace, const TakeAnswer& take)
      : context_(context),
        namespace_(std::move(where)),
        jobs_(jobs),
        at_once_(std::max<std::size_t>(pace.at_once, 1)),
        between_(kSecond / std::max<int>(static_cast<int>(pace.a_second), 1)),
        take_(take) {}
  ~AgentRun() {
    for (const auto& [name, active] : active_) take_away(name, active.uid);
  }
  AgentRun(const AgentRun&) = delete;
  AgentRun& operator=(const AgentRun&) = delete;

  AgentOutcome run(const std::function<void(std::size_t)>& progress) &&;
  void take_away_left_overs(Duration clock_skew);

 private:
  [[nodiscard]] bool stopped() const { return context_.stop.stop_requested(); }
  bool see_pods();
  void make_some();
  void make(std::size_t index);
  void read_refusals();
  void judge(Active& active) const;
  void harvest();
  void fetch(std::span<const std::string> names);
  void finish(const std::string& name, AgentAnswer answer);
  void hand_over(std::size_t index, AgentAnswer answer);
  void take_away(const std::string& name, const std::string& uid) const;

  const LookContext& context_;
  std::string namespace_;
  const std::vector<AgentJob>& jobs_;
  std::size_t at_once_;
  Duration between_;  // Jobs that are made
  const TakeAnswer& take_;
  std::string run_ = make_nonce();
  std::map<std::string, Active> active_;  // by the Job's name
  std::size_t next_ = 0;                  // to be made
  SteadyPoint next_due_{};
  SteadyPoint refusals_due_{};
  bool made_one_ = false;
  AgentOutcome result_;
  PodsSeen pods_;
  std::unique_ptr<kube::Watch> watch_;  // ends before what it tells
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

/// A watch and no lists: to find a few pods by their label, a server may have to read all of the
/// namespace. False, with the reason: they cannot be seen, so no Job is made.
bool AgentRun::see_pods() {
  watch_ = context_.api.watch({.resource = kube::kPods,
                               .namespace_ = namespace_,
                               .label_selector = fmt::format("{}={}", kRunLabel, run_)},
                              [this](const kube::WatchEvent& event) { pods_.on_event(event); });
  const auto told = [&] { return pods_.synced() || !pods_.trouble().empty(); };
  const auto lost = [&] { return !pods_.trouble().empty(); };
  static_cast<void>(context_.api.run_until(told, context_.clock.steady() + kWatchSoon));
  if (pods_.synced() && context_.api.run_until(lost, context_.clock.steady() + kWatchHolds) ==
                            kube::RunResult::deadline)
    return true;
  if (stopped()) return false;
  const auto& trouble = pods_.trouble();
  result_.refused = Error{.kind = ErrorKind::unreachable,
                          .what = trouble.empty() ? "no answer to a watch" : trouble,
                          .subject = "pods of the agent's namespace " + printable(namespace_, 63),
                          .hint = "the agent needs the right to list and watch them"};
  return false;
}

/// Not more than are due; what was late is not made good for.
void AgentRun::make_some() {
  const auto now = context_.clock.steady();
  next_due_ = std::max(next_due_, now - kTick);
  while (next_ < jobs_.size() && active_.size() < at_once_ && next_due_ <= now && !stopped()) {
    next_due_ += between_;
    make(next_++);
    if (result_.refused) return;
  }
}

void AgentRun::make(std::size_t index) {
  const auto name = fmt::format("catflap-agent-{}-{}", run_, index);
  const auto asked = context_.clock.now();
  auto made = context_.api.create(kJobs, namespace_, job_manifest(jobs_[index], name, run_), {});
  auto object = made ? Result<json::object>(std::move(made->object))
                     : context_.api.get({kJobs, namespace_, name});  // the reply may have been lost
  if (object) {
    made_one_ = true;
    active_[name] = {.index = index,
                     .uid = text_at(*object, {"metadata", "uid"}),
                     .asked = asked,
                     .since = context_.clock.steady()};
    return;
  }
  if (!made_one_) {
    result_.refused = std::move(made).error();
    return;
  }
  hand_over(
      index,
      {.code = "agent-blocked", .why = printable(to_string(made.error()), 400), .asked = asked});
}

/// Why a Job has no pod: PodSecurity, a quota or a webhook refuses it to the Job's controller,
/// which tells in an event.
void AgentRun::read_refusals() {
  const auto now = context_.clock.steady();
  const bool any = std::ranges::any_of(active_, [&](const auto& entry) {
    return !entry.second.had_pod && now - entry.second.since > kPodSoon;
  });
  if (!any || now < refusals_due_) return;
  refusals_due_ = now + kRefusalsEvery;
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

void AgentRun::hand_over(std::size_t index, AgentAnswer answer) {
  answer.received = context_.clock.now();
  ++result_.done;
  take_(index, std::move(answer));
}

void AgentRun::finish(const std::string& name, AgentAnswer answer) {
  const auto found = active_.extract(name);
  const auto& active = found.mapped();
  take_away(name, active.uid);
  pods_.forget(active.uid);
  answer.asked = active.asked;
  hand_over(active.index, std::move(answer));
}

void AgentRun::harvest() {
  using Stage = AgentPod::Stage;
  std::vector<std::string> answered;
  std::vector<std::string> failed;
  for (auto& [name, active] : active_) {
    pods_.tell(active);
    judge(active);
    if (active.seen.stage == Stage::failed) failed.push_back(name);
    if (active.seen.stage == Stage::answered) answered.push_back(name);
  }
  for (const auto& name : failed) {
    const auto seen = active_.at(name).seen;
    finish(name, {.code = seen.code, .why = seen.why});
  }
  for (std::size_t at = 0; at < answered.size() && !stopped(); at += kLogsAtOnce)
    fetch(std::span(answered).subspan(at, std::min(kLogsAtOnce, answered.size() - at)));
}

void AgentRun::fetch(std::span<const std::string> names) {
  std::vector<kube::LogCall> calls;
  for (const auto& name : names)
    calls.push_back({.namespace_ = namespace_, .pod = active_.at(name).pod, .max_bytes = kMostLog});
  auto logs = context_.api.logs(calls, calls.size());
  for (std::size_t i = 0; i < std::min(logs.size(), names.size()); ++i) {
    if (logs[i]) {
      finish(names[i], {.log = *std::move(logs[i])});
    } else {
      finish(names[i], {.code = "agent-failed", .why = printable(to_string(logs[i].error()), 400)});
    }
  }
}

AgentOutcome AgentRun::run(const std::function<void(std::size_t)>& progress) && {
  if (!see_pods()) return std::move(result_);
  while (result_.done < jobs_.size() && !stopped()) {
    make_some();
    if (result_.refused) return std::move(result_);
    progress(result_.done);
    if (context_.api.run_until([this] { return stopped(); }, context_.clock.steady() + kTick) !=
        kube::RunResult::deadline)
      break;
    read_refusals();
    harvest();
  }
  progress(result_.done);
  return std::move(result_);
}

}  // namespace

AgentOutcome run_agents(const LookContext& context, const std::string& namespace_,
                        const std::vector<AgentJob>& jobs, const AgentPace& pace,
                        Duration clock_skew, const TakeAnswer& take,
                        const std::function<void(std::size_t)>& progress) {
  AgentRun run(context, namespace_, jobs, pace, take);
  run.take_away_left_overs(clock_skew);
  return std::move(run).run(progress);
}

}  // namespace catflap::look
