#include "act/wait.hpp"

#include "app/commands.hpp"
#include "app/exit_code.hpp"
#include "app/print.hpp"
#include "app/session.hpp"
#include "app/steps_view.hpp"
#include "app/views.hpp"
#include "render/change_text.hpp"
#include "render/documents.hpp"

namespace catflap::app {
namespace {

constexpr Duration kDefaultTimeout{std::chrono::minutes{15}};
constexpr std::size_t kMostNodes = 40;

/// "NAME", "NAMESPACE/NAME" or kubectl's "ds/NAME".
act::DaemonSetRef parse_daemon_set(const std::string& word, const std::string& default_namespace) {
  const std::size_t slash = word.find('/');
  if (slash == std::string::npos) return {default_namespace, word};
  const std::string first = word.substr(0, slash);
  for (const char* kind : {"ds", "daemonset", "daemonsets", "daemonset.apps", "daemonsets.apps"}) {
    if (first == kind) return {default_namespace, word.substr(slash + 1)};
  }
  return {first, word.substr(slash + 1)};
}

int exit_code_of(const std::vector<act::Rollout>& rollouts) {
  int code = kExitOk;
  for (const act::Rollout& rollout : rollouts) {
    if (rollout.end == act::Rollout::End::interrupted) return kExitInterrupted;
    if (!rollout.complete) code = kExitOpen;
  }
  return code;
}

}  // namespace

Result<int> run_wait(const Runtime& runtime, const Options& options) {
  TRY_ASSIGN(Session session, Session::open(runtime, options));
  std::vector<act::DaemonSetRef> sets;
  ClusterFacts facts;
  if (options.arguments.empty()) {
    TRY_ASSIGN(facts, session.discover());
    for (const DaemonSetFacts& set : facts.daemon_sets) {
      if (set.in_scope) sets.push_back({set.namespace_, set.name});
    }
  } else {
    sets.push_back(parse_daemon_set(options.arguments[0], session.api().info().namespace_));
    facts.cluster_name = session.api().info().cluster_name;
    facts.server = session.api().info().server;
    facts.user = session.api().info().user_name;
  }
  if (sets.empty()) {
    runtime.io.err << "catflap: no DaemonSet runs Felix here\n";
    return kExitUnknown;
  }
  StepsView view(session.progress(), nullptr, "", style_for_err(runtime, options));
  const act::WaitOptions wait{
      .timeout = options.timeout.value_or(kDefaultTimeout),
      .progress = [&](const std::vector<act::Rollout>& rollouts) { view.show_rollouts(rollouts); }};
  TRY_ASSIGN(const auto rollouts,
             act::wait_rollouts(
                 {.api = session.api(), .clock = runtime.clock, .stop = runtime.stop}, sets, wait));
  session.progress().clear();
  const std::vector<render::RolloutView> views = views_of(rollouts);
  const render::Style style = style_for_out(runtime, options);
  const auto text = [&] {
    std::string all;
    for (const render::RolloutView& one : views)
      all += render::rollout_text(one, kMostNodes, style);
    return all;
  };
  print(runtime, options,
        {.document = [&] { return render::rollout_document(views, session.run_info(facts)); },
         .text = text});
  return exit_code_of(rollouts);
}

}  // namespace catflap::app
