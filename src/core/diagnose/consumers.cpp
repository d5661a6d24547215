#include "core/diagnose/consumers.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <string>

namespace catflap {
namespace {

constexpr std::size_t kMostTold = 20;

/// One message for all kinds that could not be read.
std::vector<Message> not_known(const char* code, const std::vector<NotKnown>& list) {
  if (list.empty()) return {};
  std::vector<std::string> kinds;
  for (const NotKnown& one : list) kinds.push_back(one.kind);
  return {
      {code, {{"kinds", fmt::format("{}", fmt::join(kinds, ", "))}, {"why", list.front().why}}}};
}

}  // namespace

std::string consumer_name(const Consumer& consumer) {
  if (consumer.kind == "Annotations") return "annotations of " + consumer.via;
  return fmt::format("{} {}{}{}", consumer.kind, consumer.namespace_,
                     consumer.namespace_.empty() ? "" : "/", consumer.name);
}

std::vector<Message> platform_findings(const Platform& platform) {
  std::vector<Message> findings;
  for (const PlatformPatch& patch : platform.patches) {
    findings.push_back(
        {"CF0073",
         {{"name", patch.name}, {"object", patch.object}, {"resource", platform.patch_resource}}});
  }
  return findings;
}

std::vector<Message> surroundings_findings(const Surroundings& around) {
  std::vector<Message> findings;
  if (!around.consumers.empty()) {
    std::vector<std::string> names;
    for (const Consumer& consumer : around.consumers) {
      if (names.size() < kMostTold) names.push_back(consumer_name(consumer));
    }
    const std::size_t count = around.consumers.size();
    findings.push_back({"CF0070",
                        {{"count", fmt::format("{} {}", count, count == 1 ? "object" : "objects")},
                         {"names", fmt::format("{}{}", fmt::join(names, ", "),
                                               count > names.size() ? ", …" : "")}}});
  }
  std::ranges::move(not_known("CF0071", around.consumers_not_known), std::back_inserter(findings));
  std::ranges::move(not_known("CF0076", around.platform.not_known), std::back_inserter(findings));
  std::ranges::move(platform_findings(around.platform), std::back_inserter(findings));
  return findings;
}

void describe_surroundings(Plan& plan, const Surroundings& around) {
  if (plan.steps.empty()) return;
  std::size_t told = 0;
  for (const Consumer& consumer : around.consumers) {
    // Those have a message of their own (breaks-annotated-scrapes).
    if (consumer.kind == "Annotations" || told == kMostTold) continue;
    ++told;
    plan.breaks.push_back(
        {"breaks-consumer",
         {{"object", consumer_name(consumer)}, {"port", consumer.port}, {"via", consumer.via}}});
  }
  std::ranges::move(not_known("CF0071", around.consumers_not_known),
                    std::back_inserter(plan.breaks));
  std::ranges::move(not_known("CF0076", around.platform.not_known),
                    std::back_inserter(plan.findings));
  std::ranges::move(platform_findings(around.platform), std::back_inserter(plan.findings));
}

}  // namespace catflap
