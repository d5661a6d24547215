// Who runs when: at most one visit per node at a time, each a few connections one after another.
// What a connection does is in connection.cpp, what a visit's connections mean in attempt.cpp.
#include "net/engine.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <system_error>
#include <thread>
#include <unordered_map>

#include "net/attempt.hpp"
#include "net/connection.hpp"
#include "net/descriptors.hpp"
#include "net/pace.hpp"

namespace catflap::net {
namespace {

constexpr const char* kVantage = "direct";
// Orders for nodes that are being asked already; with more, the Desk is not asked for others.
constexpr std::size_t kMostWaiting = 16'384;
// Before the first answer nothing is known of a port, and TLS is asked for in vain where plain text
// is spoken: so few visits begin at first, for so long at most.
constexpr std::size_t kScouts = 16;
constexpr Duration kScoutFor{100};

std::string system_words() {
  return std::system_category().message(errno);
}

struct Visit {
  Order order;
  std::string node;  // the key of busy_
  TimePoint at{};
  SteadyPoint first_started{};
  SteadyPoint started{};          // of the current try
  SteadyPoint connect_started{};  // of the current connection
  std::optional<SteadyPoint> alarm;
  std::unique_ptr<Connection> connection;
  std::vector<Attempt> attempts;
  bool guessed = false;  // begun in plain text
  int retries_left = 0;
};

std::string node_key(const Target& target) {
  return target.node.empty() ? node_of(target.endpoint.address) : target.node;
}

/// No answer came in time.
bool silent(const Attempt& attempt) {
  return attempt.end == Attempt::End::timed_out ||
         (!attempt.opened() && attempt.failure.outcome == Outcome::timeout);
}

class Engine {
 public:
  struct Surroundings {
    const TlsContext& context;
    int epoll;
    int doorbell;
  };

  Engine(Desk& desk, const ProbeOptions& options, const Clock& clock,
         const Surroundings& surroundings)
      : desk_(desk),
        options_(options),
        clock_(clock),
        context_(surroundings.context),
        epoll_(surroundings.epoll),
        doorbell_(surroundings.doorbell),
        most_parallel_(affordable_visits(options.parallel)),
        parallel_(most_parallel_),
        pace_(options.rate, clock.steady()),
        scouting_until_(clock.steady() + kScoutFor) {}

  void run();

 private:
  void start_visits();
  [[nodiscard]] bool take_order(Order& into);
  [[nodiscard]] bool start_visit(Order order);
  void wait_for_events();
  void expire_visits();
  void begin(Visit& visit);
  void open(Visit& visit, Speak speak);
  void begin_with_tls(Visit& visit);
  void settle(Visit& visit);
  void set_alarm(Visit& visit);
  void finish(Visit& visit);
  [[nodiscard]] bool scouting() const {
    return !answered_ && visits_.size() >= kScouts && clock_.steady() < scouting_until_;
  }
  [[nodiscard]] int milliseconds_to_wait() const;
  [[nodiscard]] SteadyPoint end_of(const Visit& visit) const {
    return visit.started + options_.total_timeout;
  }

