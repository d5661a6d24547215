#include "render/verdict_text.hpp"

#include <map>
#include <set>

#include "base/json_read.hpp"
#include "base/text.hpp"
#include "core/catalogue.hpp"
#include "core/diagnose/consumers.hpp"
#include "core/plan/owned.hpp"
#include "core/plan/owner.hpp"
#include "render/explain.hpp"
#include "render/groups.hpp"

namespace catflap::render {
namespace {

constexpr std::size_t kMostGroups = 6;
constexpr std::size_t kMostGroupsOfVerdict = 2;
constexpr std::size_t kMostFindings = 5;

/// Two vantage points may say the same of an endpoint.
void add_once(std::vector<std::string>& lines, std::string line) {
  if (std::find(lines.begin(), lines.end(), line) == lines.end()) lines.push_back(std::move(line));
}

std::string group_text(const Group& group, const ClusterFacts& facts, std::size_t most_reasons,
                       const Style& style) {
  const std::string count = count_of(group.names.size(), "node");
  std::string text =
      pad_right("", 2) + style.paint(tone_of(group.verdict), to_string(group.verdict));
  if (group.basis != Basis::none) text += fmt::format(" (basis {})", to_string(group.basis));
  if (group.accepted && group.verdict != Verdict::closed && group.verdict != Verdict::no_felix) {
    text += " (accepted by policy)";
  }
  text += fmt::format("  {}: {}\n", count, name_list(group.names, 60));
  const NodeVerdict& first = *group.nodes.front();
  std::vector<std::string> reasons;
  for (std::size_t i = 0; i < first.reasons.size(); ++i) add_once(reasons, reason_text(group, i));
  const std::size_t shown = std::min(reasons.size(), most_reasons);
  for (std::size_t i = 0; i < shown; ++i) text += paragraph(reasons[i], 4);
  if (reasons.size() > shown) {
    text += fmt::format("    and {} (-o wide)\n", count_of(reasons.size() - shown, "more reason"));
  }
  if (first.declared) text += paragraph("decided by " + deciding(*first.declared, facts), 4);
  return text;
}

/// The next command that gets the reader further.
std::string next_of(const ClusterVerdict& verdict, const std::string& program) {
  const auto count = [&](Verdict which) {
    auto found = verdict.counts.find(which);
    return found == verdict.counts.end() ? 0 : found->second;
  };
  if (count(Verdict::exposed) + count(Verdict::armed) + count(Verdict::filtered) +
          count(Verdict::local_only) + count(Verdict::protected_) >
      0) {
    return fmt::format("{} plan     what closing it would do; writes nothing", program);
  }
  if (count(Verdict::unknown) > 0) {
    return fmt::format("{} verify   looks from inside the nodes too", program);
  }
  return fmt::format("{} verify   proves it in two looks", program);
}

/// After a proof that failed another one is no advice: what the first reason says is.
std::string next_after(const ClusterVerdict& verdict, const std::string& program) {
  const auto count = [&](Verdict which) {
    const auto found = verdict.counts.find(which);
    return found == verdict.counts.end() ? 0 : found->second;
  };
  const bool open = count(Verdict::exposed) + count(Verdict::armed) + count(Verdict::filtered) +
                        count(Verdict::local_only) + count(Verdict::protected_) >
                    0;
  if (open) return next_of(verdict, program);
  for (const NodeVerdict& node : verdict.nodes) {
    if (node.accepted && node.verdict != Verdict::unknown) continue;
    for (const Message& reason : node.reasons)
      if (const std::string remedy = remedy_text(reason); !remedy.empty())
        return node.name + ": " + remedy;
  }
  return next_of(verdict, program);
}

std::string owners_text(const ClusterFacts& facts, const Style& style) {
  std::string text;
  for (const OwnedObject& object : owned_objects(facts)) {
    std::string line =
        object.owners.empty() ? fmt::format("nothing reverts changes to {}", object.name) : "";
    for (const Owner& owner : object.owners) {
      if (!line.empty()) line += "; ";
      line +=
          owner.class_ == OwnerClass::unknown_controller
              ? fmt::format("{} controls {}; whether it reverts changes is not known", owner.name,
                            object.name)
              : fmt::format("{} reverts changes to {} {}", owner.name, object.name, owner.cycle);
    }
    text += field(style, text.empty() ? "Owner" : "", line);
  }
  return text;
}

/// What an owner may write back: every DaemonSet of Felix, and what else was written.
std::map<std::string, const json::object*> to_stay_closed(const ClusterFacts& facts,
                                                          const ChangeView& change) {
  std::map<std::string, const json::object*> objects;
  for (const DaemonSetFacts& set : facts.daemon_sets)
    objects[object_name("DaemonSet", set.namespace_, set.name)] = &set.object;
  const auto add_named = [&](const std::vector<json::object>& list, const Target& target) {
    for (const json::object& object : list)
      if (text_at(object, {"metadata", "name"}) == target.name)
        objects[object_name(target.kind, "", target.name)] = &object;
  };
  for (const WrittenView& one : change.written) {
    if (one.target.kind == "FelixConfiguration") add_named(facts.felix_configurations, one.target);
    if (one.target.kind == "Installation" && facts.tigera_operator)
      add_named(facts.tigera_operator->installations, one.target);
  }
  return objects;
}

std::string readers_text(const Surroundings& around, const Style& style) {
  if (!around.read) return "";
  std::vector<std::string> names;
  for (const Consumer& consumer : around.consumers) names.push_back(consumer_name(consumer));
  std::string text = names.empty() ? "no object that Kubernetes knows of" : name_list(names, 300);
  if (!around.consumers_not_known.empty()) text += "; more is not known (CF0071)";
  return field(style, "Read by", text);
}

std::string cluster_facts_line(const ClusterFacts& facts) {
  std::vector<std::string> parts{facts.server, "Kubernetes " + facts.kubernetes_version};
  if (!facts.calico_version.empty()) parts.push_back("Calico " + facts.calico_version);
  parts.push_back("as " + facts.user);
  return fmt::format("{}", fmt::join(parts, ", "));
}

/// By a Job of catflap's own.
bool by_agent(const InsideLook& inside) {
  return inside.vantage == "agent" || inside.vantage.starts_with("agent/");
}

bool ran_commands(std::span<const Look> looks) {
  return std::any_of(looks.begin(), looks.end(),
                     [](const Look& look) { return !look.inside.empty(); });
}

/// What a look has left in the cluster.
const char* trace_of(std::span<const Look> looks) {
  const bool agent = std::any_of(looks.begin(), looks.end(), [](const Look& look) {
    return std::any_of(look.inside.begin(), look.inside.end(), by_agent);
  });
  if (agent)
    return "Nothing was written but the agent's Jobs; catflap or the cluster deletes them.";
  return ran_commands(looks) ? "Nothing was written."
                             : "Nothing was written and nothing was started.";
}

std::string looks_line(const ClusterVerdict& verdict) {
  const auto& looks = verdict.stability.looks;
  if (looks.size() < 2) return "once: a look is not yet a proof";
  const std::string apart = about(looks.back() - looks.front());
  std::string text = looks.size() == 2 ? fmt::format("twice, {} apart", apart)
                                       : fmt::format("{} times in {}", looks.size(), apart);
  if (!verdict.stability.settled) text += ", not far enough apart to be settled";
  if (!verdict.stability.owner_cycle.empty() && !verdict.stability.owner_cycle_covered) {
    text += fmt::format("; an owner may revert it later ({})", verdict.stability.owner_cycle);
  }
  return text;
}

}  // namespace

std::string cluster_line(const ClusterFacts& facts, const Style& style) {
  return field(style, "Cluster",
               fmt::format("{}: {}", facts.cluster_name, cluster_facts_line(facts)));
}

std::string verdict_summary(const Seen& seen, const Style& style) {
  const ClusterVerdict& verdict = seen.verdict;
  std::string text = field(style, "Nodes", headline(verdict), tone_of(verdict.verdict));
  const std::vector<Group> groups = group_nodes(verdict);
  const std::size_t most_reasons = groups.size() <= 2 ? 3 : 1;
  std::size_t shown = 0, shown_of_verdict = 0, left_out = 0;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (i == 0 || groups[i].verdict != groups[i - 1].verdict) shown_of_verdict = 0;
    if (shown < kMostGroups && shown_of_verdict < kMostGroupsOfVerdict) {
      text += group_text(groups[i], seen.facts, most_reasons, style);
      ++shown, ++shown_of_verdict;
    } else {
      left_out += groups[i].names.size();
    }
    const bool last_of_verdict =
        i + 1 == groups.size() || groups[i + 1].verdict != groups[i].verdict;
    if (!last_of_verdict || left_out == 0) continue;
    text += fmt::format("  {}  {} for other reasons (-o wide)\n",
                        style.paint(tone_of(groups[i].verdict), to_string(groups[i].verdict)),
                        count_of(std::exchange(left_out, 0), "more node"));
  }
  return text;
}

