#include "app/commands.hpp"

#include <array>

namespace catflap::app {
namespace {

constexpr unsigned groups(std::initializer_list<FlagGroup> list) {
  unsigned bits = 0;
  for (FlagGroup group : list) bits |= static_cast<unsigned>(group);
  return bits;
}

using enum FlagGroup;

const std::vector<Command>& rows() {
  static const std::vector<Command> table{
      {"diagnose",
       "",
       "Is the port open, on which node, and what decides that",
       "read",
       groups({common, output, kube, look, want, observations}),
       "Looks at every node once: what the configuration declares, which object decides it, and "
       "what the\n"
       "port answers. Writes nothing and starts nothing.",
       {{"diagnose", "every node, from here and through the API server"},
        {"diagnose --from direct,exec", "also look inside each calico-node container"},
        {"diagnose -o wide", "one line per node, with addresses and reasons"},
        {"diagnose -o json", "the same as a document (schemas/diagnosis.schema.json)"}},
       run_diagnose},
      {"plan",
       "",
       "The exact steps that would close it: what restarts, what breaks",
       "read",
       groups({common, output, kube, look, change}),
       "Prints the writes that `close` would make, in order, with the command that does the same "
       "by hand.\n"
       "Looks from where diagnose does; --from direct,exec also looks inside each calico-node "
       "container.\n"
       "Exit code 1 means that there is something to do.",
       {{"plan", "what close would do now"},
        {"plan -o json > plan.json", "to be approved, then: catflap close --plan plan.json"},
        {"plan --in-place",
         "change FelixConfiguration only: all Felixes restart at once, no new pods"}},
       run_plan},
      {"close",
       "",
       "Close it, wait for every node, and prove it",
       "write",
       groups({common, output, kube, look, want, settle, timeout, change, close, dry_run, confirm,
               evidence}),
       "Diagnoses, shows the plan and asks; then writes, waits for the rollout, looks twice from "
       "every\n"
       "vantage point and keeps the evidence. A run that was killed goes on where it stopped.",
       {{"close", "asks for the cluster's name before it writes"},
        {"close --yes --ticket CHG-1234",
         "for scripts; the ticket goes into the journal and the evidence"},
        {"close --dry-run=server", "let the server check the writes without storing them"},
        {"close --plan plan.json --yes",
         "only if the cluster is still as it was when the plan was made"}},
       run_close},
      {"wait",
       "[[NAMESPACE/]DAEMONSET]",
       "The rollout, node by node, with the reason a node is not done",
       "read",
       groups({common, output, kube, timeout}),
       "Follows a DaemonSet's rollout until each node runs the current template, or the time is "
       "up.\n"
       "Without a name: the DaemonSets that run Felix.",
       {{"wait", "calico-node, wherever it is"},
        {"wait kube-system/kube-proxy --timeout 5m", "any DaemonSet"}},
       run_wait},
      {"verify",
       "",
       "Prove it now, from every vantage point, in two looks",
       "read, pods/exec",
       groups({common, output, kube, look, want, settle, evidence, observations}),
       "Looks twice, --settle apart, from outside and from inside each calico-node container, and "
       "says\n"
       "per node on what basis it is closed. Writes nothing to the cluster.",
       {{"verify", "two looks: direct, apiserver and exec"},
        {"verify --from direct", "no command in any container"},
        {"verify --accept protected", "a port behind client certificates is good enough"},
        {"verify --from agent", "a short-lived Job on each node (docs/agent.md)"},
        {"verify --observations DIR", "take files from the nodes, too (docs/listeners.md)"},
        {"verify --evidence closed.json", "keep what was seen"}},
       run_verify},
      {"undo",
       "",
       "Take back what catflap changed, if nobody changed it since",
       "write",
       groups({common, output, kube, timeout, dry_run, confirm}),
       "Restores the fields that the journal names to what they were before `close`. This opens "
       "the port\n"
       "again if it was open before.",
       {{"undo", "asks for the cluster's name before it writes"},
        {"undo --dry-run=client", "what it would take back"},
        {"undo --yes", "for scripts"}},
       run_undo},
      {"listeners",
       "",
       "This host's listening TCP sockets and who owns them, like ss -lntp",
       "none",
       groups({common, output, sockets}),
       "Asks this host's kernel, not a cluster. Owners of other users' sockets need root; without "
       "it they\n"
       "are shown as not permitted. As JSON it names the machine and its boot, so that `verify` "
       "can take it\n"
       "as a look inside that node (docs/listeners.md).",
       {{"listeners", "every listening socket"},
        {"listeners --port 9091 --check", "exit code 1 if something listens there, 0 if not"},
        {"listeners --netns 4711", "in the network of process 4711"},
        {"listeners -o json > n1.json", "for catflap verify --observations"}},
       run_listeners},
      {"probe",
       "[TARGET...]",
       "Ask endpoints who answers there",
       "none",
       groups({common, output, timeout, probe}),
       "Asks each endpoint for /metrics, over TLS or plain HTTP, and prints one line of JSON as "
       "soon "
       "as it\n"
       "has answered (schemas/probe.schema.json). TARGET, or a line of the list, is HOST, "
       "HOST:PORT,\n"
       "[IPV6]:PORT, a range such as 10.0.0.0/24, or {\"target\": \"n1:9091\", \"id\": 7}. No "
       "cluster "
       "is needed.",
       {{"probe 10.0.0.11 10.0.0.12:9091 -o text", "two endpoints, to be read"},
        {"probe 10.0.0.0/24 --port 9091,9093 > seen.ndjson", "a network, two ports"},
        {"probe -f nodes.txt --check", "exit code 0 only if every one refused"}},
       run_probe,
       Output::json,
       "json text",
       {{"output", "json (default) or text"},
        {"timeout", "longest time for an endpoint (default 8s, 3s of it to connect)"},
        {"port", "of targets without one (default 9091)"},
        {"check", "exit code 0: every one refused, 1: one is open, 3: not known"}}},
      {"agent",
       "[NONCE ENDPOINT...]",
       "What the Jobs of --from agent run: a look inside this node, or at endpoints",
       "none",
       groups({common}),
       "Prints the listening sockets of the node whose processes it can see, as `listeners -o "
       "json` does;\n"
       "with endpoints (metrics=10.0.0.11:9091, control=10.0.0.11:10250) what they say, between "
       "marks with\n"
       "the nonce. Nobody needs to call it by hand (docs/agent.md).",
       {{"agent", "in a container with hostPID and hostNetwork"},
        {"agent 5eed metrics=10.0.0.11:9091", "what that endpoint says"}},
       run_agent},
      {"explain",
       "CODE",
       "What a code such as CF0001 means and what to do about it",
       "none",
       groups({common, output, list}),
       "Explains a finding (CF0001) or a reason (node-not-ready) that another command printed.",
       {{"explain CF0001", "one code"}, {"explain --list", "all of them"}},
       run_explain},
      {"demo",
       "",
       "See the whole procedure on a cluster inside this program",
       "none",
       groups({common, demo}),
       "Runs diagnose, plan, close and verify on an embedded cluster of three nodes, and tells "
       "what "
       "happens.\n"
       "With --serve the cluster stays until Ctrl-C, for catflap and kubectl. Its kubeconfig has\n"
       "two contexts: user, with the rights in deploy/, and admin. Nothing leaves this machine.",
       {{"demo", "the whole story, in about half a minute"},
        {"demo --serve --kubeconfig demo.kubeconfig",
         "then: catflap diagnose --kubeconfig demo.kubeconfig"},
        {"demo --serve --scenario tests/scenarios/env-true-by-manifest.yaml",
         "the cluster of a scenario; the kubeconfig is ./catflap-demo.kubeconfig"}},
       run_demo},
      {"version",
       "",
       "The version of catflap",
       "none",
       groups({common, output}),
       "Prints the version of catflap.",
       {{"version", ""}, {"version -o json", ""}},
       run_version},
      {"completion",
       "bash|zsh|fish",
       "A completion script for your shell",
       "none",
       groups({common}),
       "Prints a completion script. For `kubectl catflap`, put an executable "
       "kubectl_complete-catflap\n"
       "on PATH that runs: kubectl-catflap __complete \"$@\"",
       {{"completion bash > /etc/bash_completion.d/catflap", ""},
        {"completion zsh > \"${fpath[1]}/_catflap\"", ""},
        {"completion fish > ~/.config/fish/completions/catflap.fish", ""}},
       run_completion},
  };
  return table;
}

constexpr std::array kFlags{
    FlagRow{"from", '\0', "LIST", "direct apiserver portforward exec", look,
            "vantage points: direct, apiserver, portforward, exec, pod/NS/NAME, agent"},
    FlagRow{"image", '\0', "IMAGE", "", look,
            "catflap's own, for --from agent (default: calico-node's, already there)"},
    FlagRow{"observations", '\0', "DIR", "", observations,
            "files made on the nodes, as looks inside: of catflap listeners or ss"},
    FlagRow{"accept", '\0', "LIST", "protected local-only not-felix filtered", want,
            "verdicts that count as good: protected, local-only, not-felix, filtered"},
    FlagRow{"policy", '\0', "FILE", "", want,
            "what is wanted, as YAML (schemas/policy.schema.json)"},
    FlagRow{"settle", '\0', "TIME", "", settle, "least time between the two looks (default 10s)"},
    FlagRow{"timeout", '\0', "TIME", "", timeout,
            "longest time to wait (default: 15m, more if big)"},
    FlagRow{"in-place", '\0', "", "", change,
            "change FelixConfiguration only; all Felixes restart at once"},
    FlagRow{"include-pending", '\0', "", "", change,
            "also roll out somebody else's waiting change"},
    FlagRow{"override-owner", '\0', "", "", change,
            "write although the object's owner would revert it"},
    FlagRow{"plan", '\0', "FILE", "", close,
            "close exactly this plan; refused if the cluster changed since"},
    FlagRow{"dry-run", '\0', "WHERE", "client server", dry_run,
            "client: send nothing; server: checked, not stored"},
    FlagRow{"ticket", '\0', "TEXT", "", close, "the change's number, for journal and evidence"},
    FlagRow{"reason", '\0', "TEXT", "", close, "why, for journal and evidence"},
    FlagRow{"yes", 'y', "", "", confirm, "do not ask"},
    FlagRow{"evidence", '\0', "FILE", "", evidence,
            "where the evidence goes (default: your state folder)"},
    FlagRow{"port", '\0', "LIST", "", sockets | probe, "only these ports (default: all)"},
    FlagRow{"netns", '\0', "PID|NAME", "", sockets,
            "in that network namespace: of a process, or as ip netns names it"},
    FlagRow{"check", '\0', "", "", sockets | probe,
            "exit code 1: something listens there, 0: nothing does, 3: not known"},
    FlagRow{"all-owners", '\0', "", "", sockets,
            "every process that holds a socket, not just the first found"},
    FlagRow{"file", 'f', "FILE", "", probe, "targets, one a line; - is stdin"},
    FlagRow{"concurrency", '\0', "N", "", probe, "endpoints asked at once (default 256)"},
    FlagRow{"retries", '\0', "N", "", probe, "more tries where no answer came in time (default 0)"},
    FlagRow{"rate", '\0', "N", "", probe, "endpoints begun per second (default: no bound)"},
    FlagRow{"source", '\0', "ADDRESS", "", probe, "address of this machine to connect from"},
    FlagRow{"list", '\0', "", "", list, "all codes"},
    FlagRow{"output", 'o', "FORMAT", "text wide json yaml name", output,
            "text, wide, json, yaml or name"},
    FlagRow{"color", '\0', "WHEN", "auto always never", common,
            "auto, always or never (NO_COLOR is honoured)"},
    FlagRow{"quiet", 'q', "", "", common, "no progress"},
    FlagRow{"help", 'h', "", "", common, "this page"},
    FlagRow{"serve", '\0', "", "", demo, "serve the cluster until a signal comes"},
    FlagRow{"scenario", '\0', "FILE", "", demo,
            "the cluster of this scenario (tests/scenarios/README.md)"},
    FlagRow{"kubeconfig", '\0', "FILE", "", kube | demo, "kubeconfig file"},
    FlagRow{"context", '\0', "NAME", "", kube, "context of the kubeconfig"},
    FlagRow{"cluster", '\0', "NAME", "", kube, "cluster of the kubeconfig"},
    FlagRow{"user", '\0', "NAME", "", kube, "user of the kubeconfig"},
    FlagRow{"namespace", 'n', "NAME", "", kube, "only DaemonSets of this namespace"},
    FlagRow{"as", '\0', "NAME", "", kube, "user to impersonate"},
    FlagRow{"as-group", '\0', "NAME", "", kube, "group to impersonate, repeatable"},
    FlagRow{"request-timeout", '\0', "TIME", "", kube, "longest time for one request"},
    FlagRow{"token", '\0', "TEXT", "", kube, "bearer token"},
    FlagRow{"server", 's', "URL", "", kube, "address of the API server"},
    FlagRow{"tls-server-name", '\0', "NAME", "", kube,
            "name that the server's certificate must carry"},
    FlagRow{"insecure-skip-tls-verify", '\0', "", "", kube,
            "do not check the server's certificate"},
};

}  // namespace

std::span<const Command> commands() {
  return rows();
}

std::span<const FlagRow> flag_rows() {
  return kFlags;
}

const Command* find_command(std::string_view name) {
  for (const Command& row : rows()) {
    if (name == row.name) return &row;
  }
  return nullptr;
}

bool takes(const Command& command, const FlagRow& flag) {
  return (command.groups & static_cast<unsigned>(flag.group)) != 0;
}

const char* help_of(const Command& command, const FlagRow& flag) {
  for (const auto& [name, help] : command.own_help)
    if (std::string_view(name) == flag.name) return help;
  return flag.help;
}

std::string_view choices_of(const Command& command, const FlagRow& flag) {
  return flag.group == output ? command.outputs : flag.choices;
}

bool is_connection(const Command& command, const FlagRow& flag) {
  constexpr auto kKube = static_cast<unsigned>(kube);
  return (static_cast<unsigned>(flag.group) & kKube) != 0 && (command.groups & kKube) != 0;
}

std::string command_table() {
  std::string table = "| command | what it does | needs |\n|---|---|---|\n";
  for (const Command& row : rows()) {
    table += fmt::format("| `catflap {}` | {} | {} |\n", row.name, row.summary, row.needs);
  }
  return table;
}

}  // namespace catflap::app
