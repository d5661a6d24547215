#include "render/change_text.hpp"

#include <set>

#include "base/text.hpp"
#include "core/catalogue.hpp"
#include "render/explain.hpp"
#include "render/groups.hpp"

namespace catflap::render {
namespace {

constexpr std::size_t kMostNodes = 40;

std::string target_name(const Target& target) {
  return object_name(target.kind, target.namespace_, target.name);
}

std::string command(std::string_view line) {
  return fmt::format("     $ {}\n", line);
}

std::string messages(std::string_view label, const std::vector<Message>& list, const Style& style) {
  std::string text;
  for (const Message& message : list) {
    const CatalogueRow* row = find_row(message.code);
    const Tone tone =
        row == nullptr || row->severity == Severity::info ? Tone::plain : tone_of(row->severity);
    const std::string code = message.code.starts_with("CF") ? message.code + " " : "";
    text += field(style, text.empty() ? label : "", code + message_text(message), tone);
  }
  return text;
}

std::string restart_words(const Step& step) {
  const std::string nodes =
      step.nodes.empty() ? "" : fmt::format(": {}", name_list(step.nodes, 50));
  switch (step.restart) {
    case Restart::none:
      return "restarts nothing";
    case Restart::rolling:
      return fmt::format("restarts the pods of {}, batch by batch{}",
                         count_of(step.nodes.size(), "node"), nodes);
    case Restart::in_place:
      return fmt::format("restarts Felix inside its pod on {}, all at once{}",
                         count_of(step.nodes.size(), "node"), nodes);
  }
  return "";
}

std::string step_text(const Step& step) {
  std::string text = paragraph("- " + message_text(step.title), 2);
  text += paragraph(restart_words(step), 4);
  return step.by_hand.empty() ? text : text + command(step.by_hand);
}

std::string refusals_text(const Plan& plan, const Style& style) {
  std::string text;
  for (const Refusal& refusal : plan.refusals) {
    text +=
        field(style, "Refused",
              fmt::format("{} {}", refusal.message.code, message_text(refusal.message)), Tone::bad);
    const std::string remedy = remedy_text(refusal.message);
    if (!remedy.empty()) text += field(style, "", remedy);
    const auto paste = refusal.message.params.find("paste");
    if (paste != refusal.message.params.end()) {
      text += pasted(paste->second);
      continue;
    }
    for (const std::string& line : refusal.remedy_lines) text += command(line);
  }
  return text;
}

/// What is to be changed where the owners read it, each once.
std::string sources_text(const Plan& plan, const Style& style) {
  std::set<std::string> told;
  std::string text;
  for (const auto* list : {&plan.warnings, &plan.findings}) {
    for (const Message& message : *list) {
      const auto paste = message.params.find("paste");
      if (paste == message.params.end() || !told.insert(paste->second).second) continue;
      text += field(style, text.empty() ? "At source" : "",
                    fmt::format("{}: {}", message.params.at("owner"), message.params.at("change")));
      text += pasted(paste->second);
    }
  }
  return text;
}

/// How a curl must ask: with the wrong scheme it fails while the port is open.
std::vector<const char*> schemes_of(const ClusterFacts& facts) {
  bool plain = facts.pods.empty(), tls = facts.pods.empty();
  for (const PodFacts& pod : facts.pods) {
    const auto& declared = pod.declared.tls;
    const bool known = declared.value || declared.state == ParamState::unsupported;
    plain = plain || !known || !declared.value.value_or(false);
    tls = tls || !known || declared.value.value_or(false);
  }
  std::vector<const char*> schemes;
  if (plain) schemes.push_back("http");
  if (tls) schemes.push_back("-k https");
  return schemes;
}

std::string article_steps(const Plan& plan, const ClusterFacts& facts, const Style& style) {
  const std::string port = ports_text(facts);
  std::string text = "\n" + style.paint(Tone::strong, message_text({"step-disable", {}})) + "\n";
  for (const Step& step : plan.steps) text += step_text(step);
  for (const Message& warning : plan.warnings) {
    text += messages("Warning", {warning}, style);
    if (const std::string remedy = remedy_text(warning); !remedy.empty())
      text += field(style, "", remedy);
  }
  text += "\n" + style.paint(Tone::strong, message_text({"step-wait", {}})) + "\n";
  for (const DaemonSetFacts& set : facts.daemon_sets) {
    text += command(fmt::format("kubectl -n {} rollout status ds/{}", set.namespace_, set.name));
  }
  text += "\n" + style.paint(Tone::strong, message_text({"step-verify", {{"port", port}}})) + "\n";
  text +=
      command(fmt::format("ss -lntp | grep ':{}[[:space:]]\\+'          # on every node: nothing",
                          port.substr(0, port.find(','))));
  for (const char* scheme : schemes_of(facts)) {
    text += command(fmt::format(
        "curl {}://<node-ip>:{}/metrics   # from a pod that could: must say \"Connection refused\"",
        scheme, port.substr(0, port.find(','))));
  }
  return text + "\n";
}

std::string size_line(const Plan& plan) {
  if (plan.restarting_nodes == 0)
    return fmt::format("{}; nothing restarts", count_of(plan.steps.size(), "write"));
  std::string text =
      fmt::format("{}; Felix restarts once on {}", count_of(plan.steps.size(), "write"),
                  count_of(static_cast<std::size_t>(plan.restarting_nodes), "node"));
  if (plan.expected > Duration{}) text += fmt::format("; about {} in all", about(plan.expected));
  return text;
}

/// Nodes that have restarted and whose new pod is not Ready yet.
std::size_t nodes_starting(const ChangeView& change) {
  std::size_t count = 0;
  for (const RolloutView& rollout : change.rollouts)
    for (const RolloutNodeView& node : rollout.nodes)
      if (!rollout.complete && (node.state == "creating" || node.state == "not-ready")) ++count;
  return count;
}

}  // namespace

std::string ports_text(const ClusterFacts& facts) {
  std::vector<int> ports;
  for (const PodFacts& pod : facts.pods) {
    const int port = pod.declared.port.value.value_or(kDefaultMetricsPort);
    if (std::find(ports.begin(), ports.end(), port) == ports.end()) ports.push_back(port);
  }
  return ports.empty() ? "9091" : fmt::format("{}", fmt::join(ports, ", "));
}

std::string plan_text(const Plan& plan, const ClusterFacts& facts, const std::string& program,
                      const Style& style) {
  std::string text = cluster_and_user(facts, style);
  if (!plan.refusals.empty())
    return text + refusals_text(plan, style) + messages("Findings", plan.findings, style);
  if (plan.steps.empty()) {
    return text + messages("Plan", plan.warnings, style) +
           messages("Findings", plan.findings, style);
  }
  text += field(style, "Plan", size_line(plan), Tone::strong);
  text += article_steps(plan, facts, style);
  text += messages("Stays up", plan.stays_up, style);
  text += messages("Breaks", plan.breaks, style);
  text += messages("Findings", plan.findings, style);
  text += sources_text(plan, style);
  return text + field(style, "Undo", program + " undo     puts every changed field back as it was");
}

std::string plan_next(const Plan& plan, const std::string& program, const Style& style) {
  if (!plan.refusals.empty()) return "";
  return field(style, "Next",
               program + (plan.steps.empty() ? " verify   proves it per node"
                                             : " close    does these steps and proves the result"),
               Tone::strong);
}

std::string rollout_line(const RolloutView& rollout) {
  std::map<std::string, std::size_t> counts;
  for (const RolloutNodeView& node : rollout.nodes) ++counts[node.state];
  const std::size_t done = counts["done"];
  // No node is in it yet: nobody has begun to roll anything out.
  if (rollout.nodes.empty() && !rollout.waiting_for.empty())
    return cut(fmt::format("{}/{}  {} ({})", rollout.namespace_, rollout.name,
                           printable(rollout.waiting_for, 300), about(rollout.elapsed)),
               kWidth);
  std::string text = fmt::format("{}/{}  {} of {} done", rollout.namespace_, rollout.name,
                                 with_thousands(done), count_of(rollout.nodes.size(), "node"));
  for (const auto& [state, count] : counts) {
    if (state != "done" && count != 0) text += fmt::format(", {} {}", with_thousands(count), state);
  }
  // While nodes are not done, they are what is waited for.
  if (done == rollout.nodes.size() && !rollout.waiting_for.empty())
    text += "; " + rollout.waiting_for;
  return cut(fmt::format("{} ({})", text, about(rollout.elapsed)), kWidth);
}

std::string rollout_text(const RolloutView& rollout, std::size_t most, const Style& style) {
  std::string text = rollout_line(rollout) + "\n";
  std::vector<std::vector<std::string>> rows;
  std::size_t left_out = 0;
  for (const RolloutNodeView& node : rollout.nodes) {
    if (node.state == "done") continue;
    if (rows.size() == most) {
      ++left_out;
      continue;
    }
    std::string why = node.reason;
    if (!node.message.empty()) why += (why.empty() ? "" : ": ") + printable(node.message, 200);
    rows.push_back({"  " + node.node, node.state, node.pod.empty() ? "-" : node.pod, why});
  }
  text += table(rows, kWidth);
  if (left_out != 0) text += fmt::format("  and {}\n", count_of(left_out, "more node"));
  if (!rollout.trouble.empty())
    text += style.paint(Tone::caution, cut("  " + printable(rollout.trouble, 300), kWidth)) + "\n";
  return text;
}

std::string written_text(std::span<const WrittenView> written, const Style& style) {
  std::string text;
  for (const WrittenView& one : written) {
    text += field(style, text.empty() ? "Wrote" : "",
                  fmt::format("{} {}: {}", target_name(one.target), one.target.field,
                              one.written ? "changed" : "already was so"));
  }
  return text;
}

std::string still_running_text(const ChangeView& change, const char* command_name,
                               const std::string& program, const Style& style) {
  std::string text;
  const std::size_t starting = nodes_starting(change);
  if (change.still_restarting > 0) {
    const std::string nodes = count_of(static_cast<std::size_t>(change.still_restarting), "node");
    text +=
        field(style, "Goes on",
              fmt::format("the DaemonSet controller goes on without catflap: {} will still restart",
                          nodes),
              Tone::caution);
    if (!change.freeze_commands.empty())
      text += field(style, "Freeze", "this stops it where it is:");
    for (const std::string& line : change.freeze_commands) text += command(line);
    if (!change.thaw_commands.empty()) text += field(style, "", "and this lets it go on:");
    for (const std::string& line : change.thaw_commands) text += command(line);
  } else if (starting > 0) {
    text += field(
        style, "Goes on",
        fmt::format("no other node will restart; {} not ready yet",
                    starting == 1 ? "1 new pod is" : fmt::format("{} new pods are", starting)),
        Tone::caution);
  }
  const bool undoing = std::string_view(command_name) == "undo";
  return text + field(style, "Next",
                      undoing ? program + " undo goes on from here"
                              : fmt::format("{0} close goes on from here, {0} undo takes it back",
                                            program),
                      Tone::strong);
}

std::string lock_problem_text(const std::string& problem, const Style& style) {
  return field(style, "Lock",
               "could not be given back and goes stale after 60 s: " + printable(problem, 300),
               Tone::caution);
}

std::string change_text(const ChangeView& change, const std::string& program, const Style& style) {
  std::string text = written_text(change.written, style);
  bool time_is_up = false;
  for (const RolloutView& rollout : change.rollouts) {
    if (rollout.complete) continue;
    text += rollout_text(rollout, kMostNodes, style);
    time_is_up = time_is_up || rollout.end == "time-up";
  }
  if (time_is_up)
    text += field(style, "Time is up", "not every node runs with the change yet", Tone::caution);
  for (const std::string& id : change.held_back) {
    text += field(style, "Held back",
                  id + ": not written before every node runs with the change; the next close does",
                  Tone::caution);
  }
  if (!change.release_problem.empty()) text += lock_problem_text(change.release_problem, style);
  if (!change.error && change.still_restarting > 0)
    text += still_running_text(change, "close", program, style);
  return text;
}

std::string resume_text(const RunView& run, std::size_t writes, const Style& style) {
  std::string text = fmt::format(
      "with the run of {} by {}: waits for the rollout and proves the result; ",
      run.started ? clock_text(*run.started) : "an unknown time", printable(run.user, 80));
  text += writes == 0 ? "writes nothing more" : "writes only the steps above";
  return field(style, "Goes on", text, Tone::strong);
}

std::string cluster_and_user(const ClusterFacts& facts, const Style& style) {
  return field(style, "Cluster",
               fmt::format("{}: {}, as {}", facts.cluster_name, facts.server, facts.user));
}

}  // namespace catflap::render