std::string findings_text(const ClusterVerdict& verdict, std::size_t most, const Style& style) {
  const std::vector<FindingGroup> groups = group_findings(verdict);
  std::string text;
  for (std::size_t i = 0; i < std::min(groups.size(), most); ++i) {
    const FindingGroup& group = groups[i];
    const CatalogueRow* row = find_row(group.first.code);
    std::string line = group.first.code + " " + message_text(group.first);
    if (group.nodes.size() > 1)
      line += fmt::format(" (and {})", count_of(group.nodes.size() - 1, "more node"));
    text += field(style, i == 0 ? "Findings" : "", line,
                  row == nullptr ? Tone::plain : tone_of(row->severity));
  }
  if (groups.size() > most) {
    text += field(style, "",
                  fmt::format("and {} (-o json)", count_of(groups.size() - most, "more finding")));
  }
  return text;
}

std::string looked_text(std::span<const Look> looks, const Style& style) {
  std::map<std::string, std::set<HostPort>> endpoints;
  std::set<std::string> inside;
  std::set<std::string> imported;                      // nodes
  std::set<std::string> agents, agents_that_answered;  // nodes
  std::map<std::string, std::string> skipped;
  for (const Look& look : looks) {
    for (const Reach& reach : look.reached) endpoints[reach.vantage].insert(reach.endpoint);
    for (const InsideLook& one : look.inside) {
      if (by_agent(one)) {
        agents.insert(one.node);
        if (one.complete) agents_that_answered.insert(one.node);
      } else {
        (one.table_only ? imported : inside).insert(one.table_only ? one.node : one.pod_uid);
      }
    }
    for (const auto& skip : look.skipped)
      skipped[skip.vantage] = skip.detail.empty() ? skip.code : skip.detail;
  }
  std::vector<std::string> parts;
  for (const auto& [vantage, asked] : endpoints) {
    parts.push_back(fmt::format("{}: {}", vantage, count_of(asked.size(), "endpoint")));
  }
  if (!inside.empty())
    parts.push_back(fmt::format("exec: a command in {}", count_of(inside.size(), "container")));
  if (!imported.empty())
    parts.push_back(fmt::format("import: files from {}", count_of(imported.size(), "node")));
  if (!agents.empty())
    parts.push_back(fmt::format("agent: Jobs told of {} of {}", agents_that_answered.size(),
                                count_of(agents.size(), "node")));
  for (const auto& [vantage, why] : skipped) {
    parts.push_back(fmt::format("{} skipped: {}", vantage, printable(why, 160)));
  }
  if (parts.empty()) parts.emplace_back("from nowhere");
  const std::string at = looks.empty() ? "" : "at " + clock_text(looks.back().started) + ", ";
  std::string text = field(style, "Looked", fmt::format("{}{}.", at, fmt::join(parts, "; ")));
  if (!inside.empty()) text += field(style, "", "The commands only read /proc and felix.cfg.");
  return text;
}

