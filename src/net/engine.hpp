// The engine under probe() and ProbeStream: one epoll loop on a thread of its own. Where targets
// come from and where records go is the Desk's.
#pragma once

#include <cstdint>

#include "base/handle.hpp"
#include "base/result.hpp"
#include "net/probe.hpp"

namespace catflap::net {

struct Order {
  Target target;
  std::uint64_t id = 0;  // the Desk's own
};

/// Called on the engine's thread only.
class Desk {
 public:
  enum class Supply {
    order,
    later,  // nothing now; the Doorbell rings when there may be
    over,   // nothing any more
  };
  virtual ~Desk() = default;
  [[nodiscard]] virtual Supply next(Order& into) = 0;
  /// Not called for orders that a stop request left undone.
  virtual void done(const Order& order, Reach record) = 0;
};

/// Wakes the engine from any thread.
class Doorbell {
 public:
  [[nodiscard]] static Result<Doorbell> create();
  void ring() const;
  [[nodiscard]] int descriptor() const { return event_.get(); }

 private:
  explicit Doorbell(UniqueFd event) : event_(std::move(event)) {}
  UniqueFd event_;
};

/// Blocks until the Desk's orders are done, or a stop was requested (and the doorbell rung by this
/// function itself). Fails only if this machine has no descriptor or thread left for it.
[[nodiscard]] Result<void> run_engine(Desk& desk, const Doorbell& doorbell,
                                      const ProbeOptions& options, const Clock& clock);

/// The record of a target that was never asked.
[[nodiscard]] Reach unanswered(const Target& target, TimePoint at, std::string detail);

}  // namespace catflap::net
