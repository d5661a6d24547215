// probe: endpoints in, one line each out, as they come. One thread reads targets, one takes the
// addresses of names as they are found, the engine's asks, this one writes.
#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <ostream>
#include <thread>
#include <unordered_map>
#include <utility>

#include "app/commands.hpp"
#include "app/exit_code.hpp"
#include "app/progress.hpp"
#include "app/resolver.hpp"
#include "app/target_source.hpp"
#include "net/probe_stream.hpp"
#include "net/tcp_connect.hpp"
#include "render/probe_line.hpp"

namespace catflap::app {
namespace {

constexpr Duration kProgressEvery{200};
constexpr std::size_t kWrittenAtOnce = 64 * 1024;
// Half of what OpenSSL needs for a handshake is one block of 21 KiB, of which it touches the first
// 16. Mapped on its own it leaves no hole in the heap and costs no more than it touches.
constexpr int kMappedAlone = 20 * 1024;

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

/// Puts what the user named into the stream: from two threads, that of the reader and that of
/// names.
class Feeder {
 public:
  Feeder(net::ProbeStream& stream, Ledger& ledger, std::vector<Port> ports, const Clock& clock,
         const std::stop_token& stop)
      : stream_(stream),
        ledger_(ledger),
        ports_(std::move(ports)),
        clock_(clock),
        resolver_(resolve_name, {}, stop) {
    constexpr Port kFelixPort = 9091;
    if (ports_.empty()) ports_ = {kFelixPort};
  }

  /// Everything of the source; returns when it is in the stream, or the run is stopped.
  [[nodiscard]] Result<void> feed_all(TargetSource& source, const std::stop_token& stop) {
    std::thread names([this] { resolver_.run(); });
    auto read = source.read([this](TargetSpec spec) { return feed(std::move(spec)); }, stop);
    resolver_.close();
    names.join();
    stream_.close();
    return read;
  }

  /// Endpoints that the targets read so far stand for.
  [[nodiscard]] std::uint64_t known() const { return known_; }

 private:
  using Spec = std::shared_ptr<const TargetSpec>;

  /// False once the run is stopped.
  [[nodiscard]] bool feed(TargetSpec spec) {
    const auto shared = std::make_shared<const TargetSpec>(std::move(spec));
    if (const auto* name = std::get_if<std::string>(&shared->host)) {
      return resolver_.put(
          *name, [this, shared](const Result<Addresses>& found) { put_name(shared, found); });
    }
    if (const auto* address = std::get_if<IpAddress>(&shared->host)) {
      known_ += ports_of(*shared);
      return put(shared, *address);
    }
    const auto& range = std::get<Cidr>(shared->host);
    known_ += address_count(range) * ports_of(*shared);
    bool going = true;
    for_each_address(range, [&](const IpAddress& one) { return going = put(shared, one); });
    return going;
  }

  void put_name(const Spec& spec, const Result<Addresses>& found) {
    if (!found || found->empty()) {
      ++known_;
      Reach record{.vantage = "direct",
                   .detail = found ? "the name has no address" : found.error().what,
                   .at = clock_.now()};
      (void)stream_.put_answer({ledger_.add(spec), std::move(record)});
      return;
    }
    known_ += found->size() * ports_of(*spec);
    // One node, whichever of its addresses is asked.
    const std::string node = net::node_of(*std::min_element(found->begin(), found->end()));
    for (const IpAddress& address : *found)
      if (!put(spec, address, node)) return;
  }

  [[nodiscard]] std::size_t ports_of(const TargetSpec& spec) const {
    return spec.port ? 1 : ports_.size();
  }
  bool put(const Spec& spec, const IpAddress& address, const std::string& node = "") {
    if (spec->port) return put(spec, HostPort{address, *spec->port}, node);
    for (Port port : ports_)
      if (!put(spec, HostPort{address, port}, node)) return false;
    return true;
  }
  bool put(const Spec& spec, const HostPort& endpoint, const std::string& node) {
    return stream_.put({.endpoint = endpoint, .node = node}, ledger_.add(spec));
  }

  net::ProbeStream& stream_;
  Ledger& ledger_;
  std::vector<Port> ports_;  // of targets without one
  const Clock& clock_;
  std::atomic<std::uint64_t> known_ = 0;
  Resolver resolver_;
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

/// Takes the answers as they come and prints them; ends early if nobody takes what is printed.
Tally print_answers(const Runtime& runtime, const Options& options, net::ProbeStream& stream,
                    Ledger& ledger, const std::function<void(const Tally&)>& every_now_and_then) {
  Tally tally;
  std::string lines;
  SteadyPoint told = runtime.clock.steady();
  for (;;) {
    const bool there = stream.await(kProgressEvery);
    if (const SteadyPoint now = runtime.clock.steady(); now - told >= kProgressEvery) {
      told = now;
      every_now_and_then(tally);
    }
    if (!there) continue;
    const auto answer = stream.take();
    if (!answer) return tally;
    const auto spec = ledger.take(answer->id);
    const render::Probed probed{spec->text, spec->id};
    tally.add(answer->record);
    const bool text = options.output == Output::text;
    lines += text ? render::probe_text_line(probed, answer->record)
                  : render::probe_json_line(probed, answer->record);
    if (lines.size() < kWrittenAtOnce && stream.has_answer()) continue;
    if (!(runtime.io.out << lines << std::flush)) return tally;
    lines.clear();
  }
}

int exit_code_of(const Tally& tally, bool check) {
  if (!check) return kExitOk;
  if (tally.of(Outcome::open) + tally.of(Outcome::reset) > 0) return kExitOpen;
  return tally.of(Outcome::refused) == tally.asked && tally.asked > 0 ? kExitOk : kExitUnknown;
}

net::ProbeOptions probe_options(const Options& options, std::stop_token stop) {
  net::ProbeOptions wanted;
  wanted.stop = std::move(stop);
  wanted.parallel = options.probe.concurrency;
  wanted.retries = options.probe.retries;
  wanted.rate = options.probe.rate;
  wanted.source = options.probe.source;
  if (options.timeout) wanted.connect_timeout = wanted.total_timeout = *options.timeout;
  return wanted;
}

}  // namespace

Result<int> run_probe(const Runtime& runtime, const Options& options) {
  (void)::mallopt(M_MMAP_THRESHOLD, kMappedAlone);
  TargetSource source(runtime, options);
  TRY(source.check());
  if (options.probe.source) TRY(net::can_connect_from(*options.probe.source));
  std::stop_source end;  // a stop request, or nobody takes the answers
  const std::stop_callback passed_on(runtime.stop, [&] { end.request_stop(); });
  TRY_ASSIGN(const auto stream,
             net::ProbeStream::start(probe_options(options, end.get_token()), runtime.clock));
  Ledger ledger;
  Feeder feeder(*stream, ledger, options.ports, runtime.clock, end.get_token());
  Result<void> read;
  std::thread reader([&] { read = feeder.feed_all(source, end.get_token()); });
  const SteadyPoint start = runtime.clock.steady();
  Progress progress(runtime, options);
  const bool live = runtime.io.err_is_terminal && !runtime.io.out_is_terminal;
  const Tally tally = print_answers(runtime, options, *stream, ledger, [&](const Tally& now) {
    if (live)
      progress.update("", fmt::format("{} of {} answered{}{}", now.asked, feeder.known(),
                                      now.asked == 0 ? "" : ": ", now.to_string()));
  });
  end.request_stop();
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
