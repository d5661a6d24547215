// Loop and Scope: one event loop on the caller's thread, and a way to end what runs on it.
// Every operation runs under a Scope. Ending a Scope (time-out, stop request, a Watch destroyed)
// closes what it has open; each pending read or write then returns the Scope's reason as its Error.
// Nothing is cancelled by throwing.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace boost::asio {
class io_context;
}

namespace catflap::kube {

template <class T>
using Task = boost::asio::awaitable<T>;

/// TRY and TRY_ASSIGN for coroutines.
#define CO_TRY_ASSIGN(declaration, expression) \
  CO_TRY_ASSIGN_(CATFLAP_CONCAT(try_result_, __LINE__), declaration, expression)
#define CO_TRY_ASSIGN_(result, declaration, expression)         \
  auto result = (expression);                                   \
  if (!result.has_value()) co_return std::move(result).error(); \
  declaration = std::move(result).value()
#define CO_TRY(expression)                                                      \
  do {                                                                          \
    auto co_try_result = (expression);                                          \
    if (!co_try_result.has_value()) co_return std::move(co_try_result).error(); \
  } while (false)

/// Something with a pending operation that can be made to return now.
class Abortable {
 public:
  virtual void abort(const Error& why) = 0;

 protected:
  ~Abortable() = default;
};

class Loop;

class Scope final : public Abortable {
 public:
  explicit Scope(Loop& loop);     // top
  explicit Scope(Scope& parent);  // ends with its parent
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  void abort(const Error& why) override;  // the first reason stays
  [[nodiscard]] const std::optional<Error>& aborted() const { return aborted_; }
  /// After `timeout`: timed_out, saying `what`.
  void expire_after(Duration timeout, std::string what);

  /// While this lives, ending the scope aborts the member (at once if the scope has ended already).
  class Member {
   public:
    Member(Scope& scope, Abortable& member);
    ~Member();
    Member(const Member&) = delete;
    Member& operator=(const Member&) = delete;

   private:
    Scope& scope_;
    Abortable& member_;
  };

  [[nodiscard]] Loop& loop() const { return loop_; }

 private:
  struct Timer;
  Loop& loop_;
  std::optional<Error> aborted_;
  std::vector<Abortable*> members_;
  std::optional<Member> in_parent_;
  std::unique_ptr<Timer> timer_;
};

class Loop {
 public:
  /// A stop request ends the root scope with `interrupted`, also from another thread.
  explicit Loop(std::stop_token stop);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  [[nodiscard]] boost::asio::io_context& io();
  [[nodiscard]] Scope& root();
  [[nodiscard]] bool stop_requested() const;

  /// Runs until `task` has finished. Not to be called from inside the loop.
  void run(Task<void> task);
  /// Ends the root scope and lets the background tasks leave. Before anything that they refer to
  /// goes.
  void shut_down();
  /// In the background, as long as the loop runs. What it refers to must outlive the loop's last
  /// run.
  void spawn(Task<void> task);
  /// One handler, waiting at most `most` for it; false: the time is over.
  [[nodiscard]] bool run_one_for(Duration most);

  /// Addresses of a host name as text, in the system's order. getaddrinfo runs in a thread of its
  /// own that nobody waits for when the scope ends.
  [[nodiscard]] Task<Result<std::vector<std::string>>> resolve(Scope& scope, std::string host);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The reason, if the scope ended before the time was over.
[[nodiscard]] Task<Result<void>> sleep_for(Scope& scope, Duration time);

}  // namespace catflap::kube
