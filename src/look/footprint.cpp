// What a look does where others may see it. Said before it begins.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "look/look.hpp"
#include "look/vantage.hpp"

namespace catflap::look {
namespace {

std::string count_of(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::size_t running(const ClusterFacts& facts) {
  return static_cast<std::size_t>(std::ranges::count_if(facts.pods, &PodFacts::felix_running));
}

std::string of_direct(const ClusterFacts& facts) {
  if (facts.nodes.empty()) return {};
  return fmt::format("from here at {}", count_of(facts.nodes.size(), "node"));
}

std::string of_apiserver(const ClusterFacts& facts) {
  std::size_t requests = 0;
  const auto pods = pods_to_proxy(facts);
  if (pods.empty()) return {};
  for (const auto* pod : pods) requests += 1 + ports_of(facts, pod->node).size();
  return fmt::format("through the API server at {} (apiserver: {} to 10250 and Felix's ports)",
                     count_of(pods.size(), "Felix pod"), count_of(requests, "GET request"));
}

std::string of_portforward(const ClusterFacts& facts) {
  std::size_t sessions = 0;
  const auto pods = pods_to_forward(facts);
  if (pods.empty()) return {};
  for (const auto* pod : pods) sessions += ports_of(facts, pod->node).size();
  return fmt::format("at the loopback of {} (portforward: {} or twice as many)",
                     count_of(pods.size(), "Felix pod"), count_of(sessions, "session"));
}

/// Endpoints and controls are asked a few a command, and again over TLS where plain text says
/// little.
std::string of_pod(const ClusterFacts& facts, const std::string& name) {
  std::size_t endpoints = 0;
  for (const auto& node : facts.nodes)
    endpoints += node.addresses.size() * (1 + ports_of(facts, node.name).size());
  if (endpoints == 0) return {};
  return fmt::format("from inside {} (exec of curl or bash, for {})", name,
                     count_of(endpoints, "endpoint"));
}

std::string of_exec(const ClusterFacts& facts) {
  if (running(facts) == 0) return {};
  return fmt::format("inside {} (exec: one command that only reads)",
                     count_of(running(facts), "Felix container"));
}

std::string of_agent(const ClusterFacts& facts, const LookOptions& options,
                     const AgentVantageName& name) {
  const auto jobs = count_agent_jobs(facts);
  return fmt::format(
      "by Jobs in namespace {} (agent: {} on the nodes' network and processes, {} in the pods' "
      "network, image {}; at most {} at once, each gone when it has answered)",
      printable(agent_namespace(facts, name), 63), jobs.on_nodes, jobs.in_pod_network,
      options.agent_image.empty() ? "that of calico-node, which is there"
                                  : printable(options.agent_image, 200),
      options.agent_parallel);
}

/// Each says nothing where there is nothing to ask.
struct Row {
  const char* vantage;
  std::string (*tell)(const ClusterFacts& facts);
};
constexpr Row kRows[] = {{"direct", of_direct},
                         {"apiserver", of_apiserver},
                         {"portforward", of_portforward},
                         {"exec", of_exec}};

}  // namespace

std::vector<std::string> footprint(const ClusterFacts& facts, const LookOptions& options) {
  std::vector<std::string> clauses;
  for (const auto& row : kRows) {
    if (std::ranges::find(options.vantages, row.vantage) != options.vantages.end())
      clauses.push_back(row.tell(facts));
  }
  for (const auto& name : options.vantages)
    if (parse_pod_vantage(name)) clauses.push_back(of_pod(facts, printable(name, 300)));
  for (const auto& word : options.vantages)
    if (const auto name = parse_agent_vantage(word))
      clauses.push_back(of_agent(facts, options, *name));
  std::erase(clauses, "");
  return clauses;
}

}  // namespace catflap::look
