#include "app/options.hpp"

#include <array>
#include <charconv>

#include "app/commands.hpp"
#include "app/policy_file.hpp"
#include "base/text.hpp"
#include "look/look.hpp"
#include "sockets/diag_message.hpp"

namespace catflap::app {
namespace {

template <class T>
using Choices = std::span<const std::pair<const char*, T>>;

constexpr std::array<std::pair<const char*, Output>, 5> kOutputs{{{"text", Output::text},
                                                                  {"wide", Output::wide},
                                                                  {"json", Output::json},
                                                                  {"yaml", Output::yaml},
                                                                  {"name", Output::name}}};
constexpr std::array<std::pair<const char*, ColorWhen>, 3> kColors{
    {{"auto", ColorWhen::automatic}, {"always", ColorWhen::always}, {"never", ColorWhen::never}}};
constexpr std::array<std::pair<const char*, DryRun>, 2> kDryRuns{
    {{"client", DryRun::client}, {"server", DryRun::server}}};
constexpr std::array<std::pair<const char*, bool>, 2> kSwitch{{{"true", true}, {"false", false}}};

/// Reads one flag after another into the options and collects what is wrong.
class Reader {
 public:
  Reader(const Flags& flags, std::vector<Error>& errors) : flags_(flags), errors_(errors) {}

  void text(const char* name, std::string& into) {
    if (!flags_.has(name)) return;
    into = flags_.last(name);
    if (into.empty())
      bad(fmt::format("--{} is empty", name), "leave the flag out, or give it a value");
  }

  template <class T, std::size_t N>
  void choice(const char* name, T& into, const std::array<std::pair<const char*, T>, N>& choices) {
    if (!flags_.has(name)) return;
    std::vector<std::string> words;
    for (const auto& [word, value] : choices) {
      if (flags_.last(name) == word) {
        into = value;
        return;
      }
      words.emplace_back(word);
    }
    bad_choice(name, flags_.last(name), words);
  }

  void on(const char* name, bool& into) { choice(name, into, kSwitch); }

  template <class T>
  void duration(const char* name, T& into) {
    if (!flags_.has(name)) return;
    auto parsed = parse_duration(flags_.last(name));
    if (parsed) {
      into = *parsed;
    } else {
      bad(fmt::format("--{} {}: not a duration", name, printable(flags_.last(name), 40)),
          "write it like 10s, 90s or 5m");
    }
  }

  /// As kubectl reads it: a number alone is seconds.
  template <class T>
  void timeout(const char* name, T& into) {
    const std::string text = flags_.last(name);
    const bool digits = !text.empty() && text.find_first_not_of("0123456789") == text.npos;
    auto seconds = digits ? parse_duration(text + "s") : Result<Duration>(Duration{});
    if (digits && seconds) {
      into = *seconds;
    } else {
      duration(name, into);
    }
  }

  /// Repeated and comma-separated.
  [[nodiscard]] std::vector<std::string> words(const char* name) const {
    std::vector<std::string> all;
    auto found = flags_.values.find(name);
    if (found == flags_.values.end()) return all;
    for (const std::string& value : found->second) {
      for (std::size_t at = 0; at <= value.size();) {
        std::size_t comma = std::min(value.find(',', at), value.size());
        std::string word = value.substr(at, comma - at);
        if (std::find(all.begin(), all.end(), word) == all.end()) all.push_back(word);
        at = comma + 1;
      }
    }
    return all;
  }

  /// A whole number within bounds; tells if it is none.
  [[nodiscard]] std::optional<long> number(const char* name, const std::string& text, long least,
                                           long most) {
    long value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, problem] = std::from_chars(text.data(), end, value);
    if (!text.empty() && problem == std::errc{} && stop == end && value >= least && value <= most)
      return value;
    bad(fmt::format("--{} {}: not a number between {} and {}", name, printable(text, 40), least,
                    most),
        "");
    return std::nullopt;
  }

  void bad(std::string what, std::string hint) {
    errors_.push_back({.kind = ErrorKind::usage, .what = std::move(what), .hint = std::move(hint)});
  }

  void bad_choice(const char* name, const std::string& word,
                  const std::vector<std::string>& words) {
    std::string near = nearest(word, words);
    bad(fmt::format("--{} {}: not one of {}", name, printable(word, 40), fmt::join(words, ", ")),
        near.empty() ? "" : fmt::format("did you mean {}?", near));
  }

