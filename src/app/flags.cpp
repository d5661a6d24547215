// The only file that knows CLI11. It is given the flag table and no subcommands, so a flag may
// stand before or after the command.
#include "app/flags.hpp"

#include <CLI/CLI.hpp>

#include "app/commands.hpp"
#include "base/text.hpp"

namespace catflap::app {
namespace {

std::string spec_of(const FlagRow& row) {
  std::string spec = row.letter != '\0' ? fmt::format("-{},", row.letter) : "";
  return spec + "--" + row.name;
}

Error unknown_flag(const std::string& word) {
  std::vector<std::string> names;
  for (const FlagRow& row : flag_rows()) names.push_back(fmt::format("--{}", row.name));
  std::string bare = word.substr(0, word.find('='));
  std::string near = nearest(bare, names);
  return Error{.kind = ErrorKind::usage,
               .what = "unknown flag " + printable(bare, 80),
               .hint = near.empty()
                           ? "catflap help lists the commands, catflap COMMAND --help their flags"
                           : "did you mean " + near + "?"};
}

Error cli_error(const CLI::ParseError& thrown) {
  std::string text = thrown.what();
  for (const FlagRow& row : flag_rows()) {
    std::string name = fmt::format("--{}", row.name);
    if (*row.value != '\0' && text.starts_with(name + ":")) {
      return Error{.kind = ErrorKind::usage,
                   .what = name + " needs a value",
                   .hint = fmt::format("{}={}: {}", name, row.value, row.help)};
    }
  }
  return Error{.kind = ErrorKind::usage, .what = printable(text, 200)};
}

}  // namespace

std::string Flags::last(const std::string& name) const {
  auto found = values.find(name);
  return found == values.end() || found->second.empty() ? "" : found->second.back();
}

std::string program_name(const std::string& argv0) {
  return argv0.ends_with("kubectl-catflap") ? "kubectl catflap" : "catflap";
}

Result<Flags> parse_flags(const std::vector<std::string>& arguments) {
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  std::vector<std::vector<std::string>> given(flag_rows().size());
  std::vector<CLI::Option*> options;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const FlagRow& row = flag_rows()[i];
    options.push_back(*row.value == '\0'
                          ? app.add_flag(spec_of(row))
                          : app.add_option(spec_of(row), given[i])->allow_extra_args(false));
  }
  Flags flags;
  if (!arguments.empty()) flags.program = program_name(arguments.front());
  // CLI11 takes them last first, as a stack.
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  if (!reversed.empty()) reversed.pop_back();
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::ParseError& thrown) {
    return cli_error(thrown);
  }
  flags.words = app.remaining();
  for (const std::string& word : flags.words) {
    if (word.size() > 1 && word.front() == '-') return unknown_flag(word);
  }
  for (std::size_t i = 0; i < options.size(); ++i) {
    if (options[i]->count() == 0) continue;
    std::vector<std::string> values = options[i]->results();
    flags.values[flag_rows()[i].name] = values.empty() ? std::vector<std::string>{"true"} : values;
  }
  return flags;
}

}  // namespace catflap::app
