#include "render/groups.hpp"

#include <array>
#include <set>
#include <tuple>

#include "base/text.hpp"
#include "core/catalogue.hpp"
#include "render/style.hpp"

namespace catflap::render {
namespace {

constexpr std::array kOrder{Verdict::exposed,    Verdict::armed,      Verdict::unknown,
                            Verdict::protected_, Verdict::local_only, Verdict::filtered,
                            Verdict::not_felix,  Verdict::closed,     Verdict::no_felix};

std::size_t rank(Verdict verdict) {
  return static_cast<std::size_t>(std::find(kOrder.begin(), kOrder.end(), verdict) -
                                  kOrder.begin());
}

/// The deciding object, without what is the node's own (a pod's name, FelixConfiguration
/// node.NAME).
std::string source_key(const NodeVerdict& node) {
  if (!node.declared) return "";
  const auto& enabled = node.declared->enabled;
  const bool own = enabled.source.kind == "Pod" || enabled.layer == Layer::fc_node;
  return fmt::format("{}|{}|{}|{}|{}", to_string(enabled.layer), to_string(enabled.state),
                     enabled.raw, enabled.source.field, own ? "" : enabled.source.name);
}

std::string key_of(const NodeVerdict& node) {
  std::set<std::string> codes;
  for (const Message& reason : node.reasons) codes.insert(reason.code);
  return fmt::format("{}|{}|{}|{}|{}|{}", to_string(node.verdict), to_string(node.basis), node.by,
                     node.accepted, fmt::join(codes, ","), source_key(node));
}

std::string verb_phrase(Verdict verdict, std::size_t count) {
  const char* be = count == 1 ? "is" : "are";
  switch (verdict) {
    case Verdict::exposed:
      return fmt::format("{} exposed", be);
    case Verdict::armed:
      return fmt::format("{} armed (switched on, will open)", be);
    case Verdict::unknown:
      return fmt::format("{} unknown", be);
    case Verdict::protected_:
      return fmt::format("{} protected", be);
    case Verdict::local_only:
      return count == 1 ? "listens locally only" : "listen locally only";
    case Verdict::filtered:
      return fmt::format("{} filtered (open behind a firewall)", be);
    case Verdict::not_felix:
      return count == 1 ? "has another service on the port" : "have another service on the port";
    case Verdict::closed:
      return fmt::format("{} closed", be);
    case Verdict::no_felix:
      return count == 1 ? "runs no Felix" : "run no Felix";
  }
  return "";
}

std::string source_object(const Source& source, const ClusterFacts& facts) {
  const std::string name = object_name(source.kind, source.namespace_, source.name);
  if (source.kind != "Pod") return name;
  for (const PodFacts& pod : facts.pods) {
    if (pod.namespace_ != source.namespace_ || pod.name != source.name || pod.daemon_set.empty())
      continue;
    const std::string owner = object_name("DaemonSet", pod.namespace_, pod.daemon_set);
    return pod.stale ? fmt::format("{}, made from an older template of {}", name, owner) : owner;
  }
  return name;
}

int severity_of(const std::string& code) {
  const CatalogueRow* row = find_row(code);
  return row == nullptr ? 0 : static_cast<int>(row->severity);
}

}  // namespace

std::vector<Group> group_nodes(const ClusterVerdict& verdict) {
  std::map<std::string, Group> by_key;
  for (const NodeVerdict& node : verdict.nodes) {
    Group& group = by_key[key_of(node)];
    group.verdict = node.verdict;
    group.basis = node.basis;
    group.accepted = node.accepted;
    group.names.push_back(node.name);
    group.nodes.push_back(&node);
  }
  std::vector<Group> groups;
  for (auto& [key, group] : by_key) groups.push_back(std::move(group));
  std::stable_sort(groups.begin(), groups.end(), [](const Group& a, const Group& b) {
    return std::tuple(rank(a.verdict), b.names.size()) <
           std::tuple(rank(b.verdict), a.names.size());
  });
  return groups;
}

std::string headline(const ClusterVerdict& verdict) {
  const std::size_t total = verdict.nodes.size();
  if (total == 0) return "There are no nodes.";
  std::string text;
  for (Verdict which : kOrder) {
    auto found = verdict.counts.find(which);
    if (found == verdict.counts.end() || found->second == 0) continue;
    const auto count = static_cast<std::size_t>(found->second);
    if (count == total) {
      if (total == 1) return fmt::format("The one node {}.", verb_phrase(which, 1));
      return fmt::format("All {} nodes {}.", with_thousands(total), verb_phrase(which, count));
    }
    text += text.empty() ? fmt::format("{} of {} {}", with_thousands(count),
                                       count_of(total, "node"), verb_phrase(which, count))
                         : fmt::format(", {} {}", with_thousands(count), verb_phrase(which, count));
  }
  return text + ".";
}

std::string object_name(const std::string& kind, const std::string& namespace_,
                        const std::string& name) {
  return fmt::format("{} {}{}{}", kind, namespace_, namespace_.empty() ? "" : "/", name);
}

std::string deciding(const Declared& declared, const ClusterFacts& facts) {
  const auto& enabled = declared.enabled;
  if (enabled.state != ParamState::set) {
    const std::string why = enabled.why.empty() ? "a source that could decide" : enabled.why;
    return fmt::format("{}: {}", to_string(enabled.state), printable(why, 300));
  }
  if (enabled.layer == Layer::build) return "nothing sets it, and yet this build serves metrics";
  if (enabled.layer == Layer::compiled) return "nothing sets it; Felix's own default is off";
  std::string text =
      fmt::format("{}=\"{}\" in {}", enabled.source.field, cut(printable(enabled.raw, 200), 40),
                  source_object(enabled.source, facts));
  if (enabled.invalid) text += " (not a valid value: Felix takes its default, off)";
  return text;
}

std::string reason_text(const Group& group, std::size_t index) {
  const NodeVerdict& first = *group.nodes.front();
  const std::string text = message_text(first.reasons.at(index));
  const bool same =
      std::all_of(group.nodes.begin(), group.nodes.end(), [&](const NodeVerdict* node) {
        return index < node->reasons.size() && node->reasons[index] == first.reasons[index];
      });
  if (same || group.nodes.size() == 1) return text;
  return fmt::format("{}: {}", first.name, text);
}

std::vector<FindingGroup> group_findings(const ClusterVerdict& verdict) {
  std::vector<FindingGroup> groups;
  std::map<std::string, std::size_t> at;
  const auto add = [&](const Message& finding, const std::string& node) {
    // A finding about the cluster is about an object that its text names.
    const std::string key = node.empty() ? finding.code + message_text(finding) : finding.code;
    auto [place, is_new] = at.try_emplace(key, groups.size());
    if (is_new) groups.push_back({finding, {}});
    std::vector<std::string>& nodes = groups[place->second].nodes;
    if (!node.empty() && (nodes.empty() || nodes.back() != node)) nodes.push_back(node);
  };
  for (const Message& finding : verdict.findings) add(finding, "");
  for (const NodeVerdict& node : verdict.nodes) {
    for (const Message& finding : node.findings) add(finding, node.name);
  }
  std::stable_sort(groups.begin(), groups.end(), [](const FindingGroup& a, const FindingGroup& b) {
    return severity_of(a.first.code) > severity_of(b.first.code);
  });
  return groups;
}

}  // namespace catflap::render
