// pod/NS/NAME[/CONTAINER]: every address and port of every node from inside the user's own debug
// pod, as the article does it with curl. A few endpoints a command, so that no command runs long.
// The control is the kubelet's port, as for direct.
#include <fmt/core.h>

#include <algorithm>
#include <random>

#include "base/text.hpp"
#include "look/answers.hpp"
#include "look/pod_script.hpp"
#include "look/vantage.hpp"

namespace catflap::look {
namespace {

constexpr std::size_t kAsksInOne = 8;
constexpr std::size_t kCommandsAtOnce = 4;  // it is one pod

struct Ask {
  std::string node;
  HostPort endpoint;
  bool control = false;
};

std::vector<Ask> asks_of(const ClusterFacts& facts, const LookOptions& options) {
  std::vector<Ask> asks;
  for (const auto& node : facts.nodes) {
    for (const auto& [address, type] : node.addresses) {
      asks.push_back({node.name, {address, kKubeletPort}, true});
      for (const Port port : ports_to_ask(facts, options, node.name))
        asks.push_back({node.name, {address, port}, false});
    }
  }
  return asks;
}

/// Not a secret of ours: no server that is asked knows it.
std::string make_nonce() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}", device(), device());
}

class PodVantage {
 public:
  PodVantage(const LookContext& context, const LookOptions& options, std::string name,
             const PodVantageName& pod)
      : context_(context), options_(options), name_(std::move(name)), pod_(pod) {}

  Look run(const std::vector<Ask>& asks) &&;

 private:
  void ask(std::span<const Ask* const> asks, std::vector<Reach>& reaches, bool tls);
  void take(std::span<const Ask* const> asks, const Result<kube::ExecOutput>& answer,
            std::span<Reach> reaches, bool tls);
  void fail(const char* code, std::string why);
  void sort_in(const std::vector<Ask>& asks, std::vector<Reach> reaches);

  const LookContext& context_;
  const LookOptions& options_;
  std::string name_;
  const PodVantageName& pod_;
  std::string nonce_ = make_nonce();
  bool failed_ = false;
  Look look_;
};

/// Said once, and nothing more is asked of this pod.
void PodVantage::fail(const char* code, std::string why) {
  if (!std::exchange(failed_, true)) look_.skipped.push_back({name_, code, std::move(why)});
}

void PodVantage::take(std::span<const Ask* const> asks, const Result<kube::ExecOutput>& answer,
                      std::span<Reach> reaches, bool tls) {
  if (!answer.has_value()) {
    const auto& error = answer.error();
    for (auto& reach : reaches) {
      if (reach.outcome != Outcome::open) reach.outcome = Outcome::error;
      reach.detail += printable(to_string(error));
    }
    if (error.kind == ErrorKind::not_permitted) return fail("forbidden", to_string(error));
    if (error.kind != ErrorKind::timed_out) fail("failed", to_string(error));
    return;
  }
  const auto output = parse_pod_output(answer->stdout_, nonce_, asks.size());
  if (output.tool == PodOutput::Tool::none)
    return fail("no-tool", fmt::format("the container has neither curl nor bash with timeout: {}",
                                       printable(answer->stderr_, 200)));
  for (std::size_t i = 0; i < asks.size(); ++i) {
    if (output.said[i].complete || output.said[i].connected)
      add_said(reaches[i], output.said[i], output.tool, tls);
  }
}

