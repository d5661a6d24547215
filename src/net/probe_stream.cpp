#include "net/probe_stream.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <stop_token>
#include <thread>

#include "net/engine.hpp"

namespace catflap::net {
namespace {

constexpr std::size_t kAhead =
    4096;  // targets waiting to be asked, and records waiting to be taken

}  // namespace

struct ProbeStream::Shared final : Desk {
  explicit Shared(Doorbell bell, const ProbeOptions& wanted)
      : doorbell(std::move(bell)), options(wanted) {
    options.stop = stop.get_token();
  }

  Supply next(Order& into) override {
    const std::scoped_lock lock(mutex);
    if (answers.size() >= kAhead) return Supply::later;
    if (orders.empty()) return closed ? Supply::over : Supply::later;
    into = std::move(orders.front());
    orders.pop_front();
    room.notify_one();
    return Supply::order;
  }

  void done(const Order& order, Reach record) override {
    const std::scoped_lock lock(mutex);
    answers.push_back({order.id, std::move(record)});
    came.notify_one();
  }

  void end(const Result<void>& how) {
    const std::scoped_lock lock(mutex);
    if (!how) failure = how.error();
    ended = true;
    came.notify_all();
    room.notify_all();
  }

  std::mutex mutex;
  std::condition_variable room;  // for orders
  std::condition_variable came;  // an answer, or the end
  std::deque<Order> orders;
  std::deque<Answer> answers;
  bool closed = false;
  bool ended = false;
  std::optional<Error> failure;

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
  {
    std::unique_lock lock(shared_->mutex);
    shared_->room.wait(lock, [&] { return shared_->orders.size() < kAhead || shared_->ended; });
    if (shared_->ended) return false;
    shared_->orders.push_back({target, id});
  }
  shared_->doorbell.ring();
  return true;
}

bool ProbeStream::put_answer(Answer answer) {
  std::unique_lock lock(shared_->mutex);
  shared_->room.wait(lock, [&] { return shared_->answers.size() < kAhead || shared_->ended; });
  if (shared_->ended) return false;
  shared_->answers.push_back(std::move(answer));
  shared_->came.notify_one();
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

std::optional<ProbeStream::Answer> ProbeStream::take() {
  std::optional<Answer> answer;
  bool rings = false;
  {
    std::unique_lock lock(shared_->mutex);
    shared_->came.wait(lock, [&] { return !shared_->answers.empty() || shared_->ended; });
    if (shared_->answers.empty()) return std::nullopt;
    answer = std::move(shared_->answers.front());
    shared_->answers.pop_front();
    shared_->room.notify_one();
    rings = shared_->answers.size() + 1 == kAhead;
  }
  if (rings) shared_->doorbell.ring();
  return answer;
}

bool ProbeStream::has_answer() const {
  const std::scoped_lock lock(shared_->mutex);
  return !shared_->answers.empty();
}

const std::optional<Error>& ProbeStream::failure() const {
  return shared_->failure;
}

}  // namespace catflap::net
