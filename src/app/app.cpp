// run: the command line to an exit code. Everything that can go wrong comes back here and is told
// once.
#include <fstream>
#include <ostream>
#include <sstream>

#include "app/commands.hpp"
#include "app/completion.hpp"
#include "app/exit_code.hpp"
#include "app/help.hpp"
#include "app/print.hpp"
#include "base/text.hpp"
#include "render/document.hpp"
#include "render/error_text.hpp"

namespace catflap::app {
namespace {

constexpr std::size_t kMaxFileBytes = 64u << 20;

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return Error{.kind = ErrorKind::usage,
                 .what = "cannot be read",
                 .subject = path,
                 .hint = "check the path"};
  }
  std::string text;
  std::array<char, 65536> chunk{};
  while (file.read(chunk.data(), chunk.size()) || file.gcount() > 0) {
    text.append(chunk.data(), static_cast<std::size_t>(file.gcount()));
    if (text.size() > kMaxFileBytes) {
      return Error{.kind = ErrorKind::usage, .what = "is larger than 64 MiB", .subject = path};
    }
  }
  return text;
}

/// Tells the errors on stderr, and as a document on stdout if one was asked for. Who reads lines
/// gets no document among them.
int fail(const Runtime& runtime, const Options& options, const std::vector<Error>& errors) {
  const TimePoint now = runtime.clock.now();
  runtime.io.err << render::error_text(errors, style_for_err(runtime, options));
  const bool lines = options.command != nullptr && options.command->output == Output::json;
  if (!lines && (options.output == Output::json || options.output == Output::yaml)) {
    const auto document = [&] {
      return render::error_document(errors, {.started = now, .finished = now});
    };
    print(runtime, options, {.document = document});
  }
  return exit_code(errors.front());
}

Error no_such_command(const Flags& flags) {
  std::vector<std::string> names;
  for (const Command& row : commands()) names.emplace_back(row.name);
  const std::string near = nearest(flags.words[0], names);
  return Error{.kind = ErrorKind::usage,
               .what = fmt::format("no command {}", printable(flags.words[0], 60)),
               .hint = near.empty() ? flags.program + " help lists the commands"
                                    : fmt::format("did you mean {}?", near)};
}

/// `catflap`, `catflap help [COMMAND]`, `catflap COMMAND --help`.
std::optional<std::string> help_asked_for(const Flags& flags) {
  const bool help_word = !flags.words.empty() && flags.words[0] == "help";
  const std::size_t at = help_word ? 1 : 0;
  if (!help_word && !flags.has("help") && !flags.words.empty()) return std::nullopt;
  if (flags.words.size() <= at) return overview(flags.program);
  const Command* command = find_command(flags.words[at]);
  return command == nullptr ? std::nullopt : std::optional(help(*command, flags.program));
}

int run_unflushed(const std::vector<std::string>& arguments, const Runtime& runtime,
                  Options& options) {
  if (arguments.size() > 1 && arguments[1] == "__complete") {
    runtime.io.out << completion_answer({arguments.begin() + 2, arguments.end()});
    return 0;
  }
  auto flags = parse_flags(arguments);
  if (!flags) return fail(runtime, options, {std::move(flags).error()});
  if (flags->last("output") == "json") options.output = Output::json;
  if (flags->last("output") == "yaml") options.output = Output::yaml;
  if (auto text = help_asked_for(*flags)) {
    runtime.io.out << *text;
    return 0;
  }
  const bool help_word = flags->words[0] == "help";
  if (help_word) flags->words.erase(flags->words.begin());
  const Command* command = find_command(flags->words[0]);
  if (command == nullptr) return fail(runtime, options, {no_such_command(*flags)});
  Resolved resolved = resolve_options(*command, *flags, read_file);
  options = std::move(resolved.options);
  if (!resolved.errors.empty()) return fail(runtime, options, resolved.errors);
  Result<int> code = command->run(runtime, options);
  return code ? *code : fail(runtime, options, {std::move(code).error()});
}

}  // namespace

std::string Runtime::variable(const std::string& name) const {
  auto found = environment.find(name);
  return found == environment.end() ? "" : found->second;
}

int run(const std::vector<std::string>& arguments, const Runtime& runtime) {
  Options options;
  const int exit = run_unflushed(arguments, runtime, options);
  runtime.io.out.flush();
  if (runtime.io.out) return exit;
  const int failed =
      tell(runtime, options,
           {.kind = ErrorKind::internal, .what = "the result could not be written to stdout"});
  return exit == kExitInterrupted ? exit : failed;
}

}  // namespace catflap::app
