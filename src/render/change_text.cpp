#include "render/change_text.hpp"

#include "base/text.hpp"
#include "core/catalogue.hpp"
#include "render/explain.hpp"
#include "render/groups.hpp"

namespace catflap::render {
namespace {

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
    for (const std::string& line : refusal.remedy_lines) text += command(line);
  }
  return text;
}

std::string article_steps(const Plan& plan, const ClusterFacts& facts, const Style& style) {
  const std::string port = ports_text(facts);
  std::string text = "\n" + style.paint(Tone::strong, message_text({"step-disable", {}})) + "\n";
  for (const Step& step : plan.steps) text += step_text(step);
  text += messages("Warning", plan.warnings, style);
  text += "\n" + style.paint(Tone::strong, message_text({"step-wait", {}})) + "\n";
  for (const DaemonSetFacts& set : facts.daemon_sets) {
    text += command(fmt::format("kubectl -n {} rollout status ds/{}", set.namespace_, set.name));
  }
  text += "\n" + style.paint(Tone::strong, message_text({"step-verify", {{"port", port}}})) + "\n";
  text +=
      command(fmt::format("ss -lntp | grep ':{}[[:space:]]\\+'          # on every node: nothing",
                          port.substr(0, port.find(','))));
  text += command(
      fmt::format("curl -k https://<node-ip>:{}/metrics      # from a pod that could: fails",
                  port.substr(0, port.find(','))));
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
  std::string text = field(
      style, "Cluster", fmt::format("{}: {}, as {}", facts.cluster_name, facts.server, facts.user));
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

std::string still_running_text(int still_restarting, std::span<const std::string> freeze_commands,
                               const std::string& program, const Style& style) {
  std::string text;
  if (still_restarting > 0) {
    const std::string nodes = count_of(static_cast<std::size_t>(still_restarting), "node");
    text +=
        field(style, "Goes on",
              fmt::format("the DaemonSet controller goes on without catflap: {} will still restart",
                          nodes),
              Tone::caution);
    if (!freeze_commands.empty()) text += field(style, "Freeze", "this stops it where it is:");
    for (const std::string& line : freeze_commands) text += command(line);
  }
  return text + field(style, "Next",
                      fmt::format("{0} close goes on from here, {0} undo takes it back", program),
                      Tone::strong);
}

std::string undo_text(const UndoView& undo, const std::string& program, const Style& style) {
  std::string text;
  if (undo.result == "nothing-to-undo") {
    return field(
        style, "Undo",
        "there is nothing to undo: no journal of catflap names a change that still stands");
  }
  for (const UndoneView& step : undo.steps) {
    text +=
        field(style, text.empty() ? "Undo" : "",
              fmt::format("{} {}: {}", target_name(step.target), step.target.field, step.result));
  }
  for (const RolloutView& rollout : undo.rollouts)
    text += field(style, "Rollout", rollout_line(rollout));
  if (!undo.journal.empty())
    text +=
        field(style, "Journal", fmt::format("ConfigMap {} (run {})", undo.journal, undo.run_id));
  if (undo.error && undo.still_restarting > 0) {
    text += still_running_text(undo.still_restarting, undo.freeze_commands, program, style);
  }
  if (undo.result == "undone") {
    text +=
        field(style, "Next", program + " diagnose   the port is as it was before, open if it was",
              Tone::strong);
  }
  return text;
}

}  // namespace catflap::render
