// The engine: one epoll loop over at most one visit per node, each visit a few connections one
// after another. What a connection does is in connection.cpp, what a visit's connections mean in
// attempt.cpp; here is only who runs when.
#include "net/probe.hpp"

#include <dirent.h>
#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <system_error>
#include <thread>

#include "base/handle.hpp"
#include "net/attempt.hpp"
#include "net/connection.hpp"

namespace catflap::net {
namespace {

constexpr const char* kVantage = "direct";
constexpr std::size_t kDescriptorsForOthers =
    16;  // what the rest of the program may open meanwhile

std::string system_words() {
  return std::system_category().message(errno);
}

Reach unanswered(const Target& target, TimePoint at, std::string detail) {
  return {.vantage = kVantage,
          .node = target.node,
          .endpoint = target.endpoint,
          .detail = std::move(detail),
          .at = at};
}

std::size_t count_open_descriptors() {
  constexpr std::size_t kGuess = 64;
  DIR* folder = ::opendir("/proc/self/fd");
  if (folder == nullptr) return kGuess;
  std::size_t count = 0;
  while (::readdir(folder) != nullptr) ++count;
  ::closedir(folder);
  return count;
}

/// How many visits the descriptor limit leaves room for: one descriptor each. The limit itself is
/// the user's, not ours to raise.
std::size_t affordable_visits(std::size_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return std::max<std::size_t>(1, wanted);
  const std::size_t taken = count_open_descriptors() + kDescriptorsForOthers;
  const std::size_t room = limit.rlim_cur > taken ? limit.rlim_cur - taken : 1;
  return std::clamp<std::size_t>(wanted, 1, room);
}

/// The targets of one node, asked one after another.
struct Node {
  std::vector<std::size_t> targets;
  std::size_t next = 0;
};

struct Visit {
  Node* node = nullptr;
  std::size_t target = 0;
  TimePoint at{};
  SteadyPoint started{};
  SteadyPoint connect_started{};  // of the current connection
  std::optional<SteadyPoint> alarm;
  std::unique_ptr<Connection> connection;
  std::vector<Attempt> attempts;
};

class Engine {
 public:
  struct Wakeups {
    UniqueFd epoll;
    UniqueFd stop;  // an eventfd, readable once a stop was requested
  };

  Engine(std::span<const Target> targets, const ProbeOptions& options, const Clock& clock,
         const TlsContext& context, const Wakeups& wakeups)
      : targets_(targets),
        options_(options),
        clock_(clock),
        context_(context),
        epoll_(wakeups.epoll.get()),
        most_parallel_(affordable_visits(options.parallel)),
        parallel_(most_parallel_),
        records_(targets.size()) {
    queue_nodes();
  }

  [[nodiscard]] std::vector<Reach> run();

 private:
  void queue_nodes();
  void start_visits();
  [[nodiscard]] bool start_visit(Node& node);
  void wait_for_events();
  void expire_visits();
  void open(Visit& visit, Speak speak);
  void settle(Visit& visit);
  void set_alarm(Visit& visit);
  void finish(Visit& visit);
  [[nodiscard]] int milliseconds_to_alarm() const;
  [[nodiscard]] SteadyPoint end_of(const Visit& visit) const {
    return visit.started + options_.total_timeout;
  }

  std::span<const Target> targets_;
  const ProbeOptions& options_;
  const Clock& clock_;
  const TlsContext& context_;
  int epoll_;
  std::size_t most_parallel_;
  std::size_t parallel_;
  std::vector<Node> nodes_;
  std::deque<Node*> ready_;
  std::map<Visit*, std::unique_ptr<Visit>> visits_;
  std::set<std::pair<SteadyPoint, Visit*>> alarms_;
  std::vector<std::optional<Reach>> records_;
};

std::vector<Reach> Engine::run() {
  while (!options_.stop.stop_requested()) {
    start_visits();
    if (visits_.empty()) break;
    wait_for_events();
    expire_visits();
  }
  std::vector<Reach> all;
  for (std::size_t i = 0; i < records_.size(); ++i) {
    auto& record = records_[i];
    all.push_back(record ? std::move(*record)
                         : unanswered(targets_[i], clock_.now(), "interrupted"));
  }
  return all;
}

void Engine::queue_nodes() {
  std::map<std::string, std::size_t> index;
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    const Target& target = targets_[i];
    // Endpoints from a list have no node's name; then an address is what must not be asked twice at
    // once.
    const std::string key =
        target.node.empty() ? "@" + target.endpoint.address.to_string() : target.node;
    const auto [at, added] = index.emplace(key, nodes_.size());
    if (added) nodes_.emplace_back();
    nodes_[at->second].targets.push_back(i);
  }
  for (Node& node : nodes_) ready_.push_back(&node);
}

void Engine::start_visits() {
  while (!ready_.empty() && visits_.size() < parallel_) {
    Node* node = ready_.front();
    ready_.pop_front();
    if (start_visit(*node)) continue;
    // Fewer descriptors than the limit promised: go on with as many visits as there are now.
    ready_.push_front(node);
    parallel_ = visits_.size();
  }
}

/// False if this machine has no room for one more socket now, and a running visit will make some.
bool Engine::start_visit(Node& node) {
  auto owned = std::make_unique<Visit>();
  Visit& visit = *owned;
  visit.node = &node;
  visit.target = node.targets[node.next];
  visit.at = clock_.now();
  visit.started = clock_.steady();
  open(visit, targets_[visit.target].control ? Speak::nothing : Speak::tls);
  if (visit.connection->exhausted() && !visits_.empty()) return false;
  ++node.next;
  visits_.emplace(&visit, std::move(owned));
  settle(visit);
  return true;
}

void Engine::wait_for_events() {
  std::array<epoll_event, 128> events{};
  const int count =
      ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), milliseconds_to_alarm());
  // Below, a visit may end and be freed; no other event of this batch can point to it, for it has
  // one socket at a time.
  for (int i = 0; i < count; ++i) {
    auto* visit = static_cast<Visit*>(events[static_cast<std::size_t>(i)].data.ptr);
    if (visit == nullptr) return;  // the stop request
    visit->connection->advance(events[static_cast<std::size_t>(i)].events);
    settle(*visit);
  }
}

