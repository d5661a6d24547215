#include "net/probe_stream.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

#include "net/engine.hpp"

namespace catflap::net {
namespace {

constexpr std::size_t kAhead =
    1024;  // targets waiting to be asked, and records waiting to be taken
// Waking a thread costs as much as a few system calls, so nobody is woken for one target or one
// record while others come: who waits for room is woken at this many, who takes records when there
// are that many or that much time has gone.
constexpr std::size_t kRoomAgain = kAhead * 3 / 4;
constexpr std::size_t kGathered = 256;
constexpr std::chrono::milliseconds kGatherFor{10};

}  // namespace

struct ProbeStream::Shared final : Desk {
  explicit Shared(Doorbell bell, const ProbeOptions& wanted)
      : doorbell(std::move(bell)), options(wanted) {
    options.stop = stop.get_token();
  }

  Supply next(Order& into) override {
    const std::scoped_lock lock(mutex);
    if (orders.empty() && closed) return Supply::over;
    starved = orders.empty() || answers.size() >= kAhead;
    if (starved) return Supply::later;
    into = std::move(orders.front());
    orders.pop_front();
    if (orders.size() == kRoomAgain) room.notify_all();
    return Supply::order;
  }

  void done(const Order& order, Reach record) override {
    const std::scoped_lock lock(mutex);
    add({order.id, std::move(record)});
  }

  /// With the mutex held.
  void add(Answer answer) {
    answers.push_back(std::move(answer));
    if (awaited != 0 && answers.size() >= awaited) came.notify_one();
  }

  void end(const Result<void>& how) {
    const std::scoped_lock lock(mutex);
    if (!how) failure = how.error();
    ended = true;
    came.notify_all();
    room.notify_all();
  }

  /// Waits until then for some answers and moves them to `taken`: the first at once, what follows
  /// together.
  void gather(std::unique_lock<std::mutex>& lock, std::chrono::steady_clock::time_point until) {
    const auto enough = [this] { return ended || answers.size() >= awaited; };
    awaited = kGathered;
    (void)came.wait_until(lock, gathered + kGatherFor, enough);
    awaited = 1;
    const bool some = came.wait_until(lock, until, enough);
    awaited = 0;
    if (!some) return;
    gathered = std::chrono::steady_clock::now();
    taken.swap(answers);
    room.notify_all();
  }

  std::mutex mutex;
  std::condition_variable room;  // for orders
  std::condition_variable came;  // the awaited answers, or the end
  std::deque<Order> orders;
  std::deque<Answer> answers;
  std::size_t awaited = 0;  // answers that somebody waits for
  bool starved = false;     // the engine was told `later` and has not been rung for since
  bool closed = false;
  bool ended = false;
  std::optional<Error> failure;

  std::deque<Answer> taken;  // the taking thread's own
  std::chrono::steady_clock::time_point gathered{};

  Doorbell doorbell;
  std::stop_source stop;  // the caller's stop request, or the destructor's
  ProbeOptions options;
  std::thread engine;
  std::optional<std::stop_callback<std::function<void()>>> callers_stop;
};

ProbeStream::ProbeStream(std::unique_ptr<Shared> shared) : shared_(std::move(shared)) {}

Result<std::unique_ptr<ProbeStream>> ProbeStream::start(const ProbeOptions& options,
                                                        const Clock& clock) {
  TRY_ASSIGN(auto doorbell, Doorbell::create());
  auto shared = std::make_unique<Shared>(std::move(doorbell), options);
  Shared& it = *shared;
  it.callers_stop.emplace(options.stop, [&it] { it.stop.request_stop(); });
  try {
    it.engine =
        std::thread([&it, &clock] { it.end(run_engine(it, it.doorbell, it.options, clock)); });
  } catch (const std::system_error& error) {
    return Error{.kind = ErrorKind::internal, .what = std::string("no thread: ") + error.what()};
  }
  return std::unique_ptr<ProbeStream>(new ProbeStream(std::move(shared)));
}

ProbeStream::~ProbeStream() {
  shared_->callers_stop.reset();
  stop();
  shared_->engine.join();
}

bool ProbeStream::put(const Target& target, std::uint64_t id) {
  bool rings = false;
  {
    std::unique_lock lock(shared_->mutex);
    shared_->room.wait(lock, [&] { return shared_->orders.size() < kAhead || shared_->ended; });
    if (shared_->ended) return false;
    shared_->orders.push_back({target, id});
    rings = shared_->orders.size() == 1 && std::exchange(shared_->starved, false);
  }
  if (rings) shared_->doorbell.ring();
  return true;
}

bool ProbeStream::put_answer(Answer answer) {
  std::unique_lock lock(shared_->mutex);
  shared_->room.wait(lock, [&] { return shared_->answers.size() < kAhead || shared_->ended; });
  if (shared_->ended) return false;
  shared_->add(std::move(answer));
  return true;
}

void ProbeStream::close() {
  {
    const std::scoped_lock lock(shared_->mutex);
    shared_->closed = true;
  }
  shared_->doorbell.ring();
}

void ProbeStream::stop() {
  shared_->stop.request_stop();
}

bool ProbeStream::await(Duration most) {
  Shared& it = *shared_;
  if (!it.taken.empty()) return true;
  std::unique_lock lock(it.mutex);
  it.gather(lock, std::chrono::steady_clock::now() + most);
  if (std::exchange(it.starved, false)) it.doorbell.ring();
  return it.ended || !it.taken.empty();
}

std::optional<ProbeStream::Answer> ProbeStream::take() {
  Shared& it = *shared_;
  while (!await(std::chrono::hours{1})) {
  }
  if (it.taken.empty()) return std::nullopt;
  Answer answer = std::move(it.taken.front());
  it.taken.pop_front();
  return answer;
}

bool ProbeStream::has_answer() const {
  if (!shared_->taken.empty()) return true;
  const std::scoped_lock lock(shared_->mutex);
  return !shared_->answers.empty();
}

const std::optional<Error>& ProbeStream::failure() const {
  return shared_->failure;
}

}  // namespace catflap::net
