#include "app/help.hpp"

#include "base/text.hpp"

namespace catflap::app {
namespace {

constexpr std::size_t kWidth = 96;

std::string flag_line(const Command& command, const FlagRow& row) {
  std::string left = row.letter != '\0' ? fmt::format("  -{}, --{}", row.letter, row.name)
                                        : fmt::format("      --{}", row.name);
  if (*row.value != '\0') left += fmt::format("={}", row.value);
  return fmt::format("{} {}\n", pad_right(left, 27), help_of(command, row));
}

/// kubectl's own flags take two lines: their readers know them.
std::string kube_flags(const Command& command) {
  std::vector<std::string> names;
  for (const FlagRow& row : flag_rows()) {
    if (!is_connection(command, row)) continue;
    names.push_back(row.letter != '\0' ? fmt::format("-{}/--{}", row.letter, row.name)
                                       : fmt::format("--{}", row.name));
  }
  return "\nConnection, as in kubectl:\n" +
         wrap(fmt::format("{}", fmt::join(names, ", ")), kWidth, "      ") + "\n";
}

std::string needs_sentence(const Command& command) {
  const std::string_view needs = command.needs;
  if (needs == "none") return "";
  if (needs == "write") return "Needs the rights in deploy/closer.yaml.\n";
  return needs == "read" ? "Needs the rights in deploy/reader.yaml.\n"
                         : "Needs the rights in deploy/verifier.yaml (reader and pods/exec).\n";
}

}  // namespace

std::string overview(const std::string& program) {
  std::string text =
      "Finds, closes and proves closed the unauthenticated Felix metrics port (TCP 9091) of Calico "
      "nodes.\n\n";
  text += fmt::format("Usage: {} COMMAND [flags]\n\nCommands:\n", program);
  for (const Command& row : commands())
    text += fmt::format("  {} {}\n", pad_right(row.name, 11), row.summary);
  text += fmt::format(
      "\nStart with:  {0} diagnose   (reads only)\n"
      "More:        {0} COMMAND --help\n\n"
      "Exit codes:  0 closed or accepted   1 open or change pending   2 usage   3 cannot tell\n"
      "             4 failed   5 refused   130 interrupted\n",
      program);
  return text;
}

std::string help(const Command& command, const std::string& program) {
  std::string text =
      fmt::format("{}.\n\n{}\n{}", command.summary, command.description, needs_sentence(command));
  text += fmt::format("\nUsage: {} {}{}{} [flags]\n\nExamples:\n", program, command.name,
                      *command.arguments != '\0' ? " " : "", command.arguments);
  for (const auto& [line, what] : command.examples) {
    if (*what != '\0') text += fmt::format("  # {}\n", what);
    text += fmt::format("  {} {}\n", program, line);
  }
  text += "\nFlags:\n";
  for (const FlagRow& row : flag_rows()) {
    if (takes(command, row) && !is_connection(command, row)) text += flag_line(command, row);
  }
  if ((command.groups & static_cast<unsigned>(FlagGroup::kube)) != 0) text += kube_flags(command);
  return text;
}

}  // namespace catflap::app
