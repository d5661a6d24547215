// exec: one command in each running Felix container, which is on the node's own network. Sees the
// node's listening sockets, Felix's process and its real environment. A right that is missing is
// said once, not once a node.
#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "base/text.hpp"
#include "look/asks.hpp"
#include "look/inside_script.hpp"
#include "look/rights.hpp"
#include "look/vantage.hpp"

namespace catflap::look {
namespace {

constexpr const char* kName = "exec";

InsideLook not_looked(const PodFacts& pod, TimePoint at, const char* code, std::string problem) {
  return {.vantage = kName,
          .node = pod.node,
          .pod_uid = pod.uid,
          .at = at,
          .problem = std::move(problem),
          .problem_code = code,
          .config_file_readable = false};
}

/// Why there is no point in asking, or null.
const char* no_exec_code(const PodFacts& pod, bool windows) {
  if (!pod.felix_running) return "pod-not-running";
  if (windows) return "windows-node";
  if (!pod.host_network) return "inside-incomplete";
  return nullptr;
}

std::string no_exec_problem(const PodFacts& pod, std::string_view code) {
  const auto name = pod.namespace_ + "/" + pod.name;
  if (code == "windows-node") return "a Windows container has no /proc";
  if (code == "inside-incomplete") return name + " is not on the node's network";
  return fmt::format("container {} of {} does not run", pod.felix_container, name);
}

const char* code_of(const Error& error) {
  switch (error.kind) {
    case ErrorKind::not_permitted:
      return "exec-forbidden";
    case ErrorKind::timed_out:
      return "exec-timeout";
    case ErrorKind::not_found:
      return "pod-not-running";
    default:
      return "exec-failed";
  }
}

class ExecVantage {
 public:
  ExecVantage(const LookContext& context, const ClusterFacts& facts, const LookOptions& options)
      : context_(context), facts_(facts), options_(options), nonce_(make_nonce()) {}

  Look run() &&;

 private:
  void sort_out();
  void ask(std::span<const PodFacts* const> pods);
  void take(const PodFacts& pod, const Result<kube::ExecOutput>& answer, TimePoint asked,
            TimePoint received);
  bool refused(const PodFacts& pod);

  const LookContext& context_;
  const ClusterFacts& facts_;
  const LookOptions& options_;
  std::string nonce_;
  std::vector<const PodFacts*> pods_;
  Rights rights_;
  Look look_;
};

/// Puts the pods that can be asked into pods_, and a reason into look_ for all other pods and
/// nodes.
void ExecVantage::sort_out() {
  std::set<std::string> windows;
  for (const auto& node : facts_.nodes) {
    if (node.windows) windows.insert(node.name);
  }
  const auto now = context_.clock.now();
  std::set<std::string> covered;
  for (const auto& pod : facts_.pods) {
    if (pod.node.empty()) continue;
    covered.insert(pod.node);
    const auto* code = no_exec_code(pod, windows.contains(pod.node));
    if (code == nullptr) {
      pods_.push_back(&pod);
    } else {
      look_.inside.push_back(not_looked(pod, now, code, no_exec_problem(pod, code)));
    }
  }
  for (const auto& node : facts_.nodes) {
    if (covered.contains(node.name)) continue;
    look_.inside.push_back(
        not_looked({.node = node.name}, now, "pod-not-running", "no Felix pod is on this node"));
  }
}

void ExecVantage::take(const PodFacts& pod, const Result<kube::ExecOutput>& answer, TimePoint asked,
                       TimePoint received) {
  if (!answer.has_value()) {
    const auto& error = answer.error();
    if (error.kind == ErrorKind::not_permitted) rights_.refused(pod.namespace_, to_string(error));
    look_.inside.push_back(not_looked(pod, asked, code_of(error), to_string(error)));
    return;
  }
  rights_.granted(pod.namespace_);
  if (answer->exit_code != 0) {
    look_.inside.push_back(not_looked(
        pod, asked, "exec-failed",
        fmt::format("sh ended with {}: {}", answer->exit_code, printable(answer->stderr_, 200))));
    return;
  }
  // `at` may be early and `started` late, never the other way round: two looks that seem far enough
  // from Felix's start then are.
  auto inside = parse_inside(answer->stdout_, nonce_, received + facts_.clock_skew);
  inside.vantage = kName;
  inside.node = pod.node;
  inside.pod_uid = pod.uid;
  inside.at = asked;
  look_.inside.push_back(std::move(inside));
}

void ExecVantage::ask(std::span<const PodFacts* const> pods) {
  std::vector<kube::ExecCall> calls;
  for (const auto* pod : pods) {
    calls.push_back({.namespace_ = pod->namespace_,
                     .pod = pod->name,
                     .container = pod->felix_container,
                     .command = {"sh", "-c", inside_script(nonce_)},
                     .timeout = options_.exec_timeout});
  }
  const auto asked = context_.clock.now();
  const auto answers = context_.api.exec(calls, options_.exec_parallel);
  const auto received = context_.clock.now();
  for (std::size_t i = 0; i < std::min(pods.size(), answers.size()); ++i) {
    take(*pods[i], answers[i], asked, received);
  }
}

bool ExecVantage::refused(const PodFacts& pod) {
  const auto* refusal = rights_.refusal(pod.namespace_);
  if (refusal == nullptr) return false;
  look_.inside.push_back(not_looked(pod, context_.clock.now(), "exec-forbidden", *refusal));
  return true;
}

Look ExecVantage::run() && {
  sort_out();
  // The first round is small, so that a missing right costs few requests; the others are long, so
  // that one slow node does not keep the rest waiting.
  const auto parallel = std::max<std::size_t>(options_.exec_parallel, 1);
  std::size_t done = 0;
  while (done < pods_.size() && !context_.stop.stop_requested()) {
    if (context_.progress) context_.progress(kName, done, pods_.size());
    const auto room = done == 0 ? parallel : parallel * 4;
    std::vector<const PodFacts*> round;
    for (; done < pods_.size() && round.size() < room; ++done) {
      if (!refused(*pods_[done])) round.push_back(pods_[done]);
    }
    ask(round);
  }
  // If not one pod may be looked into, that is a fact about us and not about the nodes.
  if (const auto* refusal = rights_.nowhere()) {
    look_.inside.clear();
    look_.skipped.push_back({kName, "forbidden", *refusal});
  }
  if (context_.progress) context_.progress(kName, done, pods_.size());
  return std::move(look_);
}

}  // namespace

Look look_exec(const LookContext& context, const ClusterFacts& facts, const LookOptions& options) {
  return ExecVantage(context, facts, options).run();
}

}  // namespace catflap::look
