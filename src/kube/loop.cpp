#include "kube/loop.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <mutex>
#include <system_error>
#include <thread>

#include "base/check.hpp"

namespace catflap::kube {

namespace asio = boost::asio;

struct Scope::Timer {
  asio::steady_timer timer;
  // The handler may be queued already when the scope goes: it looks here first.
  std::shared_ptr<Scope*> scope;
};

Scope::Scope(Loop& loop) : loop_(loop) {}
Scope::Scope(Scope& parent) : loop_(parent.loop_) {
  in_parent_.emplace(parent, *this);
}
Scope::~Scope() {
  if (timer_) *timer_->scope = nullptr;
  CHECK(members_.empty(), "a scope ends before its members");
}

void Scope::abort(const Error& why) {
  if (aborted_) return;
  aborted_ = why;
  for (std::size_t i = 0; i < members_.size(); ++i) members_[i]->abort(why);
}

void Scope::expire_after(Duration timeout, std::string what) {
  if (timer_) *timer_->scope = nullptr;
  auto scope = std::make_shared<Scope*>(this);
  timer_ = std::make_unique<Timer>(Timer{asio::steady_timer(loop_.io(), timeout), scope});
  timer_->timer.async_wait([scope, what = std::move(what)](boost::system::error_code error) {
    if (!error && *scope != nullptr) {
      (*scope)->abort(Error{.kind = ErrorKind::timed_out, .what = what});
    }
  });
}

Scope::Member::Member(Scope& scope, Abortable& member) : scope_(scope), member_(member) {
  scope_.members_.push_back(&member_);
  if (scope_.aborted_) member_.abort(*scope_.aborted_);
}

Scope::Member::~Member() {
  std::erase(scope_.members_, &member_);
}

namespace {

/// How a thread that may outlive the loop reaches it.
struct LoopAccess {
  std::mutex mutex;
  asio::io_context* io = nullptr;
};

Error interrupted() {
  return Error{.kind = ErrorKind::interrupted, .what = "stopped before it was finished"};
}

}  // namespace

struct Loop::Impl {
  std::stop_token stop;
  std::shared_ptr<LoopAccess> access = std::make_shared<LoopAccess>();
  std::unique_ptr<Scope> root;  // before io: tasks that die with io still leave their scopes
  asio::io_context io{1};
  bool running = false;
  std::optional<std::stop_callback<std::function<void()>>> on_stop;
};

Loop::Loop(std::stop_token stop) : impl_(std::make_unique<Impl>()) {
  impl_->stop = stop;
  impl_->access->io = &impl_->io;
  impl_->root = std::make_unique<Scope>(*this);
  Impl* impl = impl_.get();
  impl_->on_stop.emplace(
      stop, [impl] { asio::post(impl->io, [impl] { impl->root->abort(interrupted()); }); });
}

Loop::~Loop() {
  impl_->on_stop.reset();
  {
    std::lock_guard lock(impl_->access->mutex);
    impl_->access->io = nullptr;
  }
  shut_down();
}

void Loop::shut_down() {
  impl_->root->abort(interrupted());
  // What has not left by then (nothing should) goes with the io_context, without running on.
  impl_->io.restart();
  impl_->io.run_for(std::chrono::milliseconds{200});
}

asio::io_context& Loop::io() {
  return impl_->io;
}
Scope& Loop::root() {
  return *impl_->root;
}
bool Loop::stop_requested() const {
  return impl_->stop.stop_requested();
}

void Loop::spawn(Task<void> task) {
  asio::co_spawn(impl_->io, std::move(task), [](std::exception_ptr error) {
    CHECK(error == nullptr, "a task of the loop threw");
  });
}

void Loop::run(Task<void> task) {
  CHECK(!impl_->running, "the loop is run from inside itself: a callback called the API");
  impl_->running = true;
  bool done = false;
  asio::co_spawn(impl_->io, std::move(task), [&done](std::exception_ptr error) {
    CHECK(error == nullptr, "a task of the loop threw");
    done = true;
  });
  impl_->io.restart();
  while (!done) CHECK(impl_->io.run_one() > 0, "the loop has nothing to wait for");
  impl_->running = false;
}

bool Loop::run_one_for(Duration most) {
  CHECK(!impl_->running, "the loop is run from inside itself: a callback called the API");
  impl_->running = true;
  impl_->io.restart();
  auto guard = asio::make_work_guard(impl_->io);  // without work run_one_for would return at once
  bool ran = impl_->io.run_one_for(most) > 0;
  impl_->running = false;
  return ran;
}

namespace {

/// A wait that ends with its time, its scope or a wake().
class Waiter final : public Abortable {
 public:
  explicit Waiter(Scope& scope) : timer_(scope.loop().io()), member_(scope, *this) {}

