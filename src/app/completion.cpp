#include "app/completion.hpp"

#include <ostream>

#include "app/commands.hpp"
#include "base/text.hpp"
#include "core/catalogue.hpp"

namespace catflap::app {
namespace {

constexpr const char* kBash = R"(# bash completion for catflap
_catflap() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in :*) continue ;; esac
    COMPREPLY+=("${line%%$'\t'*}")
  done < <("${COMP_WORDS[0]}" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _catflap catflap kubectl-catflap
)";

constexpr const char* kZsh = R"(#compdef catflap kubectl-catflap
_catflap() {
  local line word about; local -a found
  while IFS= read -r line; do
    [[ $line == :0 ]] && _files
    [[ $line == :* ]] && continue
    word=${line%%$'\t'*} about=${line#*$'\t'}
    found+=("${word//:/\\:}${about:+:$about}")
  done < <("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)
  _describe catflap found
}
if [[ $funcstack[1] == _catflap ]]; then _catflap "$@"
else compdef _catflap catflap kubectl-catflap; fi
)";

constexpr const char* kFish = R"(# fish completion for catflap
function __catflap_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l lines ($words[1] __complete $words[2..-1] 2>/dev/null)
  string match -v -r '^:' -- $lines
  contains -- :0 $lines; and __fish_complete_path (commandline -ct)
end
complete -c catflap -f -a '(__catflap_complete)'
complete -c kubectl-catflap -f -a '(__catflap_complete)'
)";

const FlagRow* find_flag(std::string_view word) {
  for (const FlagRow& row : flag_rows()) {
    if (word == fmt::format("--{}", row.name)) return &row;
    if (row.letter != '\0' && word == fmt::format("-{}", row.letter)) return &row;
  }
  return nullptr;
}

/// Candidates that begin with what is typed.
class Collector {
 public:
  explicit Collector(std::string typed) : typed_(std::move(typed)) {}
  void offer(const std::string& word, const std::string& description) {
    if (word.starts_with(typed_)) found_.candidates.emplace_back(word, description);
  }
  void offer_choices(const Command* command, const FlagRow& flag, const std::string& prefix) {
    const std::string_view value = flag.value;
    if (value == "FILE" || value == "DIR") found_.files = true;
    std::string_view rest = command != nullptr ? choices_of(*command, flag) : flag.choices;
    while (!rest.empty()) {
      std::size_t blank = std::min(rest.find(' '), rest.size());
      offer(prefix + std::string(rest.substr(0, blank)), "");
      rest.remove_prefix(std::min(blank + 1, rest.size()));
    }
  }
  [[nodiscard]] Completions take() { return std::move(found_); }

 private:
  std::string typed_;
  Completions found_;
};

/// The command among the words typed so far; the values of flags are not commands.
const Command* command_of(const std::vector<std::string>& words) {
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    if (const FlagRow* flag = find_flag(words[i])) {
      if (*flag->value != '\0') ++i;
    } else if (!words[i].starts_with("-")) {
      return find_command(words[i]);
    }
  }
  return nullptr;
}

void offer_words(const Command* command, Collector& found) {
  if (command == nullptr) {
    for (const Command& row : commands()) found.offer(row.name, row.summary);
    return;
  }
  if (command->run == run_completion) {
    for (const char* shell : {"bash", "zsh", "fish"}) found.offer(shell, "");
  }
  if (command->run == run_explain) {
    for (const CatalogueRow& row : catalogue()) found.offer(row.code, row.title);
  }
}

}  // namespace

Completions complete(const std::vector<std::string>& words) {
  std::string typed = words.empty() ? "" : words.back();
  std::vector<std::string> before(words.begin(), words.empty() ? words.begin() : words.end() - 1);
  // bash cuts --output=js into three words.
  if (typed == "=") typed.clear();
  if (!before.empty() && before.back() == "=") before.pop_back();
  const Command* command = command_of(words);

  Collector found(typed);
  const FlagRow* flag = before.empty() ? nullptr : find_flag(before.back());
  if (flag != nullptr && *flag->value != '\0') {
    found.offer_choices(command, *flag, "");
    return found.take();
  }
  if (std::size_t equals = typed.find('=');
      typed.starts_with("--") && equals != std::string::npos) {
    if (const FlagRow* named = find_flag(typed.substr(0, equals))) {
      found.offer_choices(command, *named, typed.substr(0, equals + 1));
    }
    return found.take();
  }
  if (typed.starts_with("-")) {
    for (const FlagRow& row : flag_rows()) {
      if (command == nullptr || takes(*command, row))
        found.offer(fmt::format("--{}", row.name),
                    command != nullptr ? help_of(*command, row) : row.help);
    }
    return found.take();
  }
  offer_words(command, found);
  return found.take();
}

std::string completion_answer(const std::vector<std::string>& words) {
  Completions found = complete(words);
  std::string text;
  for (const auto& [word, description] : found.candidates) text += word + "\t" + description + "\n";
  return text + (found.files ? ":0\n" : ":4\n");
}

Result<std::string> completion_script(const std::string& shell) {
  if (shell == "bash") return std::string(kBash);
  if (shell == "zsh") return std::string(kZsh);
  if (shell == "fish") return std::string(kFish);
  return Error{.kind = ErrorKind::usage,
               .what = shell.empty() ? "completion needs the name of a shell"
                                     : fmt::format("no completion for {}", printable(shell, 40)),
               .hint = "bash, zsh or fish"};
}

Result<int> run_completion(const Runtime& runtime, const Options& options) {
  TRY_ASSIGN(std::string script,
             completion_script(options.arguments.empty() ? "" : options.arguments[0]));
  runtime.io.out << script;
  return 0;
}

}  // namespace catflap::app
