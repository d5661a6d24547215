// agent: what runs in the Jobs of the vantage point agent. It is told nothing of the cluster and
// has no credentials.
#include <ostream>

#include "app/commands.hpp"
#include "app/exit_code.hpp"
#include "base/text.hpp"
#include "look/agent_answer.hpp"
#include "net/probe.hpp"
#include "render/listeners.hpp"
#include "sockets/host.hpp"

namespace catflap::app {
namespace {

constexpr std::size_t kMostEndpoints = 1023;

Error not_an_endpoint(const std::string& word) {
  return {.kind = ErrorKind::usage,
          .what = fmt::format("{}: not an endpoint", printable(word, 80)),
          .hint = "metrics=ADDRESS:PORT or control=ADDRESS:PORT"};
}

Result<net::Target> target_of(const std::string& word) {
  const bool control = word.starts_with("control=");
  if (!control && !word.starts_with("metrics=")) return not_an_endpoint(word);
  const auto endpoint = HostPort::parse(std::string_view(word).substr(8));
  if (!endpoint) return not_an_endpoint(word);
  return net::Target{.endpoint = *endpoint, .control = control};
}

Result<int> look_inside(const Runtime& runtime) {
  TRY_ASSIGN(const HostListeners host,
             sockets::read_host_listeners({.root = "/proc/1/root"}, runtime.clock));
  runtime.io.out << json::serialize(render::listeners_document(
                        host, {.started = host.at, .finished = runtime.clock.now()}))
                 << '\n';
  return kExitOk;
}

Result<int> ask(const Runtime& runtime, const std::vector<std::string>& words) {
  const std::string& nonce = words.front();
  if (words.size() - 1 > kMostEndpoints) {
    return Error{.kind = ErrorKind::usage,
                 .what = fmt::format("{} endpoints", words.size() - 1),
                 .hint = fmt::format("at most {}", kMostEndpoints)};
  }
  std::vector<net::Target> targets;
  for (std::size_t i = 1; i < words.size(); ++i) {
    TRY_ASSIGN(net::Target target, target_of(words[i]));
    targets.push_back(std::move(target));
  }
  const auto reaches = runtime.probe(targets, {.stop = runtime.stop});
  runtime.io.out << look::agent_opening(nonce);
  for (std::size_t i = 0; i < reaches.size(); ++i)
    runtime.io.out << look::agent_section(nonce, i, reaches[i]);
  return kExitOk;
}

}  // namespace

Result<int> run_agent(const Runtime& runtime, const Options& options) {
  return options.arguments.empty() ? look_inside(runtime) : ask(runtime, options.arguments);
}

}  // namespace catflap::app
