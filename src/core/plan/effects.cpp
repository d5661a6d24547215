#include "core/plan/effects.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "base/json_read.hpp"

namespace catflap {
namespace {

constexpr Duration kPerBatch{std::chrono::seconds{6}};
// Felix notices after about 2 s, waits 2 s, and listens again 0.3 s later; its readiness follows.
constexpr Duration kInPlace{std::chrono::seconds{5}};

class Fnv1a {
 public:
  void add(std::string_view text) {
    for (const char c : text) step(static_cast<unsigned char>(c));
    step(0);  // "ab","c" is not "a","bc"
  }
  [[nodiscard]] std::string hex() const { return fmt::format("{:016x}", state_); }

 private:
  void step(unsigned char byte) { state_ = (state_ ^ byte) * 0x100000001b3ULL; }
  std::uint64_t state_ = 0xcbf29ce484222325ULL;
};

/// Members in the order of their names, so that two servers that print maps differently agree.
void add_sorted(Fnv1a& hash, const json::object* members) {
  if (members == nullptr) return hash.add("{}");
  std::map<std::string, std::string> sorted;
  for (const auto& [key, value] : *members) sorted[std::string{key}] = json::serialize(value);
  for (const auto& [key, value] : sorted) {
    hash.add(key);
    hash.add(value);
  }
}

void add_marks(Fnv1a& hash, const json::object& object) {
  const json::object* metadata = object_at(object, {"metadata"});
  if (metadata == nullptr) return;
  add_sorted(hash, object_at(*metadata, {"labels"}));
  add_sorted(hash, object_at(*metadata, {"annotations"}));
  const json::value* owners = metadata->if_contains("ownerReferences");
  hash.add(owners == nullptr ? "" : json::serialize(*owners));
}

std::string port_of(const DaemonSetFacts& daemon_set) {
  return std::to_string(daemon_set.template_declared.port.value.value_or(kDefaultMetricsPort));
}

bool asks_for_scrapes(const DaemonSetFacts& daemon_set) {
  return text_at(daemon_set.object,
                 {"spec", "template", "metadata", "annotations", "prometheus.io/scrape"}) == "true";
}

bool rolls(const Step& step, const Situation& situation) {
  const bool its = situation.operated ? step.change.target.kind == "Installation"
                                      : step.change.target.uid == situation.daemon_set->uid;
  return step.restart == Restart::rolling && its;
}

Duration expected_time(const Plan& plan, const std::vector<Situation>& situations) {
  Duration total{};
  bool in_place = false;
  for (const Step& step : plan.steps) {
    in_place = in_place || step.restart == Restart::in_place;
    for (const Situation& s : situations) {
      if (!rolls(step, s)) continue;
      const auto pods = nodes_of(s.pods).size();
      const Duration one = rollout_time(*s.daemon_set, static_cast<int>(pods));
      if (one == Duration{} && pods != 0) return {};
      total += one;
    }
  }
  return in_place ? total + kInPlace : total;
}

}  // namespace

int batch_size(const std::string& max_unavailable, int pods) {
  int number = 0;
  const char* const end = max_unavailable.data() + max_unavailable.size();
  const auto [rest, error] = std::from_chars(max_unavailable.data(), end, number);
  if (error != std::errc{} || number < 0) return 1;
  const bool percent = rest != end && *rest == '%';
  const std::int64_t scaled =
      percent ? (static_cast<std::int64_t>(number) * pods + 99) / 100 : std::int64_t{number};
  return static_cast<int>(std::clamp<std::int64_t>(scaled, 1, std::max(pods, 1)));
}

Duration rollout_time(const DaemonSetFacts& daemon_set, int pods) {
  if (daemon_set.on_delete) return {};
  const int batch = batch_size(daemon_set.max_unavailable, pods);
  return kPerBatch * ((pods + batch - 1) / batch);
}

void describe_effects(Plan& plan, const std::vector<Situation>& situations) {
  if (plan.steps.empty()) return;
  std::set<std::string> nodes;
  for (const Step& step : plan.steps) nodes.insert(step.nodes.begin(), step.nodes.end());
  plan.restarting_nodes = static_cast<int>(nodes.size());
  plan.expected = expected_time(plan, situations);

  std::set<std::string> ports;
  for (const Situation& s : situations) {
    ports.insert(port_of(*s.daemon_set));
    if (!asks_for_scrapes(*s.daemon_set)) continue;
    plan.breaks.push_back(
        {"breaks-annotated-scrapes",
         {{"daemonset", name_of(*s.daemon_set)}, {"port", port_of(*s.daemon_set)}}});
  }
  for (const auto& port : ports) plan.breaks.push_back({"breaks-scrapes", {{"port", port}}});
  if (!nodes.empty()) plan.stays_up.push_back({"stays-dataplane", {}});
  plan.stays_up.push_back({"stays-health", {}});
}

void warn_of_rollout(Plan& plan, const Situation& situation, const ClusterFacts& facts) {
  const auto& daemon_set = *situation.daemon_set;
  const std::string name = name_of(daemon_set);
  if (daemon_set.on_delete) {
    plan.warnings.push_back(
        {"plan-on-delete", {{"daemonset", name}, {"namespace", daemon_set.namespace_}}});
  } else {
    Message restart{"plan-pods-restart",
                    {{"daemonset", name},
                     {"pods", std::to_string(situation.pods.size())},
                     {"maxUnavailable", daemon_set.max_unavailable}}};
    if (daemon_set.unavailable > 0)
      restart.params["unavailable"] = std::to_string(daemon_set.unavailable);
    plan.warnings.push_back(std::move(restart));
  }
  const auto nodes = nodes_of(situation.pods);
  std::string away;
  for (const NodeFacts& node : facts.nodes) {
    if (node.ready || !std::ranges::binary_search(nodes, node.name)) continue;
    away += (away.empty() ? "" : ", ") + node.name;
  }
  if (!away.empty()) plan.warnings.push_back({"plan-nodes-not-ready", {{"nodes", away}}});
}

std::string digest_of(const Plan& plan, const ClusterFacts& facts, const PlanOptions& options) {
  Fnv1a hash;
  hash.add(facts.uid);
  hash.add(
      fmt::format("{} {} {}", options.in_place, options.include_pending, options.override_owner));
  for (const auto& daemon_set : facts.daemon_sets) {
    if (!daemon_set.in_scope) continue;
    hash.add(fmt::format("{} {}", daemon_set.uid, daemon_set.generation));
    add_marks(hash, daemon_set.object);
  }
  for (const json::object& configuration : facts.felix_configurations) {
    const json::object* metadata = object_at(configuration, {"metadata"});
    if (metadata == nullptr) continue;
    hash.add(text_at(*metadata, {"uid"}));
    hash.add(text_at(*metadata, {"resourceVersion"}));
  }
  if (facts.tigera_operator) {
    // Its status changes without anybody's doing.
    for (const json::object& installation : facts.tigera_operator->installations) {
      hash.add(fmt::format("{} {}", text_at(installation, {"metadata", "uid"}),
                           number_at(installation, {"metadata", "generation"})));
      add_marks(hash, installation);
    }
  }
  for (const Step& step : plan.steps) {
    hash.add(step.id);
    hash.add(to_string(step.restart));
    hash.add(json::serialize(step.change.before));
    hash.add(json::serialize(step.change.after));
  }
  for (const Refusal& refusal : plan.refusals) hash.add(refusal.message.code);
  return hash.hex();
}

}  // namespace catflap
