#include "act/verify_loop.hpp"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "act/pause.hpp"
#include "core/prove/prove.hpp"
#include "look/discover.hpp"

namespace catflap::act {

namespace {

// Reasons that pass by themselves: a pod that becomes Ready, a kubelet that comes back, a network
// that drops once. The others (a right that is missing, a configuration that is ambiguous) stay
// however often one looks.
const std::set<std::string, std::less<>> kPassing{"control-failed",
                                                  "environment-differs",
                                                  "exec-failed",
                                                  "exec-timeout",
                                                  "felix-not-seen-alive",
                                                  "felix-process-not-seen",
                                                  "inside-incomplete",
                                                  "look-too-early",
                                                  "node-not-ready",
                                                  "observation-too-old",
                                                  "pod-lingering",
                                                  "pod-missing",
                                                  "pod-not-ready",
                                                  "pod-stale",
                                                  "reset",
                                                  "settle-too-short",
                                                  "table-cut",
                                                  "timeout",
                                                  "unreachable"};
// An API server that restarts is back after 2 to 9 s in practice.
constexpr Duration kPatience{std::chrono::seconds{45}};
constexpr Duration kRetry{std::chrono::seconds{2}};
// How long a node is waited for that was not Ready before anything was written.
constexpr Duration kNotReadyPatience{std::chrono::seconds{60}};

bool may_come_back(const Error& error) {
  return error.kind == ErrorKind::unreachable || error.kind == ErrorKind::timed_out ||
         error.kind == ErrorKind::overloaded;
}

void say(const VerifyLoop& loop, Progress progress) {
  if (loop.seams.progress) loop.seams.progress(progress);
}

Result<void> look_once(const VerifyLoop& loop, CloseOutcome& outcome, int number) {
  if (loop.context.stop.stop_requested()) return interrupted_error();
  if (loop.keep_alive) TRY(loop.keep_alive());
  say(loop, {.stage = Progress::Stage::look, .look = number});
  TRY_ASSIGN(auto facts, loop.seams.discover());
  const auto keep = [&loop] {
    if (loop.keep_alive) (void)loop.keep_alive().has_value();  // a failure shows at the next write
  };
  TRY_ASSIGN(auto look, loop.seams.look(facts, keep));
  look::apply_inside(facts, look);
  outcome.facts = std::move(facts);
  outcome.looks.push_back(std::move(look));
  if (loop.context.stop.stop_requested()) return interrupted_error();
  return {};
}

Result<void> look_patiently(const VerifyLoop& loop, CloseOutcome& outcome, int number) {
  const auto give_up = loop.context.clock.steady() + kPatience;
  while (true) {
    auto looked = look_once(loop, outcome, number);
    if (looked || !may_come_back(looked.error()) || loop.context.clock.steady() > give_up)
      return looked;
    TRY(pause_for(loop.context, loop.keep_alive, kRetry));
  }
}

Result<void> settle(const VerifyLoop& loop) {
  say(loop, {.stage = Progress::Stage::settle});
  return pause_for(loop.context, loop.keep_alive, loop.options.settle);
}

ClusterVerdict judge(const VerifyLoop& loop, const CloseOutcome& outcome) {
  ProveInput input{.facts = &outcome.facts,
                   .looks = outcome.looks,
                   .before = outcome.before,
                   .policy = loop.options.policy,
                   .purpose = Purpose::verify,
                   .settle = loop.options.settle,
                   .now = loop.context.clock.now(),
                   .owner_cycle = loop.options.owner_cycle,
                   .owner_cycle_length = loop.options.owner_cycle_length};
  for (const auto& node : loop.input.facts.nodes) input.known_nodes.push_back(node.name);
  return prove(input);
}

bool time_for_another(const VerifyLoop& loop) {
  return loop.changed_something &&
         loop.context.clock.steady() + loop.options.settle < loop.deadline;
}

std::set<std::string> not_ready_before(const VerifyLoop& loop) {
  std::set<std::string> names;
  for (const auto& node : loop.input.facts.nodes)
    if (!node.ready) names.insert(node.name);
  return names;
}

bool still_unknown(const VerifyLoop& loop, const ClusterVerdict& verdict) {
  return time_for_another(loop) && verdict.counts.contains(Verdict::unknown) &&
         verdict.counts.at(Verdict::unknown) > 0;
}

/// Why to look again; none: the verdict stands.
std::optional<std::string> why_again(const VerifyLoop& loop, const ClusterVerdict& verdict,
                                     SteadyPoint begun) {
  if (!time_for_another(loop)) return std::nullopt;
  const auto now = loop.context.clock.steady();
  if (verdict.counts.contains(Verdict::exposed) && verdict.counts.at(Verdict::exposed) > 0 &&
      now < loop.quick_until)
    return "Felix still answers; it restarts in place";
  return passing_reason(
      verdict, now < begun + kNotReadyPatience ? std::set<std::string>{} : not_ready_before(loop));
}

}  // namespace

std::optional<std::string> passing_reason(const ClusterVerdict& verdict,
                                          const std::set<std::string>& but) {
  for (const auto& node : verdict.nodes) {
    if (node.verdict != Verdict::unknown || but.contains(node.name)) continue;
    for (const auto& reason : node.reasons)
      if (kPassing.contains(reason.code)) return fmt::format("{}: {}", node.name, reason.code);
  }
  return std::nullopt;
}

Result<void> verify_until_settled(const VerifyLoop& loop, CloseOutcome& outcome) {
  const auto begun = loop.context.clock.steady();
  TRY(look_patiently(loop, outcome, 1));
  std::optional<std::string> earlier;  // why the look before this one was not the last
  for (int number = 2;; ++number) {
    TRY(settle(loop));
    TRY(look_patiently(loop, outcome, number));
    // Two looks are the proof; an older one may be from before Felix's last start.
    if (outcome.looks.size() > 2) outcome.looks.erase(outcome.looks.begin());
    outcome.verdict = judge(loop, outcome);
    auto again = why_again(loop, *outcome.verdict, begun);
    // What hindered the older of the two looks may be over, and still be in the way of the pair:
    // one look more.
    const auto hindered = std::exchange(earlier, again);
    if (!again && still_unknown(loop, *outcome.verdict)) again = hindered;
    if (!again) return {};
    say(loop, {.stage = Progress::Stage::prove, .text = *again, .look = number});
  }
}

}  // namespace catflap::act
