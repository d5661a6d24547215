#include "app/demo_story.hpp"

#include <fmt/ranges.h>

#include <ostream>

#include "app/exit_code.hpp"
#include "app/print.hpp"
#include "base/text.hpp"

namespace catflap::app {
namespace {

constexpr const char* kSlowNode = "n3";
constexpr const char* kNotReady = "sim.catflap.dev/not-ready";

class Story {
 public:
  Story(const Runtime& runtime, const Options& options, std::string kubeconfig,
        const std::string& folder)
      : runtime_(runtime), options_(options), kubeconfig_(std::move(kubeconfig)) {
    runtime_.environment["XDG_STATE_HOME"] = folder;
    runtime_.io.in_is_terminal = false;  // nobody is asked anything
  }

  void say(const std::string& text) {
    const auto style = style_for_out(runtime_, options_);
    runtime_.io.out << "\n" << style.paint(render::Tone::strong, text) << "\n" << std::flush;
  }

  /// `wanted`: the exit code it has if all is well with the demo.
  Result<void> run(const std::vector<std::string>& words, int wanted);
  /// The kubelet of the slow node stops, or comes back.
  Result<void> set_kubelet(bool runs);

 private:
  Runtime runtime_;
  const Options& options_;
  std::string kubeconfig_;
};

Result<void> Story::run(const std::vector<std::string>& words, int wanted) {
  const auto style = style_for_out(runtime_, options_);
  const auto line = fmt::format("$ {} {}", options_.program, fmt::join(words, " "));
  runtime_.io.out << "\n" << style.paint(render::Tone::faint, line) << "\n" << std::flush;
  std::vector<std::string> arguments{options_.program};
  arguments.insert(arguments.end(), words.begin(), words.end());
  for (const auto& [flag, value] : {std::pair{"--kubeconfig", kubeconfig_}, {"--context", "user"}})
    arguments.insert(arguments.end(), {flag, value});
  const int code = app::run(arguments, runtime_);
  runtime_.io.out << std::flush;
  if (runtime_.stop.stop_requested())
    return Error{.kind = ErrorKind::interrupted, .what = "interrupted"};
  if (code == wanted) return {};
  return Error{.kind = ErrorKind::internal,
               .what = fmt::format("the demo expected exit code {} here, not {}", wanted, code),
               .hint = "this machine may be very slow; please report it if it happens again"};
}

Result<void> Story::set_kubelet(bool runs) {
  TRY_ASSIGN(const auto api,
             runtime_.connect(ConnectFlags{.kubeconfig = kubeconfig_, .context = "admin"}));
  kube::json::value mark;
  if (!runs) mark = "true";
  const kube::json::object patch{{"metadata", {{"annotations", {{kNotReady, mark}}}}}};
  TRY(api->patch({kube::kNodes, "", kSlowNode}, kube::PatchType::merge_patch, patch, {}));
  return {};
}

}  // namespace

// Two at a time: a node that does not come back does not hold up the others.
const char* const kDemoScenario = R"(cluster:
  env: {FELIX_PROMETHEUSMETRICSENABLED: "true"}
  patches:
    - target: daemonset/kube-system/calico-node
      merge: {spec: {updateStrategy: {rollingUpdate: {maxUnavailable: 2}}}}
)";

Result<int> tell_demo(const Runtime& runtime, const Options& options, const std::string& kubeconfig,
                      const std::string& folder) {
  Story story(runtime, options, kubeconfig, folder);
  story.say(
      "A cluster inside this program: three nodes with Calico, as its manifest installs it. The "
      "API server and\nthe ports are real, on 127.x addresses; the nodes are played. Nothing of "
      "yours is touched.");
  story.say("1. Is the port open, and what decides that?");
  TRY(story.run({"diagnose"}, kExitOpen));
  story.say("2. What would closing it do?");
  TRY(story.run({"plan"}, kExitOpen));
  story.say(fmt::format(
      "3. Close it. Meanwhile the kubelet of {} stops, as kubelets do. Kubernetes then replaces "
      "the pod on\npaper; on the node the old Felix goes on, and nothing but its port tells.",
      kSlowNode));
  TRY(story.set_kubelet(false));
  TRY(story.run({"close", "--yes", "--settle", "3s", "--timeout", "8s", "--request-timeout", "2s"},
                kExitOpen));
  story.say(fmt::format(
      "{} is not closed, and catflap does not say so. Its kubelet comes back and catches up.",
      kSlowNode));
  TRY(story.set_kubelet(true));
  TRY(story.run({"wait", "--timeout", "30s"}, 0));
  story.say("4. Prove it, from inside each node and over the network.");
  TRY(story.run({"verify", "--settle", "3s"}, 0));
  story.say(
      fmt::format("Every node is proven closed; the evidence of the demo goes with it.\n"
                  "On your cluster: {0} diagnose (reads only), then {0} close.\n"
                  "To try {0} and kubectl on a cluster like this one: {0} demo --serve",
                  options.program));
  return 0;
}

}  // namespace catflap::app