 private:
  const Flags& flags_;
  std::vector<Error>& errors_;
};

void read_connect(Reader& reader, const Flags& flags, ConnectFlags& into) {
  reader.text("kubeconfig", into.kubeconfig);
  reader.text("context", into.context);
  reader.text("cluster", into.cluster);
  reader.text("user", into.user);
  reader.text("namespace", into.namespace_);
  reader.text("as", into.as);
  if (flags.has("as-group")) into.as_groups = flags.values.at("as-group");  // a comma is its own
  reader.timeout("request-timeout", into.request_timeout);
  std::string token;
  reader.text("token", token);
  into.token = Secret(token);
  reader.text("server", into.server);
  reader.text("tls-server-name", into.tls_server_name);
  reader.on("insecure-skip-tls-verify", into.insecure_skip_tls_verify);
}

void read_want(Reader& reader, const Flags& flags, ReadFile read_file, Options& options,
               std::vector<Error>& errors) {
  if (flags.has("policy")) {
    auto text = read_file(flags.last("policy"));
    auto policy =
        text ? parse_policy(*text, flags.last("policy")) : Result<Policy>(std::move(text).error());
    if (policy) {
      options.policy = std::move(policy).value();
    } else {
      errors.push_back(std::move(policy).error());
    }
  }
  for (const std::string& word : reader.words("accept")) {
    auto verdict = parse_acceptable(word);
    if (!verdict) {
      errors.push_back(std::move(verdict).error().with_context("--accept"));
    } else if (auto& all = options.policy.accept;
               std::find(all.begin(), all.end(), *verdict) == all.end()) {
      all.push_back(*verdict);
    }
  }
}

void read_ports(Reader& reader, std::vector<Port>& into) {
  for (const std::string& word : reader.words("port")) {
    unsigned number = 0;
    const auto [end, problem] = std::from_chars(word.data(), word.data() + word.size(), number);
    const bool whole = problem == std::errc{} && end == word.data() + word.size();
    if (whole && number >= 1 && number <= 65535) {
      into.push_back(static_cast<Port>(number));
    } else {
      reader.bad(fmt::format("--port {}: not a port", printable(word, 40)), "1 to 65535");
    }
  }
  if (into.size() > sockets::kMaxAskedPorts) {
    reader.bad(fmt::format("--port: {} ports", into.size()),
               fmt::format("at most {}; without --port all are listed", sockets::kMaxAskedPorts));
  }
}

void read_probe(Reader& reader, const Flags& flags, ProbeFlags& into) {
  reader.text("file", into.file);
  if (flags.has("concurrency")) {
    const auto most = reader.number("concurrency", flags.last("concurrency"), 1, 100'000);
    into.concurrency = static_cast<std::size_t>(most.value_or(1));
  }
  if (flags.has("retries")) {
    const auto more = reader.number("retries", flags.last("retries"), 0, 10);
    into.retries = static_cast<int>(more.value_or(0));
  }
  if (flags.has("rate")) {
    const auto rate = reader.number("rate", flags.last("rate"), 1, 1'000'000);
    into.rate = static_cast<double>(rate.value_or(0));
  }
  if (flags.has("source")) {
    into.source = IpAddress::parse(flags.last("source"));
    if (!into.source)
      reader.bad(fmt::format("--source {}: not an address", printable(flags.last("source"), 60)),
                 "give one of this machine's IPv4 or IPv6 addresses");
  }
}

void read_from(Reader& reader, Options& options) {
  const std::vector<std::string> known = look::vantage_names();
  options.from = reader.words("from");
  for (const std::string& word : options.from) {
    const bool name = std::find(known.begin(), known.end(), word) != known.end();
    if (name || look::parse_pod_vantage(word) || look::parse_agent_vantage(word)) continue;
    std::vector<std::string> all = known;
    all.emplace_back("pod/NAMESPACE/NAME");
    all.emplace_back("agent");
    reader.bad_choice("from", word, all);
  }
  reader.text("image", options.image);
  const bool agent = std::ranges::any_of(options.from, [](const std::string& word) {
    return look::parse_agent_vantage(word).has_value();
  });
  if (!options.image.empty() && !agent)
    reader.bad("--image is for the vantage point agent", "add --from agent");
}

void check_flags_taken(const Command& command, const Flags& flags, std::vector<Error>& errors) {
  for (const FlagRow& row : flag_rows()) {
    if (!flags.has(row.name) || takes(command, row)) continue;
    std::vector<std::string> takers;
    for (const Command& other : commands()) {
      if (takes(other, row)) takers.emplace_back(other.name);
    }
    errors.push_back({.kind = ErrorKind::usage,
                      .what = fmt::format("{} does not take --{}", command.name, row.name),
                      .hint = fmt::format("it belongs to {}", fmt::join(takers, ", "))});
  }
}

void check_arguments(const Command& command, Options& options, Reader& reader) {
  const bool any = std::string_view(command.arguments).ends_with("...]");
  const std::size_t most = any ? options.arguments.size() : *command.arguments == '\0' ? 0 : 1;
  if (options.arguments.size() > most) {
    reader.bad(fmt::format("{} does not take \"{}\"", command.name,
                           printable(options.arguments[most], 60)),
               fmt::format("{} {} --help shows its arguments", options.program, command.name));
  }
}

void check_together(const Flags& flags, const Options& options, Reader& reader) {
  if (!options.plan_file.empty() &&
      (options.plan.in_place || options.plan.include_pending || options.plan.override_owner)) {
    reader.bad(
        "--plan already says how: it cannot be changed by --in-place, --include-pending or "
        "--override-owner",
        "make a new plan with those flags");
  }
  const bool probes = std::string_view(options.command->name) == "probe";
  if (probes && options.output != Output::json && options.output != Output::text) {
    reader.bad(
        fmt::format("--output {}: probe prints lines, as json or text", flags.last("output")),
        "-o json is one document a line");
  }
  if (probes && options.timeout == Duration{0})
    reader.bad("--timeout 0s: no time to connect", "leave it out for 3s");
  if (flags.has("settle") && options.settle < std::chrono::seconds{3}) {
    reader.bad(fmt::format("--settle {}: too short", flags.last("settle")),
               "at least 3s: after a change of FelixConfiguration Felix listens 2 s more before it "
               "restarts");
  }
  if (options.check && !probes && !flags.has("port")) {
    reader.bad("--check needs a port to check", "for Felix's metrics: --port 9091");
  }
  if (options.dry_run != DryRun::none && !options.evidence_file.empty()) {
    reader.bad("--evidence with --dry-run: nothing is changed, so there is nothing to prove",
               "leave one of them out");
  }
}

}  // namespace

Resolved resolve_options(const Command& command, const Flags& flags, ReadFile read_file) {
  Resolved resolved;
  Options& options = resolved.options;
  Reader reader(flags, resolved.errors);
  options.command = &command;
  options.program = flags.program;
  if (flags.words.size() > 1) options.arguments.assign(flags.words.begin() + 1, flags.words.end());
  check_flags_taken(command, flags, resolved.errors);
  check_arguments(command, options, reader);
  read_connect(reader, flags, options.connect);
  read_from(reader, options);
  read_want(reader, flags, read_file, options, resolved.errors);
  options.output = command.output;
  reader.choice("output", options.output, kOutputs);
  reader.choice("color", options.color, kColors);
  reader.choice("dry-run", options.dry_run, kDryRuns);
  reader.on("quiet", options.quiet);
  reader.duration("settle", options.settle);
  reader.duration("timeout", options.timeout);
  reader.on("in-place", options.plan.in_place);
  reader.on("include-pending", options.plan.include_pending);
  reader.on("override-owner", options.plan.override_owner);
  reader.text("plan", options.plan_file);
  reader.text("ticket", options.ticket);
  reader.text("reason", options.reason);
  reader.on("yes", options.yes);
  reader.text("evidence", options.evidence_file);
  reader.on("list", options.list);
  reader.on("serve", options.serve);
  reader.text("scenario", options.scenario_file);
  reader.text("observations", options.observations);
  read_ports(reader, options.ports);
  reader.text("netns", options.netns);
  reader.on("check", options.check);
  reader.on("all-owners", options.all_owners);
  read_probe(reader, flags, options.probe);
  check_together(flags, options, reader);
  return resolved;
}

}  // namespace catflap::app
