// probe: endpoints in, one line each out, as they come. One thread reads and resolves targets, the
// engine's asks, this one writes.
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "app/commands.hpp"
#include "app/exit_code.hpp"
#include "app/progress.hpp"
#include "app/targets.hpp"
#include "net/probe_stream.hpp"
#include "render/probe_line.hpp"

namespace catflap::app {
namespace {

constexpr std::size_t kLongestLine = 4096;
constexpr Duration kProgressEvery{200};
constexpr std::size_t kWrittenAtOnce = 64 * 1024;

/// The targets on their way, by the number that the engine carries for us.
class Ledger {
 public:
  std::uint64_t add(std::shared_ptr<const TargetSpec> spec) {
    const std::scoped_lock lock(mutex_);
    specs_.emplace(++last_, std::move(spec));
    return last_;
  }
  std::shared_ptr<const TargetSpec> take(std::uint64_t id) {
    const std::scoped_lock lock(mutex_);
    const auto found = specs_.find(id);
    auto spec = std::move(found->second);
    specs_.erase(found);
    return spec;
  }

 private:
  std::mutex mutex_;
  std::uint64_t last_ = 0;
  std::unordered_map<std::uint64_t, std::shared_ptr<const TargetSpec>> specs_;
};

/// Puts what the user named into the stream.
class Feeder {
 public:
  Feeder(net::ProbeStream& stream, Ledger& ledger, std::vector<Port> ports, const Clock& clock)
      : stream_(stream), ledger_(ledger), ports_(std::move(ports)), clock_(clock) {
    constexpr Port kFelixPort = 9091;
    if (ports_.empty()) ports_ = {kFelixPort};
  }

  /// False once the run is stopped.
  [[nodiscard]] bool feed(TargetSpec spec) {
    const auto shared = std::make_shared<const TargetSpec>(std::move(spec));
    bool going = true;
    if (const auto* name = std::get_if<std::string>(&shared->host)) {
      const auto addresses = resolve_name(*name);
      if (!addresses) return put_unresolved(shared, addresses.error());
      for (const IpAddress& address : *addresses) going = going && put(shared, address);
    } else if (const auto* address = std::get_if<IpAddress>(&shared->host)) {
      going = put(shared, *address);
    } else {
      for_each_address(std::get<Cidr>(shared->host), [&](const IpAddress& one) {
        going = put(shared, one);
        return going;
      });
    }
    return going;
  }

 private:
  bool put(const std::shared_ptr<const TargetSpec>& spec, const IpAddress& address) {
    if (spec->port) return put(spec, HostPort{address, *spec->port});
    for (Port port : ports_)
      if (!put(spec, HostPort{address, port})) return false;
    return true;
  }
  bool put(const std::shared_ptr<const TargetSpec>& spec, const HostPort& endpoint) {
    return stream_.put({.endpoint = endpoint}, ledger_.add(spec));
  }
  bool put_unresolved(const std::shared_ptr<const TargetSpec>& spec, const Error& error) {
    Reach record{.vantage = "direct", .detail = error.what, .at = clock_.now()};
    return stream_.put_answer({ledger_.add(spec), std::move(record)});
  }

  net::ProbeStream& stream_;
  Ledger& ledger_;
  std::vector<Port> ports_;  // of targets without one
  const Clock& clock_;
};

using NextLine = std::function<std::optional<std::string>()>;
using TakeSpec = std::function<bool(TargetSpec)>;

/// Every line that is neither empty nor a comment. Stops at the first that is no target.
Result<void> read_lines(const NextLine& next, const std::string& name, const TakeSpec& take) {
  for (std::size_t number = 1;; ++number) {
    const auto line = next();
    if (!line) return {};
    const auto first = line->find_first_not_of(" \t\r");
    if (first == std::string::npos || (*line)[first] == '#') continue;
    if (line->size() > kLongestLine) {
      return Error{.kind = ErrorKind::usage,
                   .what = fmt::format("line {} has more than {} bytes", number, kLongestLine),
                   .subject = name,
                   .hint = "one target a line"};
    }
    auto spec = parse_target(*line);
    if (!spec)
      return std::move(spec).error().with_context(fmt::format("{}, line {}", name, number));
    if (!take(*std::move(spec))) return {};
  }
}

/// One line, of which no more than the longest allowed is kept.
std::optional<std::string> line_of(std::istream& in) {
  std::string line;
  std::array<char, kLongestLine + 2> piece;  // getline ends what it writes with a zero
  if (!in.getline(piece.data(), piece.size())) {
    if (in.gcount() == 0) return std::nullopt;
    in.clear(in.rdstate() & ~std::ios::failbit);
    in.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
    return std::string(kLongestLine + 1, 'x');
  }
  return std::string(piece.data());
}

/// Where targets come from: the arguments, then the file or stdin.
class Source {
 public:
  Source(const Runtime& runtime, const Options& options)
      : runtime_(runtime), file_(options.probe.file) {
    const bool nothing = options.arguments.empty() && file_.empty();
    if (nothing) file_ = "-";
    missing_ = nothing && runtime.io.in_is_terminal;
    arguments_ = options.arguments;
  }