void Engine::expire_visits() {
  while (!alarms_.empty() && alarms_.begin()->first <= clock_.steady()) {
    Visit& visit = *alarms_.begin()->second;
    const bool connecting = visit.connection->connecting();
    const Duration bound =
        connecting ? *visit.alarm - visit.connect_started : options_.total_timeout;
    visit.connection->expire(bound);
    settle(visit);
  }
}

void Engine::open(Visit& visit, Speak speak) {
  visit.connect_started = clock_.steady();
  const HostPort& endpoint = targets_[visit.target].endpoint;
  visit.connection = std::make_unique<Connection>(endpoint, speak, context_, options_.max_bytes);
  if (visit.connection->over()) return;
  epoll_event interest{};
  interest.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  interest.data.ptr = &visit;
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, visit.connection->socket(), &interest) != 0)
    visit.connection->abandon(system_words());
}

/// Brings a visit on after its connection has moved: to the next connection, or to its end.
void Engine::settle(Visit& visit) {
  while (visit.connection->over()) {
    visit.attempts.push_back(visit.connection->take());
    const auto speak = next_attempt(visit.attempts);
    if (!speak || clock_.steady() >= end_of(visit)) return finish(visit);
    open(visit, *speak);
  }
  set_alarm(visit);
}

void Engine::set_alarm(Visit& visit) {
  SteadyPoint alarm = end_of(visit);
  if (visit.connection->connecting())
    alarm = std::min(alarm, visit.connect_started + options_.connect_timeout);
  if (visit.alarm == alarm) return;
  if (visit.alarm) alarms_.erase({*visit.alarm, &visit});
  visit.alarm = alarm;
  alarms_.emplace(alarm, &visit);
}

void Engine::finish(Visit& visit) {
  Reach record = fold(visit.attempts);
  record.vantage = kVantage;
  record.node = targets_[visit.target].node;
  record.endpoint = targets_[visit.target].endpoint;
  record.at = visit.at;
  record.took = clock_.steady() - visit.started;
  records_[visit.target] = std::move(record);
  if (visit.alarm) alarms_.erase({*visit.alarm, &visit});
  if (visit.node->next < visit.node->targets.size()) ready_.push_back(visit.node);
  visits_.erase(&visit);
  parallel_ = std::min(parallel_ + 1, most_parallel_);  // there may be room again
}

int Engine::milliseconds_to_alarm() const {
  if (alarms_.empty()) return -1;
  const Duration left = alarms_.begin()->first - clock_.steady();
  return static_cast<int>(std::clamp<Duration::rep>(left.count(), 0, 60'000));
}

/// Signals are the main thread's: none may be handled here, between two steps of a connection.
void block_signals() {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

Result<Engine::Wakeups> make_wakeups() {
  Engine::Wakeups made{UniqueFd(::epoll_create1(EPOLL_CLOEXEC)),
                       UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))};
  epoll_event interest{};
  interest.events = EPOLLIN;
  interest.data.ptr = nullptr;
  if (!made.epoll || !made.stop ||
      ::epoll_ctl(made.epoll.get(), EPOLL_CTL_ADD, made.stop.get(), &interest) != 0)
    return Error{.kind = ErrorKind::internal, .what = system_words(), .system_code = errno};
  return made;
}

Result<std::vector<Reach>> run_engine(std::span<const Target> targets, const ProbeOptions& options,
                                      const Clock& clock) {
  TRY_ASSIGN(const auto wakeups, make_wakeups());
  TRY_ASSIGN(const auto context, TlsContext::create(clock.now()));
  const std::stop_callback wake(options.stop, [&] { ::eventfd_write(wakeups.stop.get(), 1); });
  std::vector<Reach> records;
  try {
    std::thread([&] {
      block_signals();
      records = Engine(targets, options, clock, context, wakeups).run();
    }).join();
  } catch (const std::system_error& error) {
    return Error{.kind = ErrorKind::internal, .what = std::string("no thread: ") + error.what()};
  }
  return records;
}

}  // namespace

std::vector<Reach> probe(std::span<const Target> targets, const ProbeOptions& options,
                         const Clock& clock) {
  if (targets.empty()) return {};
  auto records = run_engine(targets, options, clock);
  if (records) return *std::move(records);
  std::vector<Reach> all;
  for (const Target& target : targets)
    all.push_back(unanswered(target, clock.now(), to_string(records.error())));
  return all;
}

}  // namespace catflap::net
