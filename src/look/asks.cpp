#include "look/asks.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <random>

#include "look/answers.hpp"
#include "look/vantage.hpp"

namespace catflap::look {

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

std::vector<PodAsk> script_asks(std::span<const Ask* const> asks, bool tls) {
  std::vector<PodAsk> wanted;
  for (const auto* one : asks)
    wanted.push_back({.endpoint = one->endpoint,
                      .tls = tls || one->control,
                      .path = one->control ? "/healthz" : "/metrics"});
  return wanted;
}

std::vector<Reach> unanswered(const std::vector<Ask>& asks, const std::string& vantage,
                              TimePoint at) {
  std::vector<Reach> reaches;
  for (const auto& ask : asks)
    reaches.push_back({.vantage = vantage, .node = ask.node, .endpoint = ask.endpoint, .at = at});
  return reaches;
}

bool sort_in(Look& look, const std::vector<Ask>& asks, std::vector<Reach> reaches) {
  bool sees = false;
  for (std::size_t i = 0; i < asks.size(); ++i) {
    auto& reach = reaches[i];
    if (!asks[i].control) {
      look.reached.push_back(std::move(reach));
      continue;
    }
    look.controls.push_back({.vantage = reach.vantage,
                             .address = reach.endpoint.address,
                             .outcome = reach.outcome,
                             .at = reach.at});
    sees = sees || look.controls.back().passed();
  }
  if (!sees)
    std::erase_if(look.reached, [](const Reach& row) { return row.outcome != Outcome::open; });
  return sees;
}

std::string blind_words(const Look& look) {
  return fmt::format("port {} answered it at none of {} addresses", kKubeletPort,
                     look.controls.size());
}

std::string make_nonce() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}", device(), device());
}

}  // namespace catflap::look