void PodVantage::ask(std::span<const Ask* const> asks, std::vector<Reach>& reaches, bool tls) {
  for (std::size_t begin = 0; begin < asks.size() && !failed_;) {
    std::vector<kube::ExecCall> calls;
    std::vector<std::size_t> starts;
    for (std::size_t at = begin; at < asks.size() && calls.size() < kCommandsAtOnce;) {
      const auto count = std::min(kAsksInOne, asks.size() - at);
      std::vector<PodAsk> wanted;
      for (const auto* one : asks.subspan(at, count))
        wanted.push_back({.endpoint = one->endpoint,
                          .tls = tls || one->control,
                          .path = one->control ? "/healthz" : "/metrics"});
      calls.push_back({.namespace_ = pod_.namespace_,
                       .pod = pod_.name,
                       .container = pod_.container,
                       .command = {"sh", "-c", pod_script(nonce_, wanted)},
                       .max_bytes = 1u << 20,
                       .timeout = kPodAskTime * static_cast<int>(count) + options_.exec_timeout});
      starts.push_back(at);
      at += count;
    }
    if (context_.progress) context_.progress(name_, begin, asks.size());
    const auto answers = context_.api.exec(calls, kCommandsAtOnce);
    for (std::size_t i = 0; i < std::min(answers.size(), starts.size()); ++i) {
      const auto count = std::min(kAsksInOne, asks.size() - starts[i]);
      take(asks.subspan(starts[i], count), answers[i], std::span(reaches).subspan(starts[i], count),
           tls);
      begin = starts[i] + count;
    }
    if (context_.stop.stop_requested() || answers.empty()) return;
  }
}

/// The controls apart, and what is left of the rest if none of them passed.
void PodVantage::sort_in(const std::vector<Ask>& asks, std::vector<Reach> reaches) {
  bool sees = false;
  for (std::size_t i = 0; i < asks.size(); ++i) {
    auto& reach = reaches[i];
    if (!asks[i].control) {
      look_.reached.push_back(std::move(reach));
      continue;
    }
    look_.controls.push_back({.vantage = name_,
                              .address = reach.endpoint.address,
                              .outcome = reach.outcome,
                              .at = reach.at});
    sees = sees || look_.controls.back().passed();
  }
  if (sees) return;
  std::erase_if(look_.reached, [](const Reach& row) { return row.outcome != Outcome::open; });
  if (!failed_ && !look_.controls.empty())
    fail("blind", fmt::format("port {} answered it at none of {} addresses", kKubeletPort,
                              look_.controls.size()));
}

Look PodVantage::run(const std::vector<Ask>& asks) && {
  const auto at = context_.clock.now();
  std::vector<const Ask*> all;
  std::vector<Reach> reaches;
  for (const auto& ask : asks) {
    all.push_back(&ask);
    reaches.push_back({.vantage = name_, .node = ask.node, .endpoint = ask.endpoint, .at = at});
  }
  ask(all, reaches, false);
  std::vector<const Ask*> again;
  std::vector<Reach> over_tls;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < asks.size(); ++i) {
    if (asks[i].control || !may_want_tls(reaches[i])) continue;
    again.push_back(all[i]);
    over_tls.push_back(std::move(reaches[i]));
    over_tls.back().detail = "in plain text: " + over_tls.back().detail + "; over TLS: ";
    places.push_back(i);
  }
  ask(again, over_tls, true);
  for (std::size_t i = 0; i < places.size(); ++i) reaches[places[i]] = std::move(over_tls[i]);
  sort_in(asks, std::move(reaches));
  return std::move(look_);
}

}  // namespace

Look look_pod(const LookContext& context, const ClusterFacts& facts, const LookOptions& options,
              const std::string& vantage) {
  const auto name = parse_pod_vantage(vantage);
  if (!name) return {};
  return PodVantage(context, options, vantage, *name).run(asks_of(facts, options));
}

std::optional<PodVantageName> parse_pod_vantage(std::string_view word) {
  constexpr std::string_view kPrefix = "pod/";
  if (!word.starts_with(kPrefix)) return std::nullopt;
  word.remove_prefix(kPrefix.size());
  PodVantageName name;
  std::string* const parts[] = {&name.namespace_, &name.name, &name.container};
  std::size_t count = 0;
  for (;; ++count) {
    const auto slash = word.find('/');
    const auto part = word.substr(0, slash);
    if (count == 3 || part.empty()) return std::nullopt;
    *parts[count] = part;
    if (slash == std::string_view::npos) break;
    word.remove_prefix(slash + 1);
  }
  return count >= 1 ? std::optional(name) : std::nullopt;
}

}  // namespace catflap::look
