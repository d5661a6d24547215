// A probe whose targets are still coming, or too many to keep: targets in on one thread, records
// out on another, memory bounded whatever their number.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "net/probe.hpp"

namespace catflap::net {

class ProbeStream {
 public:
  struct Answer {
    std::uint64_t id = 0;  // as given to put()
    Reach record;
  };

  /// Starts the engine's thread. Fails only if this machine has no descriptor or thread left.
  [[nodiscard]] static Result<std::unique_ptr<ProbeStream>> start(const ProbeOptions& options,
                                                                  const Clock& clock);
  ~ProbeStream();  // stops what still runs
  ProbeStream(const ProbeStream&) = delete;
  ProbeStream& operator=(const ProbeStream&) = delete;

  /// Waits while kAhead targets are queued. False once the run is stopped: no more are wanted.
  [[nodiscard]] bool put(const Target& target, std::uint64_t id);
  /// A record of a target that cannot be asked at all, e.g. a name without an address.
  [[nodiscard]] bool put_answer(Answer answer);
  /// No more will be put.
  void close();

  /// Ends the run now: take() gives what is there already, then none.
  void stop();

  /// The next record, in the order in which they came about; waits for it, and while they come
  /// quickly for some at a time (10 ms at most). None when all are taken or the run was stopped.
  /// Records that are not taken hold up new visits, never running ones. For one thread, as
  /// await() and has_answer() are.
  [[nodiscard]] std::optional<Answer> take();
  /// Waits for so long at most; true: take() would not wait.
  [[nodiscard]] bool await(Duration most);
  /// Is there one that take() has not given yet?
  [[nodiscard]] bool has_answer() const;
  /// Why the engine ended early, if it did; after take() gave none.
  [[nodiscard]] const std::optional<Error>& failure() const;

 private:
  struct Shared;
  explicit ProbeStream(std::unique_ptr<Shared> shared);
  std::unique_ptr<Shared> shared_;
};

}  // namespace catflap::net