  Desk& desk_;
  const ProbeOptions& options_;
  const Clock& clock_;
  const TlsContext& context_;
  int epoll_;
  int doorbell_;
  std::size_t most_parallel_;
  std::size_t parallel_;
  Pace pace_;
  SteadyPoint scouting_until_;
  bool answered_ = false;  // somebody has, so that a port's way of speaking is known
  bool desk_over_ = false;
  std::deque<Order> ready_;  // of nodes that are free; they come before the Desk's next
  std::unordered_map<std::string, std::list<Order>> busy_;  // nodes being asked, and what waits
  std::size_t waiting_ = 0;                                 // orders in busy_
  std::unordered_map<Visit*, std::unique_ptr<Visit>> visits_;
  std::set<std::pair<SteadyPoint, Visit*>> alarms_;
  std::set<Port> plain_at_;  // ports where the last answer came in plain text
};

void Engine::run() {
  while (!options_.stop.stop_requested()) {
    start_visits();
    if (visits_.empty() && ready_.empty() && desk_over_) return;
    wait_for_events();
    expire_visits();
  }
}

void Engine::start_visits() {
  Order order;
  while (visits_.size() < parallel_ && !scouting() && pace_.allows(clock_.steady()) &&
         take_order(order)) {
    if (start_visit(std::move(order))) continue;
    // Fewer descriptors than the limit promised: go on with as many visits as there are now.
    parallel_ = visits_.size();
  }
}

/// The next order whose node is free; none for now if false.
bool Engine::take_order(Order& into) {
  if (!ready_.empty()) {
    into = std::move(ready_.front());
    ready_.pop_front();
    return true;
  }
  while (!desk_over_ && waiting_ < kMostWaiting) {
    switch (desk_.next(into)) {
      case Desk::Supply::later:
        return false;
      case Desk::Supply::over:
        desk_over_ = true;
        return false;
      case Desk::Supply::order:
        break;
    }
    const auto busy = busy_.find(node_key(into.target));
    if (busy == busy_.end()) return true;
    busy->second.push_back(std::move(into));
    ++waiting_;
  }
  return false;
}

/// False if this machine has no room for one more socket now, and a running visit will make some;
/// the order then waits.
bool Engine::start_visit(Order order) {
  auto owned = std::make_unique<Visit>();
  Visit& visit = *owned;
  visit.order = std::move(order);
  visit.node = node_key(visit.order.target);
  visit.at = clock_.now();
  visit.retries_left = options_.retries;
  begin(visit);
  visit.first_started = visit.started;
  if (visit.connection->exhausted() && !visits_.empty()) {
    ready_.push_front(std::move(visit.order));
    return false;
  }
  pace_.began(visit.started);
  busy_.try_emplace(visit.node);
  visits_.emplace(&visit, std::move(owned));
  settle(visit);
  return true;
}

void Engine::begin(Visit& visit) {
  visit.started = clock_.steady();
  visit.attempts.clear();
  visit.guessed =
      !visit.order.target.control && plain_at_.contains(visit.order.target.endpoint.port);
  if (visit.guessed) return open(visit, Speak::plain);
  open(visit, visit.order.target.control ? Speak::nothing : Speak::tls);
}

/// The guess was wrong, and will not be made again at once.
void Engine::begin_with_tls(Visit& visit) {
  visit.guessed = false;
  visit.attempts.clear();
  plain_at_.erase(visit.order.target.endpoint.port);
  open(visit, Speak::tls);
}

void Engine::wait_for_events() {
  std::array<epoll_event, 128> events{};
  const int count =
      ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), milliseconds_to_wait());
  // Below, a visit may end and be freed; no other event of this batch can point to it, for it has
  // one socket at a time.
  for (int i = 0; i < count; ++i) {
    auto* visit = static_cast<Visit*>(events[static_cast<std::size_t>(i)].data.ptr);
    if (visit == nullptr) {
      eventfd_t rings = 0;
      (void)::eventfd_read(doorbell_, &rings);
      continue;
    }
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
  visit.connection = std::make_unique<Connection>(visit.order.target.endpoint, speak, context_,
                                                  options_.max_bytes, options_.source);
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
    const bool late = clock_.steady() >= end_of(visit);
    if (visit.guessed && !late && !plain_says_all(visit.attempts.front())) {
      begin_with_tls(visit);
      continue;
    }
    const auto speak = next_attempt(visit.attempts);
    if (speak && !late) {
      open(visit, *speak);
    } else if (visit.retries_left > 0 && silent(visit.attempts.back())) {
      --visit.retries_left;
      begin(visit);
    } else {
      return finish(visit);
    }
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
  const Attempt& first = visit.attempts.front();
  answered_ = answered_ || (first.opened() && first.speak != Speak::nothing);
  if (visit.attempts.back().speak == Speak::plain && !record.tls && record.http_status / 100 == 2)
    plain_at_.insert(visit.order.target.endpoint.port);
  record.vantage = kVantage;
  record.node = visit.order.target.node;
  record.endpoint = visit.order.target.endpoint;
  record.at = visit.at;
  record.took = clock_.steady() - visit.first_started;
  desk_.done(visit.order, std::move(record));
  if (visit.alarm) alarms_.erase({*visit.alarm, &visit});
  const auto node = busy_.find(visit.node);
  if (node->second.empty()) {
    busy_.erase(node);
  } else {
    // The node stays busy_: its next order starts before anybody else's.
    ready_.push_back(std::move(node->second.front()));
    node->second.pop_front();
    --waiting_;
  }
  visits_.erase(&visit);
  parallel_ = std::min(parallel_ + 1, most_parallel_);  // there may be room again
}

int Engine::milliseconds_to_wait() const {
  std::optional<SteadyPoint> until;
  if (!alarms_.empty()) until = alarms_.begin()->first;
  const bool held_back = visits_.size() < parallel_ && !pace_.allows(clock_.steady());
  if (held_back) until = std::min(until.value_or(pace_.next()), pace_.next());
  if (scouting()) until = std::min(until.value_or(scouting_until_), scouting_until_);
  if (!until) return -1;
  return static_cast<int>(std::clamp<Duration::rep>((*until - clock_.steady()).count(), 0, 60'000));
}

/// Signals are the main thread's: none may be handled here, between two steps of a connection.
void block_signals() {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

Error out_of(const char* what) {
  const int error = errno;
  return {.kind = ErrorKind::internal,
          .what = fmt::format("no {}: {}", what, std::system_category().message(error)),
          .system_code = error};
}

Result<UniqueFd> make_epoll(const Doorbell& doorbell) {
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  epoll_event interest{};
  interest.events = EPOLLIN;
  interest.data.ptr = nullptr;
  if (!epoll || ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, doorbell.descriptor(), &interest) != 0)
    return out_of("epoll");
  return epoll;
}

}  // namespace

Result<Doorbell> Doorbell::create() {
  UniqueFd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) return out_of("eventfd");
  return Doorbell(std::move(event));
}

void Doorbell::ring() const {
  ::eventfd_write(event_.get(), 1);
}

Result<void> run_engine(Desk& desk, const Doorbell& doorbell, const ProbeOptions& options,
                        const Clock& clock) {
  TRY_ASSIGN(const auto epoll, make_epoll(doorbell));
  TRY_ASSIGN(const auto context, TlsContext::create(clock.now()));
  const std::stop_callback wake(options.stop, [&] { doorbell.ring(); });
  try {
    std::thread([&] {
      block_signals();
      Engine(desk, options, clock, {context, epoll.get(), doorbell.descriptor()}).run();
    }).join();
  } catch (const std::system_error& error) {
    return Error{.kind = ErrorKind::internal, .what = std::string("no thread: ") + error.what()};
  }
  return {};
}

Reach unanswered(const Target& target, TimePoint at, std::string detail) {
  return {.vantage = kVantage,
          .node = target.node,
          .endpoint = target.endpoint,
          .detail = std::move(detail),
          .at = at};
}

}  // namespace catflap::net
