// agent[/NAMESPACE]: Jobs of catflap's own. One on each node's network, which reads the node's
// socket tables and who owns them; and some in the pods' network, which ask every endpoint as any
// pod could. What they say can show an open port; closed it shows only if the answer is bound to
// its node, whole, and Felix's pod is Ready (as for files from nodes).
#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "base/text.hpp"
#include "look/agent_answer.hpp"
#include "look/agent_run.hpp"
#include "look/answers.hpp"
#include "look/vantage.hpp"

namespace catflap::look {
namespace {

constexpr std::size_t kAsksInOne = 32;

/// Why no Job can run there; null: it can.
const char* no_agent_code(const NodeFacts& node) {
  if (!node.ready) return "node-not-ready";
  return node.windows ? "windows-node" : nullptr;
}

/// A Felix pod of the node whose image is there: one that runs, if one does.
const PodFacts* pod_with_image(const ClusterFacts& facts, const std::string& node) {
  const PodFacts* found = nullptr;
  for (const auto& pod : facts.pods) {
    if (pod.node != node || pod.image.empty()) continue;
    if (found == nullptr || (pod.felix_running && !found->felix_running)) found = &pod;
  }
  return found;
}

class AgentVantage {
 public:
  AgentVantage(const LookContext& context, const ClusterFacts& facts, const LookOptions& options,
               std::string name, std::string where)
      : context_(context),
        facts_(facts),
        options_(options),
        name_(std::move(name)),
        namespace_(std::move(where)),
        kind_(options.agent_image.empty() ? AgentKind::shell : AgentKind::catflap) {}

  Look run() &&;

 private:
  void sort_out();
  [[nodiscard]] AgentJob job_on(const NodeFacts& node) const;
  void look_inside();
  void ask_around();
  void add(const NodeFacts& node, InsideLook inside, TimePoint at);
  void skip(const char* code, std::string why);
  /// False: they could not be made, or a stop was requested.
  bool have_run(const std::vector<AgentJob>& jobs, const TakeAnswer& take);