  void abort(const Error& why) override {
    aborted_ = why;
    timer_.cancel();
  }
  void wake() {
    woken_ = true;
    timer_.cancel();
  }

  Task<Result<void>> wait(Duration time) {
    if (!aborted_ && !woken_) {
      timer_.expires_after(time);
      boost::system::error_code ignored;  // cancelled or not: the flags say which
      co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    if (aborted_) co_return *aborted_;
    co_return Result<void>();
  }

 private:
  asio::steady_timer timer_;
  std::optional<Error> aborted_;
  bool woken_ = false;
  Scope::Member member_;
};

struct Lookup {
  Waiter* waiter = nullptr;  // only touched on the loop's thread; null: nobody waits any more
  int code = 0;
  std::vector<std::string> addresses;
};

void look_up(const std::string& host, Lookup& out) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  out.code = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (out.code != 0) return;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    char text[NI_MAXHOST];
    if (::getnameinfo(entry->ai_addr, entry->ai_addrlen, text, sizeof text, nullptr, 0,
                      NI_NUMERICHOST) == 0) {
      out.addresses.emplace_back(text);
    }
  }
  ::freeaddrinfo(list);
}

}  // namespace

Task<Result<std::vector<std::string>>> Loop::resolve(Scope& scope, std::string host) {
  auto lookup = std::make_shared<Lookup>();
  auto access = impl_->access;
  Waiter waiter(scope);
  lookup->waiter = &waiter;
  auto job = [lookup, access, host] {
    auto found = std::make_shared<Lookup>();
    look_up(host, *found);
    std::lock_guard lock(access->mutex);
    if (access->io == nullptr) return;
    asio::post(*access->io, [lookup, found] {
      if (lookup->waiter == nullptr) return;
      lookup->code = found->code;
      lookup->addresses = std::move(found->addresses);
      lookup->waiter->wake();
    });
  };
  try {
    std::thread(std::move(job)).detach();
  } catch (const std::system_error& error) {
    lookup->waiter = nullptr;
    co_return Error{
        .kind = ErrorKind::internal,
        .what = fmt::format("no thread could be started to look the name up: {}",
                            error.code().message()),
        .subject = host,
        .hint = "is a limit on processes (ulimit -u, a container's pids limit) reached?",
        .system_code = error.code().value()};
  }
  auto waited = co_await waiter.wait(std::chrono::minutes{5});
  lookup->waiter = nullptr;
  if (!waited) co_return std::move(waited).error();
  if (lookup->code != 0 || lookup->addresses.empty()) {
    std::string why = lookup->code != 0 ? ::gai_strerror(lookup->code) : "no address";
    co_return Error{.kind = ErrorKind::unreachable,
                    .what = "the name cannot be resolved: " + why,
                    .subject = host,
                    .hint = "check the server's name in the kubeconfig and this machine's DNS"};
  }
  co_return std::move(lookup->addresses);
}

Task<Result<void>> sleep_for(Scope& scope, Duration time) {
  Waiter waiter(scope);
  co_return co_await waiter.wait(time);
}

}  // namespace catflap::kube