  /// What can be known to be wrong before the first packet leaves: every argument, and every line
  /// of a regular file.
  [[nodiscard]] Result<void> check() {
    if (missing_) {
      return Error{.kind = ErrorKind::usage,
                   .what = "no targets",
                   .hint = "name them, or give a list with -f FILE or on stdin"};
    }
    for (const std::string& argument : arguments_) {
      TRY_ASSIGN(auto spec, parse_target(argument));
      specs_.push_back(std::move(spec));
    }
    if (file_.empty() || file_ == "-") return {};
    struct stat facts{};
    std::ifstream file(file_);
    if (!file || ::stat(file_.c_str(), &facts) != 0) {
      return Error{.kind = ErrorKind::usage,
                   .what = "cannot be read",
                   .subject = file_,
                   .hint = "check the path"};
    }
    if (!S_ISREG(facts.st_mode)) return {};
    return read_lines([&] { return line_of(file); }, file_, [](const TargetSpec&) { return true; });
  }

  [[nodiscard]] Result<void> read(const TakeSpec& take) {
    for (TargetSpec& spec : specs_)
      if (!take(std::move(spec))) return {};
    if (file_.empty()) return {};
    if (file_ == "-") return read_lines(runtime_.io.read_line, "stdin", take);
    std::ifstream file(file_);
    return read_lines([&] { return line_of(file); }, file_, take);
  }

 private:
  const Runtime& runtime_;
  std::string file_;
  std::vector<std::string> arguments_;
  std::vector<TargetSpec> specs_;
  bool missing_ = false;
};

/// What became of all of them.
struct Tally {
  std::size_t asked = 0;
  std::map<Outcome, std::size_t> outcomes;
  std::map<Product, std::size_t> products;

  void add(const Reach& reach) {
    ++asked;
    ++outcomes[reach.outcome];
    if (reach.outcome == Outcome::open) ++products[reach.product];
  }
  [[nodiscard]] std::size_t of(Outcome outcome) const {
    const auto found = outcomes.find(outcome);
    return found == outcomes.end() ? 0 : found->second;
  }
  /// "open 12 (felix 10, http 2), refused 3"
  [[nodiscard]] std::string to_string() const {
    std::vector<std::string> parts;
    for (const auto& [outcome, count] : outcomes) {
      std::vector<std::string> kinds;
      if (outcome == Outcome::open) {
        for (const auto& [product, n] : products)
          kinds.push_back(fmt::format("{} {}", catflap::to_string(product), n));
      }
      parts.push_back(fmt::format("{} {}", catflap::to_string(outcome), count) +
                      (kinds.empty() ? "" : fmt::format(" ({})", fmt::join(kinds, ", "))));
    }
    return fmt::format("{}", fmt::join(parts, ", "));
  }
};

/// Takes the answers as they come and prints them.
Tally print_answers(const Runtime& runtime, const Options& options, net::ProbeStream& stream,
                    Ledger& ledger, Progress& progress) {
  Tally tally;
  std::string lines;
  SteadyPoint drawn = runtime.clock.steady();
  while (const auto answer = stream.take()) {
    const auto spec = ledger.take(answer->id);
    const render::Probed probed{spec->text, spec->id};
    const Reach& reach = answer->record;
    tally.add(reach);
    const bool text = options.output == Output::text;
    lines += text ? render::probe_text_line(probed, reach) : render::probe_json_line(probed, reach);
    if (lines.size() >= kWrittenAtOnce || !stream.has_answer()) {
      runtime.io.out << lines << std::flush;
      lines.clear();
    }
    const bool live = runtime.io.err_is_terminal && !runtime.io.out_is_terminal;
    if (!live || runtime.clock.steady() - drawn < kProgressEvery) continue;
    drawn = runtime.clock.steady();
    progress.update("", fmt::format("{} answered: {}", tally.asked, tally.to_string()));
  }
  return tally;
}

int exit_code_of(const Tally& tally, bool check) {
  if (!check) return kExitOk;
  if (tally.of(Outcome::open) + tally.of(Outcome::reset) > 0) return kExitOpen;
  return tally.of(Outcome::refused) == tally.asked && tally.asked > 0 ? kExitOk : kExitUnknown;
}

net::ProbeOptions probe_options(const Runtime& runtime, const Options& options) {
  net::ProbeOptions wanted;
  wanted.stop = runtime.stop;
  wanted.parallel = options.probe.concurrency;
  wanted.retries = options.probe.retries;
  wanted.rate = options.probe.rate;
  wanted.source = options.probe.source;
  if (options.timeout) {
    wanted.connect_timeout = *options.timeout;
    wanted.total_timeout = std::max(*options.timeout, wanted.total_timeout);
  }
  return wanted;
}

}  // namespace

Result<int> run_probe(const Runtime& runtime, const Options& options) {
  Source source(runtime, options);
  TRY(source.check());
  TRY_ASSIGN(const auto stream,
             net::ProbeStream::start(probe_options(runtime, options), runtime.clock));
  Ledger ledger;
  Result<void> read;
  std::thread reader([&] {
    Feeder feeder(*stream, ledger, options.ports, runtime.clock);
    read = source.read([&](TargetSpec spec) { return feeder.feed(std::move(spec)); });
    stream->close();
  });
  const SteadyPoint start = runtime.clock.steady();
  Progress progress(runtime, options);
  const Tally tally = print_answers(runtime, options, *stream, ledger, progress);
  reader.join();
  const bool stopped = runtime.stop.stop_requested();
  progress.say(
      fmt::format("{} {} in {}{}{}{}", tally.asked, tally.asked == 1 ? "endpoint" : "endpoints",
                  to_string(runtime.clock.steady() - start), tally.asked == 0 ? "" : ": ",
                  tally.to_string(), stopped ? "; interrupted, the rest was not asked" : ""));
  if (!read) return std::move(read).error();
  if (stream->failure()) return *stream->failure();
  return stopped ? kExitInterrupted : exit_code_of(tally, options.check);
}

}  // namespace catflap::app