  const LookContext& context_;
  const ClusterFacts& facts_;
  const LookOptions& options_;
  std::string name_;
  std::string namespace_;
  AgentKind kind_;
  std::string nonce_ = make_nonce();
  std::vector<const NodeFacts*> nodes_;  // that a Job can run on
  Look look_;
};

void AgentVantage::skip(const char* code, std::string why) {
  if (look_.skipped.empty()) look_.skipped.push_back({name_, code, std::move(why)});
}

/// A look for each Felix pod of the node.
void AgentVantage::add(const NodeFacts& node, InsideLook inside, TimePoint at) {
  inside.vantage = name_;
  inside.node = node.name;
  inside.at = at;
  for (const auto& pod : facts_.pods) {
    if (pod.node != node.name) continue;
    look_.inside.push_back(inside);
    look_.inside.back().pod_uid = pod.uid;
  }
}

/// Nodes without a Felix pod have nothing that a look inside could prove.
void AgentVantage::sort_out() {
  for (const auto& node : facts_.nodes) {
    if (pod_with_image(facts_, node.name) == nullptr) continue;
    const auto* code = no_agent_code(node);
    if (code == nullptr) {
      nodes_.push_back(&node);
      continue;
    }
    add(node,
        {.problem = node.ready ? "no Job of Linux runs there" : node.not_ready_reason,
         .problem_code = code,
         .table_only = true,
         .config_file_readable = false},
        context_.clock.now());
  }
}

AgentJob AgentVantage::job_on(const NodeFacts& node) const {
  const bool shell = kind_ == AgentKind::shell;
  return {.node = node.name,
          .image = shell ? pod_with_image(facts_, node.name)->image : options_.agent_image,
          .is_on_node = shell,
          .words = agent_look(kind_, nonce_)};
}

bool AgentVantage::have_run(const std::vector<AgentJob>& jobs, const TakeAnswer& take) {
  const auto outcome = run_agents(context_, namespace_, jobs, {.at_once = options_.agent_parallel},
                                  facts_.clock_skew, take, [&](std::size_t done) {
                                    if (context_.progress)
                                      context_.progress(name_, done, jobs.size());
                                  });
  if (outcome.refused) {
    const bool forbidden = outcome.refused->kind == ErrorKind::not_permitted;
    skip(forbidden ? "forbidden" : "failed", printable(to_string(*outcome.refused), 400));
  }
  return outcome.done == jobs.size();
}

void AgentVantage::look_inside() {
  std::vector<AgentJob> jobs;
  for (const auto* node : nodes_) jobs.push_back(job_on(*node));
  struct Seen {
    InsideLook inside;
    TimePoint asked{};
  };
  std::vector<Seen> seen(jobs.size());
  const bool all = have_run(jobs, [&](std::size_t i, AgentAnswer&& answer) {
    seen[i] = {.inside = {.problem = answer.why,
                          .problem_code = answer.code,
                          .table_only = true,
                          .config_file_readable = false},
               .asked = answer.asked};
    if (answer.code.empty())
      seen[i].inside = read_agent_look(kind_, answer.log, nonce_, *nodes_[i],
                                       answer.received + facts_.clock_skew);
  });
  if (!all) return;
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    add(*nodes_[i], std::move(seen[i].inside), seen[i].asked);
}

/// The Jobs are spread over the nodes; where one runs makes no difference to a pod.
void AgentVantage::ask_around() {
  const auto asks = asks_of(facts_, options_);
  std::vector<const Ask*> all;
  for (const auto& ask : asks) all.push_back(&ask);
  std::vector<AgentJob> jobs;
  for (std::size_t at = 0; at < all.size(); at += kAsksInOne) {
    const auto some = std::span(all).subspan(at, std::min(kAsksInOne, all.size() - at));
    auto job = job_on(*nodes_[jobs.size() % nodes_.size()]);
    job.network = AgentJob::Network::pod;
    job.words = agent_asks(kind_, nonce_, some);
    job.longest += kPodAskTime * static_cast<int>(some.size());
    jobs.push_back(std::move(job));
  }
  auto reaches = unanswered(asks, name_, context_.clock.now());
  bool any = false;
  const bool ran = have_run(jobs, [&](std::size_t i, AgentAnswer&& answer) {
    const auto part = std::span(reaches).subspan(
        i * kAsksInOne, std::min(kAsksInOne, reaches.size() - i * kAsksInOne));
    const bool read = answer.code.empty() && read_agent_asks(kind_, answer.log, nonce_, part);
    any = any || read;
    if (read) return;
    auto why =
        answer.code.empty() ? "its image has neither curl nor bash with timeout" : answer.why;
    for (auto& reach : part) reach.detail = why;
    skip("failed", fmt::format("in the pods' network: {}", why));
  });
  if (!ran) return;
  if (!sort_in(look_, asks, std::move(reaches)) && any) skip("blind", blind_words(look_));
}

Look AgentVantage::run() && {
  sort_out();
  if (nodes_.empty()) {
    skip("failed", "no Ready node has a Felix pod");
    return std::move(look_);
  }
  if (options_.only.empty()) look_inside();  // else that has been done
  const bool refused = !look_.skipped.empty();
  if (!refused && !context_.stop.stop_requested()) ask_around();
  return std::move(look_);
}

}  // namespace

std::optional<AgentVantageName> parse_agent_vantage(std::string_view word) {
  constexpr std::string_view kAgent = "agent";
  if (!word.starts_with(kAgent)) return std::nullopt;
  word.remove_prefix(kAgent.size());
  if (word.empty()) return AgentVantageName{};
  if (word.front() != '/' || word.size() == 1 || word.find('/', 1) != std::string_view::npos)
    return std::nullopt;
  return AgentVantageName{std::string(word.substr(1))};
}

std::string agent_namespace(const ClusterFacts& facts, const AgentVantageName& name) {
  if (!name.namespace_.empty()) return name.namespace_;
  return facts.daemon_sets.empty() ? "kube-system" : facts.daemon_sets.front().namespace_;
}

AgentJobCount count_agent_jobs(const ClusterFacts& facts) {
  const auto nodes = std::ranges::count_if(facts.nodes, [&](const NodeFacts& node) {
    return no_agent_code(node) == nullptr && pod_with_image(facts, node.name) != nullptr;
  });
  return {.on_nodes = static_cast<std::size_t>(nodes),
          .in_pod_network = (asks_of(facts, {}).size() + kAsksInOne - 1) / kAsksInOne};
}

Look look_agent(const LookContext& context, const ClusterFacts& facts, const LookOptions& options,
                const std::string& vantage) {
  const auto name = parse_agent_vantage(vantage).value_or(AgentVantageName{});
  return AgentVantage(context, facts, options, vantage, agent_namespace(facts, name)).run();
}

}  // namespace catflap::look
