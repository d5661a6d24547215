#include "app/resolver.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

namespace catflap::app {

Result<Addresses> resolve_name(const std::string& name) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int problem = ::getaddrinfo(name.c_str(), nullptr, &hints, &found);
  if (problem != 0)
    return Error{.kind = ErrorKind::unreachable,
                 .what = std::string("the name cannot be resolved: ") + ::gai_strerror(problem),
                 .subject = name};
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> all(found, ::freeaddrinfo);
  Addresses addresses;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    IpAddress address;
    if (one->ai_family == AF_INET) {
      sockaddr_in four{};
      std::memcpy(&four, one->ai_addr, sizeof four);
      std::array<std::uint8_t, 4> bytes{};
      std::memcpy(bytes.data(), &four.sin_addr, bytes.size());
      address = IpAddress::v4(bytes);
    } else if (one->ai_family == AF_INET6) {
      sockaddr_in6 six{};
      std::memcpy(&six, one->ai_addr, sizeof six);
      std::array<std::uint8_t, 16> bytes{};
      std::memcpy(bytes.data(), &six.sin6_addr, bytes.size());
      address = IpAddress::v6(bytes);
    } else {
      continue;
    }
    if (std::find(addresses.begin(), addresses.end(), address) == addresses.end())
      addresses.push_back(address);
  }
  return addresses;
}

/// What the threads that look names up share with whoever wants to know; the last of them frees it.
struct Resolver::Shared {
  using Time = std::chrono::steady_clock::time_point;
  struct Name {
    std::string name;
    Take take;
  };
  struct Found {
    Take take;
    Result<Addresses> addresses;
  };

  LookUp look_up;
  Bounds bounds;
  std::mutex mutex;
  std::condition_variable room;    // for a name
  std::condition_variable work;    // a name, or the end
  std::condition_variable change;  // something found, begun or over
  std::deque<Name> waiting;
  std::map<std::pair<Time, std::uint64_t>, Name> running;  // by when their time is up
  std::deque<Found> found;
  std::uint64_t begun = 0;
  std::size_t threads = 0;
  std::size_t idle = 0;
  bool closed = false;
  bool stopped = false;

  void stop() {
    const std::scoped_lock lock(mutex);
    stopped = true;
    room.notify_all();
    work.notify_all();
    change.notify_all();
  }

  /// With the mutex held: those whose time is up are found, without addresses. Their threads are
  /// busy until the system gives up.
  void give_up_late() {
    const auto now = std::chrono::steady_clock::now();
    while (!running.empty() && running.begin()->first.first <= now) {
      auto late = running.extract(running.begin());
      found.push_back({std::move(late.mapped().take),
                       Error{.kind = ErrorKind::timed_out,
                             .what = "the name is not resolved within " + to_string(bounds.each),
                             .subject = late.mapped().name}});
    }
  }

  /// The next result; none when there will be none.
  std::optional<Found> next() {
    std::unique_lock lock(mutex);
    for (;;) {
      if (stopped) return std::nullopt;
      give_up_late();
      if (!found.empty()) {
        Found first = std::move(found.front());
        found.pop_front();
        return first;
      }
      if (running.empty() && waiting.empty() && closed) return std::nullopt;
      if (running.empty()) {
        change.wait(lock);
      } else {
        const Time until = running.begin()->first.first;
        change.wait_until(lock, until);
      }
    }
  }
};

/// A thread's whole life: one name after another.
void Resolver::work(const std::shared_ptr<Shared>& shared) {
  Shared& it = *shared;
  std::unique_lock lock(it.mutex);
  for (;;) {
    ++it.idle;
    it.work.wait(lock, [&] { return !it.waiting.empty() || it.closed || it.stopped; });
    --it.idle;
    if (it.stopped || it.waiting.empty()) return;
    const std::pair key(std::chrono::steady_clock::now() + it.bounds.each, it.begun++);
    const std::string name = it.waiting.front().name;
    it.running.emplace(key, std::move(it.waiting.front()));
    it.waiting.pop_front();
    it.room.notify_one();
    it.change.notify_all();
    lock.unlock();
    auto addresses = it.look_up(name);
    lock.lock();
    if (auto mine = it.running.extract(key))
      it.found.push_back({std::move(mine.mapped().take), std::move(addresses)});
    it.change.notify_all();
  }
}

Resolver::Resolver(LookUp look_up, const Bounds& bounds, const std::stop_token& stop)
    : shared_(std::make_shared<Shared>()) {
  shared_->look_up = std::move(look_up);
  shared_->bounds = bounds;
  on_stop_ = std::make_unique<std::stop_callback<std::function<void()>>>(
      stop, [shared = shared_] { shared->stop(); });
}

Resolver::~Resolver() {
  on_stop_.reset();
  shared_->stop();
}

bool Resolver::put(std::string name, Take take) {
  Shared& it = *shared_;
  std::unique_lock lock(it.mutex);
  it.room.wait(lock, [&] { return it.waiting.size() < it.bounds.ahead || it.stopped; });
  if (it.stopped) return false;
  it.waiting.push_back({std::move(name), std::move(take)});
  if (it.idle >= it.waiting.size() || it.threads == it.bounds.threads) {
    it.work.notify_one();
    return true;
  }
  // Signals are the main thread's.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, &before);
  try {
    std::thread([shared = shared_] { work(shared); }).detach();
    ++it.threads;
  } catch (const std::system_error&) {
    it.stopped = it.threads == 0;  // with some threads it is only slower
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return !it.stopped;
}

void Resolver::close() {
  const std::scoped_lock lock(shared_->mutex);
  shared_->closed = true;
  shared_->work.notify_all();
  shared_->change.notify_all();
}

void Resolver::run() {
  while (auto found = shared_->next()) found->take(std::move(found->addresses));
}

}  // namespace catflap::app