std::string diagnosis_text(const Seen& seen, const std::string& program, const Style& style) {
  std::string text = cluster_line(seen.facts, style);
  text += verdict_summary(seen, style);
  text += owners_text(seen.facts, style);
  text += readers_text(seen.facts.surroundings, style);
  text += findings_text(seen.verdict, kMostFindings, style);
  text += looked_text(seen.looks, style);
  text += field(style, "", trace_of(seen.looks));
  return text + field(style, "Next", next_of(seen.verdict, program), Tone::strong);
}

std::string evidence_text(const Seen& seen, const std::string& evidence_file,
                          const std::string& program, const Style& style) {
  std::string text = cluster_line(seen.facts, style);
  text += verdict_summary(seen, style);
  text += findings_text(seen.verdict, kMostFindings, style);
  text += looked_text(seen.looks, style);
  text += field(style, "Looks", looks_line(seen.verdict));
  if (!evidence_file.empty()) text += field(style, "Evidence", evidence_file);
  const bool good =
      seen.verdict.verdict == Verdict::closed || seen.verdict.verdict == Verdict::no_felix;
  return good ? text : text + field(style, "Next", next_after(seen.verdict, program), Tone::strong);
}

std::string after_close_text(const Seen& seen, const ChangeView& change, const std::string& program,
                             const Style& style) {
  std::string text;
  std::set<std::string> told;  // one source may write several of them
  for (const auto& [name, object] : to_stay_closed(seen.facts, change)) {
    for (const Owner& owner : owners_of(*object, seen.facts.surroundings)) {
      if (owner.class_ != OwnerClass::reverts_at_next_release || owner.change_at_source.empty())
        continue;
      text += field(style, text.empty() ? "To stay" : "",
                    fmt::format("{} writes {} back {}; change it there too: {}", owner.name, name,
                                owner.cycle, owner.change_at_source));
      if (told.insert(owner.paste).second) text += pasted(owner.paste);
    }
  }
  const bool wrote = std::any_of(change.written.begin(), change.written.end(),
                                 [](const WrittenView& one) { return one.written; });
  return wrote ? text + field(style, "Undo", program + " undo") : text;
}

std::string wide_text(const Seen& seen) {
  std::vector<std::vector<std::string>> rows{
      {"NODE", "VERDICT", "BASIS", "ADDRESSES", "DECIDED BY", "REASONS"}};
  for (const NodeVerdict& node : seen.verdict.nodes) {
    std::vector<std::string> addresses, reasons;
    for (const NodeAddress& address : node.addresses)
      addresses.push_back(address.address.to_string());
    for (const Message& reason : node.reasons) add_once(reasons, message_text(reason));
    rows.push_back({node.name, std::string(to_string(node.verdict)),
                    node.basis == Basis::none ? "-" : to_string(node.basis),
                    addresses.empty() ? "-" : fmt::format("{}", fmt::join(addresses, ",")),
                    node.declared ? deciding(*node.declared, seen.facts) : "-",
                    fmt::format("{}", fmt::join(reasons, "; "))});
  }
  return table(rows, std::string::npos);
}

std::string name_text(const ClusterVerdict& verdict) {
  std::string text;
  for (const NodeVerdict& node : verdict.nodes) {
    text += fmt::format("node/{} {}\n", node.name, to_string(node.verdict));
  }
  return text;
}

}  // namespace catflap::render
