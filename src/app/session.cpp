#include "app/session.hpp"

#include <fmt/ranges.h>

#include "core/diagnose/findings.hpp"
#include "core/plan/owner.hpp"
#include "core/plan/tigera_operator.hpp"
#include "look/discover.hpp"
#include "look/surroundings.hpp"
#include "render/style.hpp"

namespace catflap::app {
namespace {

// The longest cycle of the owners that write back at once: the tigera operator's resync.
constexpr Duration kOwnerCycle{std::chrono::minutes{5}};

std::vector<std::string> node_names(const ClusterFacts& facts) {
  std::vector<std::string> names;
  for (const NodeFacts& node : facts.nodes) names.push_back(node.name);
  return names;
}

/// One look is enough for a node that is exposed; for any other it is not if something has just
/// changed, and core/prove, which knows when Felix's processes started, has the last word on that.
bool needs_second_look(const Sight& sight, TimePoint now) {
  const bool fresh = changed_lately(sight.facts, now);
  return std::any_of(
      sight.verdict.nodes.begin(), sight.verdict.nodes.end(), [&](const NodeVerdict& node) {
        const bool asked_for =
            std::any_of(node.reasons.begin(), node.reasons.end(),
                        [](const Message& reason) { return reason.code == "settle-too-short"; });
        return asked_for || (fresh && node.verdict != Verdict::exposed);
      });
}

/// Some node would be called shut: a Felix that starts anew while one looks refuses as well.
bool rests_on_refusals(const Sight& sight) {
  return std::ranges::any_of(sight.verdict.nodes, [](const NodeVerdict& node) {
    return node.verdict == Verdict::closed || node.verdict == Verdict::not_felix ||
           node.verdict == Verdict::no_felix;
  });
}

void add_cycle(OwnerCycle& found, const json::object& object, const Surroundings& around) {
  for (const Owner& owner : owners_of(object, around)) {
    if (owner.class_ == OwnerClass::nobody || found.length) continue;
    // What it reads is what is changed: its owner's cycle counts.
    if (owner.name == kTigeraOperator) continue;
    if (owner.class_ == OwnerClass::reverts_now) found = {owner.cycle, kOwnerCycle};
    if (found.text.empty()) found.text = owner.cycle;
  }
}

}  // namespace

OwnerCycle owner_cycle_of(const ClusterFacts& facts) {
  OwnerCycle found;
  for (const DaemonSetFacts& set : facts.daemon_sets)
    add_cycle(found, set.object, facts.surroundings);
  if (facts.tigera_operator)
    for (const auto& installation : facts.tigera_operator->installations)
      add_cycle(found, installation, facts.surroundings);
  return found;
}

Session::Session(const Runtime& runtime, const Options& options, std::unique_ptr<kube::Api> api)
    : runtime_(runtime),
      options_(options),
      api_(std::move(api)),
      progress_(std::make_unique<Progress>(runtime, options)),
      started_(runtime.clock.now()) {}

Result<Session> Session::open(const Runtime& runtime, const Options& options) {
  std::vector<look::ImportedFile> files;
  if (!options.observations.empty()) {
    TRY_ASSIGN(files, look::read_observations(options.observations));
  }
  TRY_ASSIGN(auto api, runtime.connect(options.connect));
  Session session(runtime, options, std::move(api));
  session.files_ = std::move(files);
  return session;
}

Result<ClusterFacts> Session::discover() {
  progress_->update("", "reading the cluster");
  TRY_ASSIGN(ClusterFacts facts,
             look::discover(*api_, runtime_.clock, {.namespace_ = options_.connect.namespace_}));
  facts.surroundings = surroundings_;
  return facts;
}

/// Once a session: the facts of every later look carry it.
Result<void> Session::look_around(ClusterFacts& facts) {
  if (!surroundings_.read) {
    TRY_ASSIGN(surroundings_, look::read_surroundings(*api_, facts));
  }
  facts.surroundings = surroundings_;
  return {};
}

/// What intrusion detection would see is never a surprise: said before the first of it.
void Session::announce(const ClusterFacts& facts, const look::LookOptions& options) {
  if (std::exchange(announced_, true)) return;
  const auto lines = look::footprint(facts, options);
  const bool only_from_here = lines.size() == 1 && options.vantages.front() == "direct";
  if (lines.empty() || only_from_here) return;
  progress_->say(fmt::format("looks {}", fmt::join(lines, "; ")));
}

Result<Look> Session::look(const ClusterFacts& facts, const std::vector<std::string>& vantages,
                           const std::function<void()>& keep_alive) {
  look::LookOptions options{.vantages = options_.from.empty() ? vantages : options_.from};
  options.agent_image = options_.image;
  announce(facts, options);
  options.probe.stop = runtime_.stop;
  const Duration asked = options_.connect.request_timeout.value_or(Duration{0});  // 0: no limit
  if (asked > Duration{0}) {
    options.exec_timeout = std::min(options.exec_timeout, asked);
    options.proxy_timeout = std::min(options.proxy_timeout, asked);
  }
  const auto tell = [&](const std::string& vantage, std::size_t done, std::size_t total) {
    if (keep_alive) keep_alive();
    progress_->update("", fmt::format("looking: {} {} of {}", vantage, done, total));
  };
  auto look = look::look({.api = *api_,
                          .clock = runtime_.clock,
                          .probe = runtime_.probe,
                          .stop = runtime_.stop,
                          .progress = tell},
                         facts, options);
  progress_->clear();
  if (runtime_.stop.stop_requested()) {
    return Error{.kind = ErrorKind::interrupted, .what = "interrupted while looking at the nodes"};
  }
  return look;
}

Result<void> Session::pause(Duration time) {
  progress_->update("", fmt::format("waiting {} before the next look", to_string(time)));
  const auto end = runtime_.clock.steady() + time;
  const auto stopped = [this] { return runtime_.stop.stop_requested(); };
  if (api_->run_until(stopped, end) == kube::RunResult::deadline) return {};
  return Error{.kind = ErrorKind::interrupted, .what = "interrupted between two looks"};
}

void Session::judge(Sight& sight, Purpose purpose,
                    const std::vector<std::string>& known_nodes) const {
  const auto unused = look::import_into(sight.looks, {.files = files_,
                                                      .facts = sight.facts,
                                                      .now = runtime_.clock.now(),
                                                      .max_age = options_.policy.max_age,
                                                      .settle = options_.settle});
  const OwnerCycle cycle = owner_cycle_of(sight.facts);
  const ProveInput input{.facts = &sight.facts,
                         .looks = sight.looks,
                         .policy = options_.policy,
                         .purpose = purpose,
                         .settle = options_.settle,
                         .now = runtime_.clock.now(),
                         .owner_cycle = cycle.text,
                         .owner_cycle_length = cycle.length,
                         .known_nodes = known_nodes};
  sight.verdict = prove(input);
  add_findings(sight.verdict, sight.facts, sight.looks);
  sight.verdict.findings.insert(sight.verdict.findings.end(), unused.begin(), unused.end());
}

Result<Sight> Session::look_again(Sight sight, const std::vector<std::string>& vantages) {
  TRY_ASSIGN(sight.facts, discover());
  TRY_ASSIGN(Look next, look(sight.facts, vantages));
  look::apply_inside(sight.facts, next);
  sight.looks.push_back(std::move(next));
  return sight;
}

Result<Sight> Session::diagnose(const std::vector<std::string>& vantages) {
  TRY_ASSIGN(Sight sight, look_again({}, vantages));
  TRY(look_around(sight.facts));
  const std::vector<std::string> known = node_names(sight.facts);
  judge(sight, Purpose::diagnose, known);
  if (rests_on_refusals(sight) && !needs_second_look(sight, runtime_.clock.now())) {
    TRY_ASSIGN(sight.facts, discover());  // what changed while it looked shows only now
    look::apply_inside(sight.facts, sight.looks.back());
    judge(sight, Purpose::diagnose, known);
  }
  if (!needs_second_look(sight, runtime_.clock.now())) return sight;
  progress_->say("something changed within the last minute: looking twice");
  TRY(pause(options_.settle));
  TRY_ASSIGN(sight, look_again(std::move(sight), vantages));
  judge(sight, Purpose::diagnose, known);
  return sight;
}

Result<Sight> Session::verify(const std::vector<std::string>& vantages) {
  TRY_ASSIGN(Sight sight, look_again({}, vantages));
  const std::vector<std::string> known = node_names(sight.facts);
  TRY(pause(options_.settle));
  TRY_ASSIGN(sight, look_again(std::move(sight), vantages));
  judge(sight, Purpose::verify, known);
  return sight;
}

render::RunInfo Session::run_info(const ClusterFacts& facts) const {
  return {.facts = &facts, .started = started_, .finished = runtime_.clock.now()};
}

}  // namespace catflap::app
