// pod/NS/NAME[/CONTAINER]: every address and port of every node from inside the user's own debug
// pod, as the article does it with curl. A few endpoints a command, so that no command runs long.
// The control is the kubelet's port, as for direct.
#include <fmt/core.h>

#include <algorithm>

#include "base/text.hpp"
#include "look/answers.hpp"
#include "look/asks.hpp"
#include "look/pod_script.hpp"
#include "look/vantage.hpp"

namespace catflap::look {
namespace {

constexpr std::size_t kAsksInOne = 8;
constexpr std::size_t kCommandsAtOnce = 4;  // it is one pod

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
      const auto wanted = script_asks(asks.subspan(at, count), tls);
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

Look PodVantage::run(const std::vector<Ask>& asks) && {
  std::vector<const Ask*> all;
  for (const auto& ask : asks) all.push_back(&ask);
  auto reaches = unanswered(asks, name_, context_.clock.now());
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
  if (!sort_in(look_, asks, std::move(reaches)) && !failed_ && !look_.controls.empty())
    fail("blind", blind_words(look_));
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
