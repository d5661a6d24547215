#include "look/agent_answer.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/text.hpp"
#include "look/import.hpp"
#include "look/inside_script.hpp"
#include "look/observation_file.hpp"
#include "net/metrics_scan.hpp"

namespace catflap::look {
namespace {

// The kubelet looks for the machine-id in this order. Process 1 is the node's: hostPID.
constexpr const char* kBinding = R"(
m() { cat /proc/1/root/etc/machine-id || cat /proc/1/root/var/lib/dbus/machine-id; }
s machine m
s boot cat /proc/sys/kernel/random/boot_id
w() { readlink /proc/self/ns/net; readlink /proc/1/ns/net; }
s network w
)";

std::string first_line(const std::optional<std::string>& text) {
  return text ? text->substr(0, text->find('\n')) : std::string{};
}

bool both_the_same(const std::optional<std::string>& lines) {
  if (!lines) return false;
  const auto end = lines->find('\n');
  return end != std::string::npos && end > 0 && lines->substr(end + 1) == lines->substr(0, end + 1);
}

InsideLook problem(const char* code, std::string why) {
  return {.problem = std::move(why),
          .problem_code = code,
          .table_only = true,
          .config_file_readable = false};
}

/// The answer is of that machine in that boot, as its kubelet has them.
bool is_of(const NodeFacts& node, const std::string& machine, const std::string& boot) {
  return !machine.empty() && !boot.empty() && machine == node.machine_id && boot == node.boot_id;
}

InsideLook other_node(const NodeFacts& node, const std::string& machine, const std::string& boot) {
  if (machine.empty() || boot.empty())
    return problem("agent-incomplete", "it could not read the node's machine-id and boot-id");
  return problem("agent-other-node",
                 fmt::format("machine {} boot {}, and {} is machine {} boot {}",
                             printable(machine, 64), printable(boot, 64), node.name,
                             printable(node.machine_id, 64), printable(node.boot_id, 64)));
}

InsideLook of_catflap(std::string_view log, const NodeFacts& node) {
  const auto host = parse_listeners_json(log);
  if (!host) return problem("agent-unreadable", to_string(host.error()));
  if (!is_of(node, host->machine_id, host->boot_id))
    return other_node(node, host->machine_id, host->boot_id);
  auto inside = inside_of("the agent", *host);
  if (!inside.complete) inside.problem_code = "agent-incomplete";
  return inside;
}

InsideLook of_shell(std::string_view log, const std::string& nonce, const NodeFacts& node,
                    TimePoint received) {
  if (!inside_section(log, nonce, "done"))
    return problem("agent-unreadable", "its output has no end: " + printable(log, 200));
  const auto machine = first_line(inside_section(log, nonce, "machine"));
  const auto boot = first_line(inside_section(log, nonce, "boot"));
  if (!is_of(node, machine, boot)) return other_node(node, machine, boot);
  auto inside = parse_inside(log, nonce, received);
  inside.table_only = true;
  // The file is that of the agent's container, not of Felix's.
  inside.config_file.reset();
  inside.config_file_readable = false;
  const auto doubt = [&](const char* code, const char* why) {
    if (!std::exchange(inside.complete, false)) return;
    inside.problem_code = code;
    inside.problem = why;
  };
  if (!both_the_same(inside_section(log, nonce, "network")))
    doubt("agent-incomplete", "it was not on the node's own network");
  if (inside.listeners.empty())
    doubt("agent-incomplete", "not one listening socket, which no node is without");
  if (inside.felix.empty())
    doubt("felix-process-not-seen", "none of the node's processes is Felix");
  return inside;
}

/// curl's exit code for it.
int exit_code_of(const Reach& reach) {
  constexpr int kCannotConnect = 7;
  constexpr int kPartial = 18;
  constexpr int kTimeout = 28;
  constexpr int kEmptyReply = 52;
  switch (reach.outcome) {
    case Outcome::open:
      return reach.http_status != 0 && reach.identity == Identity::unidentified ? kPartial : 0;
    case Outcome::reset:
      return kEmptyReply;
    case Outcome::timeout:
      return kTimeout;
    default:
      return kCannotConnect;
  }
}

std::string words_of(const Reach& reach) {
  if (reach.outcome == Outcome::refused) return "Connection refused";
  if (reach.outcome == Outcome::unreachable) return "No route to host";
  if (reach.outcome == Outcome::rejected) return "rejected by a firewall or router";
  if (!reach.tls) return printable(reach.detail, 200);
  return reach.tls->alert.empty() ? "TLS" : "TLS alert " + printable(reach.tls->alert, 200);
}

}  // namespace

std::vector<std::string> agent_look(AgentKind kind, const std::string& nonce) {
  if (kind == AgentKind::catflap) return {"agent"};
  return {"sh", "-c", inside_script(nonce) + kBinding};
}

InsideLook read_agent_look(AgentKind kind, std::string_view log, const std::string& nonce,
                           const NodeFacts& node, TimePoint received) {
  return kind == AgentKind::catflap ? of_catflap(log, node) : of_shell(log, nonce, node, received);
}

std::vector<std::string> agent_asks(AgentKind kind, const std::string& nonce,
                                    std::span<const Ask* const> asks) {
  if (kind == AgentKind::shell) return {"sh", "-c", pod_script(nonce, script_asks(asks, false))};
  std::vector<std::string> words{"agent", nonce};
  for (const auto* ask : asks)
    words.push_back((ask->control ? "control=" : "metrics=") + ask->endpoint.to_string());
  return words;
}

bool read_agent_asks(AgentKind kind, std::string_view log, const std::string& nonce,
                     std::span<Reach> reaches) {
  const auto output = parse_pod_output(log, nonce, reaches.size());
  if (output.tool == PodOutput::Tool::none) return false;
  for (std::size_t i = 0; i < reaches.size(); ++i) {
    const auto& said = output.said[i];
    if (!said.complete && !said.connected) continue;
    const bool tls = kind == AgentKind::catflap && said.words.starts_with("TLS");
    add_said(reaches[i], said, output.tool, tls);
  }
  return true;
}

std::string agent_opening(const std::string& nonce) {
  return fmt::format("#{} tool curl\n", nonce);
}

std::string agent_section(const std::string& nonce, std::size_t id, const Reach& reach) {
  const bool connected = reach.outcome == Outcome::open || reach.outcome == Outcome::reset;
  std::string lines;
  if (reach.identity == Identity::felix)
    lines = fmt::format("felix_host{{host=\"{}\"}} 1\n", printable(reach.felix_host, 253));
  if (reach.identity == Identity::typha) lines = fmt::format("{} 1\n", net::kTyphaMark);
  return fmt::format(
      "#{0} begin {1}\n{2}#{0} info {3:03} {4}\n#{0} exit {5}\n#{0} words {6}\n#{0} end {1}\n",
      nonce, id, lines, reach.http_status, connected ? "0.001" : "0.000", exit_code_of(reach),
      words_of(reach));
}

}  // namespace catflap::look
