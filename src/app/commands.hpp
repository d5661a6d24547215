// The whole command surface, as two tables: commands and flags. Dispatch, help, completion, and the
// README's table read them; nothing else knows a command's name.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/options.hpp"
#include "app/runtime.hpp"

namespace catflap::app {

/// Flags that come together. A command names the groups it takes.
enum class FlagGroup : unsigned {
  common = 1u << 0,         // --color, --quiet, --help
  kube = 1u << 1,           // as kubectl
  look = 1u << 2,           // --from
  want = 1u << 3,           // --accept, --policy
  settle = 1u << 4,         // --settle
  timeout = 1u << 5,        // --timeout
  change = 1u << 6,         // --in-place, --include-pending, --override-owner
  close = 1u << 7,          // --plan, --ticket, --reason
  confirm = 1u << 8,        // --yes
  evidence = 1u << 9,       // --evidence
  list = 1u << 10,          // --list
  dry_run = 1u << 11,       // --dry-run
  output = 1u << 12,        // --output
  demo = 1u << 13,          // --serve, --scenario
  observations = 1u << 19,  // --observations
  sockets = 1u << 18,       // --port, --netns, --check, --all-owners
  probe = 1u << 14,         // --file, --port, --concurrency, --retries, --rate, --source, --check
};

/// A flag of both groups.
constexpr FlagGroup operator|(FlagGroup one, FlagGroup other) {
  return static_cast<FlagGroup>(static_cast<unsigned>(one) | static_cast<unsigned>(other));
}

struct FlagRow {
  const char* name;     // without dashes
  char letter;          // '\0': none
  const char* value;    // placeholder; "": a switch
  const char* choices;  // "a b c" for completion; "": free text
  FlagGroup group;
  const char* help;
};

struct Command {
  const char* name;
  const char* arguments;  // as in the usage line
  const char* summary;    // one line, also in the README
  const char* needs;      // none, read, read (+ pods/exec), write
  unsigned groups;        // of FlagGroup
  const char* description;
  std::vector<std::pair<const char*, const char*>>
      examples;  // command after "catflap ", what it does
  Result<int> (*run)(const Runtime& runtime, const Options& options);
  Output output = Output::text;                                    // without --output
  const char* outputs = "text wide json yaml name";                // what --output can be
  std::vector<std::pair<const char*, const char*>> own_help = {};  // of flags that mean something
                                                                   // else here
};

[[nodiscard]] std::span<const Command> commands();
[[nodiscard]] std::span<const FlagRow> flag_rows();
[[nodiscard]] const Command* find_command(std::string_view name);
[[nodiscard]] bool takes(const Command& command, const FlagRow& flag);
/// What it means to this command, and the values that this command takes ("": free text).
[[nodiscard]] const char* help_of(const Command& command, const FlagRow& flag);
[[nodiscard]] std::string_view choices_of(const Command& command, const FlagRow& flag);
/// One of kubectl's flags, to a command that takes them all.
[[nodiscard]] bool is_connection(const Command& command, const FlagRow& flag);

/// The table of commands as the README shows it (Markdown).
[[nodiscard]] std::string command_table();

Result<int> run_diagnose(const Runtime& runtime, const Options& options);
Result<int> run_plan(const Runtime& runtime, const Options& options);
Result<int> run_close(const Runtime& runtime, const Options& options);
Result<int> run_wait(const Runtime& runtime, const Options& options);
Result<int> run_verify(const Runtime& runtime, const Options& options);
Result<int> run_undo(const Runtime& runtime, const Options& options);
Result<int> run_listeners(const Runtime& runtime, const Options& options);
Result<int> run_probe(const Runtime& runtime, const Options& options);
Result<int> run_agent(const Runtime& runtime, const Options& options);
Result<int> run_explain(const Runtime& runtime, const Options& options);
Result<int> run_demo(const Runtime& runtime, const Options& options);
Result<int> run_version(const Runtime& runtime, const Options& options);
Result<int> run_completion(const Runtime& runtime, const Options& options);

}  // namespace catflap::app
